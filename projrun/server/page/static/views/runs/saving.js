// @ts-check
/** The table as a CSV file: all runs that were found, in their order, with the columns that are shown. */

import { post } from "../../lib/api.js";
import { writeCsv } from "../../lib/csv.js";
import { isoDate } from "../../lib/format.js";
import { saveText } from "../../ui/download.js";
import { NAME, STATUS } from "./cell.js";
import { read } from "./source.js";

/** @typedef {import("../../lib/columns.js").Column} Column */
/** @typedef {Exclude<import("../../lib/columns.js").Cell, boolean>} Value */

const CELLS = 200_000; // in one answer
const CUT = 250; // characters, after which texts in cells are cut
const RUNS = 100; // whose whole texts are asked for at a time

/** @param {string} name @param {string} experiment @param {readonly number[]} rows @param {readonly Column[]} columns */
export async function saveRuns(name, experiment, rows, columns) {
  const others = columns.filter(({ id, kind }) => kind !== "curve" && id !== NAME.id && id !== STATUS.id);
  const shown = [NAME, STATUS, ...others];
  /** @type {Value[][]} */
  const lines = [["run_id", ...shown.map(heading)]];
  const step = Math.max(1, Math.floor(CELLS / shown.length));
  for (let at = 0; at < rows.length; at += step) {
    const { ids, cells } = await read(experiment, rows.slice(at, at + step), shown);
    const cut = [...ids].filter(([row]) => shown.some(({ id }) => isCut(cells.get(id)?.get(row)))).map(([, run]) => run);
    const whole = await texts(experiment, cut);
    for (const [row, run] of inOrder(rows.slice(at, at + step), ids))
      lines.push([run, ...shown.map((column) => whole.get(run)?.get(heading(column)) ?? exact(column, cells.get(column.id)?.get(row)))]);
  }
  saveText(`${name}.csv`, writeCsv(lines), "text/csv");
}

/** Runs that are gone meanwhile are left out. @param {readonly number[]} rows @param {Map<number, string>} ids @returns {[number, string][]} */
function inOrder(rows, ids) {
  return rows.flatMap((row) => (ids.has(row) ? [/** @type {[number, string]} */ ([row, ids.get(row)])] : []));
}

/** As `mlflow.search_runs` names its columns. @param {Column} column */
function heading({ kind, key, aggregate }) {
  if (kind === "attribute") return key === "duration" ? "duration (s)" : key;
  return `${kind}s.${key}${kind === "metric" && aggregate !== "last" ? ` (${aggregate})` : ""}`;
}

/** @param {Column} column @param {import("../../lib/columns.js").Cell} value @returns {Value} */
function exact({ kind, key }, value) {
  if (value === null || value === undefined || kind !== "attribute") return typeof value === "boolean" ? String(value) : (value ?? null);
  if (key === "duration") return Number(value) / 1000;
  return key.endsWith("_time") ? isoDate(Number(value)) : String(value);
}

/** @param {unknown} value */
const isCut = (value) => typeof value === "string" && value.length >= CUT;

/** The params, tags and names of runs, by the headings of their columns.
 * @param {string} experiment @param {readonly string[]} runs @returns {Promise<Map<string, Map<string, string>>>} */
async function texts(experiment, runs) {
  /** @type {Map<string, Map<string, string>>} */
  const found = new Map();
  for (let at = 0; at < runs.length; at += RUNS) {
    const filter = `attributes.run_id IN (${runs.slice(at, at + RUNS).map((run) => `'${run}'`).join(", ")})`;
    const answer = await post("runs/search", { experiment_ids: [experiment], filter, run_view_type: "ALL", max_results: RUNS });
    for (const { info, data } of answer.runs ?? []) {
      const own = ["param", "tag"].flatMap((kind) => (data[`${kind}s`] ?? []).map((/** @type {any} */ each) => [`${kind}s.${each.key}`, each.value]));
      found.set(info.run_id, new Map([["run_name", info.run_name], ...own]));
    }
  }
  return found;
}
