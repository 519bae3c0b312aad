// @ts-check
/** The table itself: runs or groups in rows, the chosen columns beside the names. */

import { html, useCallback, useMemo } from "../../lib/preact.js";
import { isNumeric, widthOf } from "../../lib/columns.js";
import { count, counted } from "../../lib/format.js";
import { setQuery } from "../../lib/router.js";
import { Grid } from "../../ui/grid.js";
import { Icon } from "../../ui/icon.js";
import { groupTitle, PARENT } from "./groups.js";
import { Head, Mean, NAME, RunName, STATUS, Value } from "./cell.js";
import { moved, pin } from "./columns_dialog.js";
import { Edge } from "./edge.js";

/** @typedef {import("../../lib/columns.js").Column} Column */

const AHEAD = 128; // rows that are read at once, before they are in sight

/**
 * @param {{ experiment: string, table: ReturnType<typeof import("./state.js").useTable>, selected: ReadonlySet<number>, at: number,
 *   onToggle: (index: number, range?: boolean) => void, onFold: (index: number) => void, onAll: () => void }} props
 */
export function Table({ experiment, table, selected, at, onToggle, onFold, onAll }) {
  const { items, cells, columns, pins, groups, metrics, order, widths } = table;
  const narrow = innerWidth <= 640;
  const grid = useMemo(() => gridColumns(columns, order, narrow, table.by.length > 0, widths), [columns, order, narrow, table.by.length > 0, widths]);
  const byId = useMemo(() => new Map(columns.map((each) => [each.id, each])), [columns]);
  const version = useMemo(() => ({}), [items, groups.data, groups.names, selected, onToggle]);
  const see = useCallback(
    (/** @type {{ rows: [number, number], columns: readonly import("../../ui/grid.js").GridColumn[] }} */ seen) => {
      const [first, last] = seen.rows;
      const rows = rowsOf(items, first, last);
      const near = rowsOf(items, Math.max(0, Math.floor(first / AHEAD - 0.5)) * AHEAD, Math.ceil(last / AHEAD + 0.5) * AHEAD);
      const wanted = new Set(seen.columns.map((each) => each.id));
      if (rows.length) cells.want(rows, near, [NAME, STATUS, ...columns.filter((each) => wanted.has(each.id))]);
    },
    [items, columns, cells],
  );
  const head = (/** @type {{ id: string }} */ { id }, /** @type {number} */ index) => {
    if (id === "select") return html`<input type="checkbox" aria-label="Select all runs" checked=${selected.size > 0} indeterminate=${selected.size > 0 && selected.size < (table.found.data?.total ?? 0)} onChange=${onAll} />`;
    if (id === "name") return html`<${NameHead} table=${table} width=${grid[index].width} />`;
    return html`<${ColumnHead} table=${table} at=${index - 2} width=${grid[index].width} />`;
  };
  // Functions without state are called: a component for each of a thousand cells would take half of the time.
  const cell = (/** @type {number} */ index, /** @type {{ id: string }} */ { id }) => {
    const item = /** @type {import("../../lib/run_items.js").Item} */ (items[index]);
    if (id === "select") return Mark({ item, index, table, selected, onToggle });
    if (item.kind === "group") return GroupCell({ id, item, groups: groups.data, metrics, names: groups.names, onToggle: () => onFold(index) });
    if (id === "name") return RunName({ experiment, item, cells, onToggle: () => onFold(index) });
    const column = byId.get(id);
    return column ? Value({ row: item.row, column, cells }) : null;
  };
  const stamp = (/** @type {number} */ index) => {
    const item = items[index];
    return item?.kind === "run" ? cells.stamps.get(item.row) : item;
  };
  const look = (/** @type {number} */ index) => {
    const item = /** @type {import("../../lib/run_items.js").Item} */ (items[index]);
    if (item.kind === "group") return { class: "group" };
    const chosen = selected.has(item.row);
    return { class: chosen ? "chosen" : "", selected: chosen };
  };
  return html`<${Grid} label="Runs" count=${items.length} columns=${grid} pinned=${2 + (narrow ? 0 : pins)} version=${version} stamp=${stamp} drawn=${table.drawn} current=${at}
    head=${head} cell=${cell} look=${look} onSee=${see} />`;
}

/**
 * @param {readonly Column[]} columns @param {ReturnType<typeof import("../../lib/columns.js").orderOf>} order @param {boolean} narrow
 * @param {boolean} groups a mean with its deviation is wider than a value @param {Readonly<Record<string, number>>} widths that were chosen
 * @returns {import("../../ui/grid.js").GridColumn[]}
 */
function gridColumns(columns, order, narrow, groups, widths) {
  const sortOf = (/** @type {Column} */ column) => (order?.column.id === column.id ? (order.descending ? "descending" : "ascending") : undefined);
  return [
    { id: "select", width: narrow ? 32 : 36, class: "mark" },
    { id: "name", width: narrow ? 148 : (widths.name ?? 260), class: "naming" },
    ...columns.map((column) => ({
      id: column.id,
      width: widths[column.id] ?? Math.max(groups && column.kind === "metric" ? 148 : 0, widthOf(column)),
      class: isNumeric(column) ? "numeric" : "",
      sort: /** @type {"ascending" | "descending" | undefined} */ (sortOf(column)),
    })),
  ];
}

/** @param {{ item: import("../../lib/run_items.js").Item, index: number, table: any, selected: ReadonlySet<number>, onToggle: (index: number, range?: boolean) => void }} props */
function Mark({ item, index, table, selected, onToggle }) {
  const rows = /** @type {number[]} */ (item.kind === "group" ? (table.groups.data[item.at]?.rows ?? []) : [item.row]);
  const name = item.kind === "group" ? "Select the group" : `Select ${table.cells.get(item.row, NAME) ?? "the run"}`;
  return html`<input type="checkbox" aria-label=${name} checked=${rows.length > 0 && rows.every((row) => selected.has(row))}
    onClick=${(/** @type {MouseEvent} */ event) => onToggle(index, event.shiftKey)} />`;
}

/** @param {{ id: string, item: import("../../lib/run_items.js").GroupItem, groups: import("./groups.js").Nested[], metrics: readonly Column[], names: Map<string, string> | undefined, onToggle: () => void }} props */
function GroupCell({ id, item, groups, metrics, names, onToggle }) {
  const group = groups[item.at];
  if (id === "name") {
    const text = String(group.value ?? "");
    const value = (group.by.id === PARENT.id && names?.get(text)) || text;
    return html`<span class="run-name" style=${{ paddingLeft: `${group.level * 16}px` }}>
      <button type="button" class="fold" aria-expanded=${item.open} aria-label=${`${item.open ? "Hide" : "Show"} ${counted(group.rows.length, "run")} of ${value || "no value"}`} onClick=${onToggle}><${Icon} name="chevron" /></button>
      <strong class="clip" title=${value}>${value || "no value"}</strong><span class="count">${count(group.rows.length)}</span>
    </span>`;
  }
  const at = metrics.findIndex((each) => each.id === id);
  return at < 0 ? null : html`<${Mean} statistics=${group.metrics[at] ?? null} />`;
}

/** @param {{ table: any, width: number }} props */
function NameHead({ table, width }) {
  const active = table.order?.column.id === NAME.id;
  const next = active && !table.order.descending ? `-${NAME.id}` : NAME.id;
  return html`<button type="button" class="sort" onClick=${() => setQuery({ order: next })}>
    ${table.by.length ? table.by.map(groupTitle).join(", ") : "Run"}${active && html`<${Icon} name=${table.order.descending ? "down" : "up"} />`}</button
    ><${Edge} name="Run" width=${width} onWidth=${(/** @type {number | null} */ next) => table.setWidth("name", next)} />`;
}

/** @param {{ table: any, at: number, width: number }} props */
function ColumnHead({ table, at, width }) {
  const { columns, pins, order, setColumns } = table;
  const column = columns[at];
  return html`<${Head}
    column=${column}
    index=${at}
    order=${order}
    pinned=${at < pins}
    width=${width}
    onWidth=${(/** @type {number | null} */ next) => table.setWidth(column.id, next)}
    onOrder=${(/** @type {string} */ next) => setQuery({ order: next })}
    onReplace=${(/** @type {Column} */ next) => setColumns(replaced(columns, at, next), pins)}
    onMove=${(/** @type {number} */ from, /** @type {number} */ to) => setColumns(moved(columns, from, to), pins)}
    onPin=${() => pin(columns, at, pins, setColumns)}
    onHide=${() => setColumns(columns.toSpliced(at, 1), at < pins ? pins - 1 : pins)}
    onGroup=${() => setQuery({ group: column.id, open: null }, { push: true })}
  />`;
}

/** @param {readonly Column[]} columns @param {number} at @param {Column} next each column is there once */
function replaced(columns, at, next) {
  return columns.toSpliced(at, 1, next).filter((each, index) => each.id !== next.id || index === at);
}

/** The runs of some lines. @param {readonly import("../../lib/run_items.js").Item[]} items @param {number} first @param {number} last */
function rowsOf(items, first, last) {
  return items.slice(first, last).flatMap((item) => (item.kind === "run" ? [item.row] : []));
}
