// @ts-check
/** Tables of data: CSV and Parquet files, and JSON tables. Only the rows in view are in the page. */

import { readCsv } from "../lib/csv.js";
import { count } from "../lib/format.js";
import { useData } from "../lib/api.js";
import { html, useMemo, useState } from "../lib/preact.js";
import { Rounded } from "./rounded.js";
import { Failed, Loading } from "./states.js";
import { addSheet } from "./sheet.js";

addSheet("ui/content.css");

const ROW = 28; // as the sheet of the page says
const MOST_COLUMNS = 200;
const MOST_ROWS = 100_000;
const LONGEST = 300;

/** @param {{ name: string, text: string }} props */
export function CsvTable({ name, text }) {
  const { columns, rows } = useMemo(() => {
    const read = readCsv(text, { most: MOST_ROWS, ...(/\.(tsv|tab)$/i.test(name) ? { delimiter: "\t" } : {}) });
    const [columns = [], ...rows] = read.rows;
    return { columns, rows };
  }, [text]);
  return html`<${DataTable} name=${name} columns=${columns} rows=${rows} />`;
}

/** @typedef {{ columns: string[], rows: unknown[][], total: number | null, more: boolean }} Beginning the first rows of a table */

/** A table that the server reads, since the browser cannot. @param {{ name: string, load: () => Promise<Beginning> }} props */
export function ReadTable({ name, load }) {
  const { data, error, reload } = useData(name, load);
  if (error) return html`<${Failed} error=${error} retry=${reload} />`;
  if (!data) return html`<${Loading} />`;
  return html`<${DataTable} name=${name} columns=${data.columns} rows=${data.rows} total=${data.total ?? data.rows.length} />`;
}

/** @param {{ name: string, columns: string[], rows: unknown[][], total?: number }} props */
export function DataTable({ name, columns, rows, total = rows.length }) {
  const [top, setTop] = useState(0);
  // Rows may have more cells than the head.
  const width = useMemo(() => rows.reduce((most, row) => Math.max(most, row.length), columns.length), [columns, rows]);
  const shown = Array.from({ length: Math.min(width, MOST_COLUMNS) }, (_, index) => columns[index] ?? "");
  const first = Math.max(0, Math.floor(top / ROW) - 10);
  const last = Math.min(rows.length, first + Math.ceil(innerHeight / ROW) + 20);
  const numeric = useMemo(() => shown.map((_, index) => rows.slice(0, 50).every((row) => isNumber(row[index]))), [rows]);
  const parts = [
    `${count(total)} rows, ${count(width)} columns`,
    rows.length < total && `the first ${count(rows.length)} rows are shown`,
    width > MOST_COLUMNS && `the first ${MOST_COLUMNS} columns are shown`,
  ];
  return html`<p class="muted">${parts.filter(Boolean).join("; ")}</p>
    <div class="boxed" tabindex="0" role="region" aria-label=${`Table ${name}`} onScroll=${(/** @type {Event} */ event) => setTop(/** @type {HTMLElement} */ (event.currentTarget).scrollTop)}>
      <table aria-rowcount=${rows.length + 1}>
        <thead>
          <tr>
            <th class="number">#</th>
            ${shown.map((column, index) => html`<th class=${numeric[index] ? "number" : ""} scope="col">${column}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${first > 0 && html`<tr class="filler" style=${{ height: `${first * ROW}px` }}></tr>`}
          ${rows.slice(first, last).map(
            (row, index) => html`<tr key=${first + index}>
              <td class="number muted">${first + index + 1}</td>
              ${shown.map((_, column) => html`<td class=${numeric[column] ? "number" : ""}>${cell(row[column])}</td>`)}
            </tr>`,
          )}
          ${last < rows.length && html`<tr class="filler" style=${{ height: `${(rows.length - last) * ROW}px` }}></tr>`}
        </tbody>
      </table>
    </div>`;
}

/** @param {unknown} value */
function isNumber(value) {
  return typeof value === "number" || typeof value === "bigint" || value === "" || value === null || value === undefined || (typeof value === "string" && value.trim() !== "" && !Number.isNaN(Number(value)));
}

/** @param {unknown} value @returns {any} */
function cell(value) {
  if (value === undefined) return ""; // its row is shorter than others
  if (value === null) return html`<span class="muted">null</span>`;
  if (typeof value === "number") return html`<${Rounded} value=${value} />`;
  const text = value instanceof Date ? value.toISOString() : typeof value === "object" ? JSON.stringify(value, plain) : String(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** @param {string} _ @param {unknown} value */
function plain(_, value) {
  return typeof value === "bigint" ? Number(value) : value;
}
