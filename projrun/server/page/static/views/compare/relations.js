// @ts-check
/** How params and metrics of several runs are related: scatter, parallel coordinates, boxes. All choices are in the address. */

import { asNumber } from "../../lib/dimensions.js";
import { html, useMemo } from "../../lib/preact.js";
import { go, href, path, setQuery } from "../../lib/router.js";
import { BoxPlot } from "../../ui/boxplot.js";
import { Button } from "../../ui/button.js";
import { Popover } from "../../ui/menu.js";
import { Parallel } from "../../ui/parallel.js";
import { Scatter } from "../../ui/scatter.js";
import { Empty } from "../../ui/states.js";

/** @typedef {import("../../lib/comparison.js").Column} Column */
/** @typedef {import("../../lib/runs.js").Run} Run */
/** @typedef {Readonly<Record<string, string>>} Query */

const MOST_AXES = 8;

/** @param {Column} column */
function idOf(column) {
  return `${column.kind}.${column.key}`;
}

/** @param {Column[]} columns */
function choices(columns) {
  const differing = columns.filter((column) => column.differs && column.kind !== "tag");
  const params = differing.filter((column) => column.kind === "param");
  const metrics = columns.filter((column) => column.kind === "metric");
  return { params, metrics, numeric: differing.filter((column) => column.cells.some((cell) => asNumber(cell) !== null)) };
}

/** @param {Column[]} columns @param {string | undefined} wanted @param {Column | undefined} otherwise @returns {Column | null} */
function chosen(columns, wanted, otherwise) {
  return columns.find((column) => idOf(column) === wanted) ?? otherwise ?? null;
}

/** @param {{ label: string, columns: Column[], value: Column | null, none?: boolean, onChange: (id: string) => void }} props */
function Choice({ label, columns, value, none = false, onChange }) {
  const groups = /** @type {const} */ ([["param", "Params"], ["metric", "Metrics"], ["attribute", "Run"], ["tag", "Tags"]]);
  return html`<label class="choice">
    <span class="muted" aria-hidden="true">${label}</span>
    <select aria-label=${label} onChange=${(/** @type {Event} */ event) => onChange(/** @type {HTMLSelectElement} */ (event.target).value)}>
      ${none && html`<option value="none" selected=${!value}>none</option>`}
      ${groups.map(([kind, title]) => {
        const found = columns.filter((column) => column.kind === kind);
        return found.length > 0 && html`<optgroup label=${title}>${found.map((column) => html`<option value=${idOf(column)} selected=${column === value}>${column.key}</option>`)}</optgroup>`;
      })}
    </select>
  </label>`;
}

/** @param {Run[]} runs */
function opener(runs) {
  return (/** @type {string} */ id) => {
    const run = runs.find((each) => each.id === id);
    if (run) go(href(path("experiments", run.experiment, "runs", id)));
  };
}

/** @param {Run[]} runs */
function pointsOf(runs) {
  return runs.map((run) => ({ run: run.id, label: run.name }));
}

/** @param {{ runs: Run[], columns: Column[], query: Query }} props */
export function Points({ runs, columns, query }) {
  const { params, metrics } = choices(columns);
  const x = chosen(columns, query.sx, params.find((each) => each.cells.some((cell) => asNumber(cell) !== null)) ?? params[0] ?? metrics[1] ?? columns[0]);
  const y = chosen(columns, query.sy, metrics[0] ?? columns[0]);
  const colour = query.sc === "none" ? null : chosen(columns, query.sc, params.find((each) => each !== x));
  if (!x || !y) return html`<${Empty} title="Nothing to draw"><p>The runs have neither params nor metrics.</p></${Empty}>`;
  const log = (/** @type {Column} */ column, /** @type {string} */ name) => ({ ...column, log: query[name] === "1" });
  return html`<div class="tools">
      <${Choice} label="x" columns=${columns} value=${x} onChange=${(/** @type {string} */ id) => setQuery({ sx: id })} />
      <${Button} pressed=${query.slx === "1"} onClick=${() => setQuery({ slx: query.slx === "1" ? null : "1" })}>Log x</${Button}>
      <${Choice} label="y" columns=${columns} value=${y} onChange=${(/** @type {string} */ id) => setQuery({ sy: id })} />
      <${Button} pressed=${query.sly === "1"} onClick=${() => setQuery({ sly: query.sly === "1" ? null : "1" })}>Log y</${Button}>
      <${Choice} label="colour" columns=${columns} value=${colour} none onChange=${(/** @type {string} */ id) => setQuery({ sc: id })} />
    </div>
    <${Scatter} points=${pointsOf(runs)} x=${log(x, "slx")} y=${log(y, "sly")} colour=${colour} onOpen=${opener(runs)} />`;
}

/** @param {{ runs: Run[], columns: Column[], query: Query }} props */
export function Coordinates({ runs, columns, query }) {
  const { params, metrics } = choices(columns);
  const wanted = (query.axes ?? "").split("|").filter(Boolean);
  const usual = [...params.slice(0, MOST_AXES - 1), ...metrics.slice(0, Math.max(1, MOST_AXES - params.length))];
  const shown = wanted.length ? wanted.flatMap((id) => columns.find((column) => idOf(column) === id) ?? []) : usual;
  const axes = useMemo(() => shown.map((column) => ({ ...column, id: idOf(column) })), [columns, query.axes]);
  const colour = query.pc === "none" ? null : chosen(columns, query.pc, metrics[0]);
  if (shown.length < 2) return html`<${Empty} title="Nothing to draw"><p>The runs differ in less than two params and metrics.</p></${Empty}>`;
  const toggle = (/** @type {Column} */ column) => {
    const next = shown.includes(column) ? shown.filter((each) => each !== column) : [...shown, column];
    setQuery({ axes: next.map(idOf).join("|"), brush: null });
  };
  const brushed = (/** @type {import("../../ui/parallel.js").Brushes} */ brushes) => setQuery({ brush: Object.keys(brushes).length ? JSON.stringify(brushes) : null });
  return html`<div class="tools">
      <${Popover} label="Choose the axes" icon="columns" text="Axes">
        ${() =>
          html`<div class="choices">
            ${columns.map((column) => html`<label class="item"><input type="checkbox" checked=${shown.includes(column)} onChange=${() => toggle(column)} /><span>${column.key}</span><span class="muted">${column.kind}</span></label>`)}
          </div>`}
      </${Popover}>
      <${Choice} label="colour" columns=${columns} value=${colour} none onChange=${(/** @type {string} */ id) => setQuery({ pc: id })} />
      <span class="muted">Drag along an axis to keep the runs between two values.</span>
    </div>
    <${Parallel} points=${pointsOf(runs)} columns=${axes} colour=${colour} brushes=${brushesOf(query.brush)} onBrush=${brushed} onOpen=${opener(runs)} />`;
}

/** @param {string | undefined} text @returns {import("../../ui/parallel.js").Brushes} */
function brushesOf(text) {
  try {
    const entries = Object.entries(JSON.parse(text ?? "{}"));
    return Object.fromEntries(entries.filter(([, range]) => Array.isArray(range) && range.length === 2 && range.every(Number.isFinite)));
  } catch {
    return {};
  }
}

/** @param {{ columns: Column[], query: Query }} props */
export function Boxes({ columns, query }) {
  const { params, metrics, numeric } = choices(columns);
  const values = [...metrics, ...numeric.filter((column) => column.kind !== "metric")];
  const fewest = [...params].sort((one, other) => new Set(one.cells).size - new Set(other.cells).size);
  const group = chosen(columns, query.bg, fewest[0] ?? columns.find((column) => column.key === "status"));
  const value = chosen(values, query.bv, values[0]);
  if (!group || !value) return html`<${Empty} title="Nothing to draw"><p>The runs have no numbers.</p></${Empty}>`;
  return html`<div class="tools">
      <${Choice} label="value" columns=${values} value=${value} onChange=${(/** @type {string} */ id) => setQuery({ bv: id })} />
      <${Choice} label="by" columns=${columns} value=${group} onChange=${(/** @type {string} */ id) => setQuery({ bg: id })} />
    </div>
    <${BoxPlot} group=${group} value=${value} />`;
}
