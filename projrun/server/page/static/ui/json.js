// @ts-check
/** JSON with its objects and lists folded. A table of MLflow's (`columns` and `data`) is shown as one. */

import { counted } from "../lib/format.js";
import { html, useMemo, useState } from "../lib/preact.js";
import { Code } from "./code.js";
import { DataTable } from "./tables.js";
import { addSheet } from "./sheet.js";

addSheet("ui/content.css");

const OPEN = 2; // levels that are open at first
const MOST = 200;

/** @param {{ text: string, name: string }} props */
export function Json({ text, name }) {
  const parsed = useMemo(() => read(text), [text]);
  if (!parsed) return html`<${Code} text=${text} name=${name} numbered />`;
  const table = tableOf(parsed.value);
  if (table) return html`<${DataTable} name=${name} columns=${table.columns} rows=${table.rows} />`;
  return html`<div class="json"><${Value} value=${parsed.value} depth=${0} /></div>`;
}

/** @param {string} text @returns {{ value: unknown } | null} */
function read(text) {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return null;
  }
}

/** @param {unknown} value @returns {{ columns: string[], rows: unknown[][] } | null} */
function tableOf(value) {
  if (!value || typeof value !== "object") return null;
  const { columns, data } = /** @type {{ columns?: unknown, data?: unknown }} */ (value);
  if (!Array.isArray(columns) || !Array.isArray(data) || !data.length || !data.every(Array.isArray)) return null;
  return { columns: columns.map(String), rows: data };
}

/** @param {{ value: unknown, name?: string, depth: number }} props */
function Value({ value, name, depth }) {
  const [open, setOpen] = useState(depth < OPEN);
  const [most, setMost] = useState(MOST);
  const label = name !== undefined && html`<span class="json-name">${name}</span><span class="muted">: </span>`;
  if (!value || typeof value !== "object") return html`<div>${label}<span class=${`json-${value === null ? "null" : typeof value}`}>${JSON.stringify(value)}</span></div>`;
  const list = Array.isArray(value);
  const entries = Object.entries(value);
  const summary = list ? `[${counted(entries.length, "item")}]` : `{${counted(entries.length, "key")}}`;
  if (!entries.length) return html`<div>${label}<span class="muted">${list ? "[]" : "{}"}</span></div>`;
  return html`<details open=${open} onToggle=${(/** @type {Event} */ event) => setOpen(/** @type {HTMLDetailsElement} */ (event.currentTarget).open)}>
    <summary>${label}<span class="muted">${summary}</span></summary>
    ${open &&
    html`<div class="json-inner">
      ${entries.slice(0, most).map(([key, each]) => html`<${Value} key=${key} name=${key} value=${each} depth=${depth + 1} />`)}
      ${entries.length > most && html`<button type="button" class="button quiet" onClick=${() => setMost(most + 1000)}>Show more</button>`}
    </div>`}
  </details>`;
}
