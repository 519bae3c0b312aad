// @ts-check
/** Parquet files, read in parts: the metadata at their end, then the first rows. */

import { reader } from "./log.js";
import { parquetMetadataAsync, parquetReadObjects, parquetSchema } from "../vendor/hyparquet/index.js";

const MOST_ROWS = 1000;

/** @param {string} address @param {number} size @returns {Promise<{ columns: string[], rows: unknown[][], total: number }>} */
export async function readTable(address, size) {
  const read = reader(address);
  const file = {
    byteLength: size,
    slice: async (/** @type {number} */ start, /** @type {number} */ end = size) => {
      const { bytes } = await read(start, end);
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    },
  };
  const metadata = await parquetMetadataAsync(file);
  const columns = parquetSchema(metadata).children.map((/** @type {{ element: { name: string } }} */ child) => child.element.name);
  const total = Number(metadata.num_rows);
  const objects = await parquetReadObjects({ file, metadata, rowStart: 0, rowEnd: Math.min(total, MOST_ROWS) });
  return { columns, rows: objects.map((/** @type {Record<string, unknown>} */ each) => columns.map((name) => each[name])), total };
}
