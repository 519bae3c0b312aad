// @ts-check
/** The table itself: runs or groups in rows, the chosen columns beside the names. */

import { html, useCallback, useMemo } from "../../lib/preact.js";
import { isNumeric, title, widthOf } from "../../lib/columns.js";
import { count, counted } from "../../lib/format.js";
import { setQuery } from "../../lib/router.js";
import { groupKey } from "../../lib/run_items.js";
import { Grid } from "../../ui/grid.js";
import { Icon } from "../../ui/icon.js";
import { Head, Mean, NAME, RunName, STATUS, Value } from "./cell.js";
import { moved, pin } from "./columns_dialog.js";

/** @typedef {import("../../lib/columns.js").Column} Column */

/**
 * @param {{ experiment: string, table: ReturnType<typeof import("./state.js").useTable>, selected: ReadonlySet<number>, at: number,
 *   onToggle: (index: number, range?: boolean) => void, onFold: (index: number) => void, onAll: () => void }} props
 */
export function Table({ experiment, table, selected, at, onToggle, onFold, onAll }) {
  const { items, cells, columns, pins, groups, metrics, order } = table;
  const narrow = innerWidth <= 640;
  const grid = useMemo(() => gridColumns(columns, order, narrow, Boolean(table.by)), [columns, order, narrow, Boolean(table.by)]);
  const byId = useMemo(() => new Map(columns.map((each) => [each.id, each])), [columns]);
  const version = useMemo(() => ({}), [table.drawn, items, groups.data, table.names, selected, onToggle]);
  const see = useCallback(
    (/** @type {{ rows: [number, number], columns: readonly import("../../ui/grid.js").GridColumn[] }} */ seen) => {
      const rows = items.slice(...seen.rows).flatMap((item) => (item.kind === "run" ? [item.row] : []));
      const wanted = new Set(seen.columns.map((each) => each.id));
      if (rows.length) cells.want(rows, [NAME, STATUS, ...columns.filter((each) => wanted.has(each.id))]);
    },
    [items, columns, cells],
  );
  const head = (/** @type {{ id: string }} */ { id }, /** @type {number} */ index) => {
    if (id === "select") return html`<input type="checkbox" aria-label="Select all runs" checked=${selected.size > 0} indeterminate=${selected.size > 0 && selected.size < (table.found.data?.total ?? 0)} onChange=${onAll} />`;
    if (id === "name") return html`<${NameHead} table=${table} />`;
    return html`<${ColumnHead} table=${table} at=${index - 2} />`;
  };
  const cell = (/** @type {number} */ index, /** @type {{ id: string }} */ { id }) => {
    const item = /** @type {import("../../lib/run_items.js").Item} */ (items[index]);
    if (id === "select") return html`<${Mark} item=${item} index=${index} table=${table} selected=${selected} onToggle=${onToggle} />`;
    if (item.kind === "group") return html`<${GroupCell} id=${id} item=${item} groups=${groups.data} metrics=${metrics} names=${table.names} onToggle=${() => onFold(index)} />`;
    if (id === "name") return html`<${RunName} experiment=${experiment} item=${item} cells=${cells} onToggle=${() => onFold(index)} />`;
    const column = byId.get(id);
    return column ? html`<${Value} row=${item.row} column=${column} cells=${cells} />` : null;
  };
  const look = (/** @type {number} */ index) => {
    const item = /** @type {import("../../lib/run_items.js").Item} */ (items[index]);
    if (item.kind === "group") return { class: "group" };
    const chosen = selected.has(item.row);
    return { class: chosen ? "chosen" : "", selected: chosen };
  };
  return html`<${Grid} label="Runs" count=${items.length} columns=${grid} pinned=${2 + (narrow ? 0 : pins)} version=${version} current=${at}
    head=${head} cell=${cell} look=${look} onSee=${see} />`;
}

/**
 * @param {readonly Column[]} columns @param {ReturnType<typeof import("../../lib/columns.js").orderOf>} order @param {boolean} narrow
 * @param {boolean} groups a mean with its deviation is wider than a value
 * @returns {import("../../ui/grid.js").GridColumn[]}
 */
function gridColumns(columns, order, narrow, groups) {
  const sortOf = (/** @type {Column} */ column) => (order?.column.id === column.id ? (order.descending ? "descending" : "ascending") : undefined);
  return [
    { id: "select", width: narrow ? 32 : 36, class: "mark" },
    { id: "name", width: narrow ? 148 : 260, class: "naming" },
    ...columns.map((column) => ({
      id: column.id,
      width: groups && column.kind === "metric" ? Math.max(148, widthOf(column)) : widthOf(column),
      class: isNumeric(column) ? "numeric" : "",
      sort: /** @type {"ascending" | "descending" | undefined} */ (sortOf(column)),
    })),
  ];
}

/** @param {{ item: import("../../lib/run_items.js").Item, index: number, table: any, selected: ReadonlySet<number>, onToggle: (index: number, range?: boolean) => void }} props */
function Mark({ item, index, table, selected, onToggle }) {
  const rows = /** @type {number[]} */ (item.kind === "group" ? (table.groups.data?.[item.at]?.rows ?? []) : [item.row]);
  const name = item.kind === "group" ? "Select the group" : `Select ${table.cells.get(item.row, NAME) ?? "the run"}`;
  return html`<input type="checkbox" aria-label=${name} checked=${rows.length > 0 && rows.every((row) => selected.has(row))}
    onClick=${(/** @type {MouseEvent} */ event) => onToggle(index, event.shiftKey)} />`;
}

/** @param {{ id: string, item: import("../../lib/run_items.js").GroupItem, groups: import("./source.js").Group[] | undefined, metrics: readonly Column[], names: Map<string, string> | undefined, onToggle: () => void }} props */
function GroupCell({ id, item, groups, metrics, names, onToggle }) {
  const group = groups?.[item.at];
  if (!group) return null;
  if (id === "name") {
    const value = names?.get(groupKey(group.value)) ?? groupKey(group.value);
    return html`<span class="run-name">
      <button type="button" class="fold" aria-expanded=${item.open} aria-label=${`${item.open ? "Hide" : "Show"} ${counted(group.rows.length, "run")} of ${value || "no value"}`} onClick=${onToggle}><${Icon} name="chevron" /></button>
      <strong class="clip" title=${value}>${value || "no value"}</strong><span class="count">${count(group.rows.length)}</span>
    </span>`;
  }
  const at = metrics.findIndex((each) => each.id === id);
  return at < 0 ? null : html`<${Mean} statistics=${group.metrics[at] ?? null} />`;
}

/** @param {{ table: any }} props */
function NameHead({ table }) {
  const active = table.order?.column.id === NAME.id;
  const next = active && !table.order.descending ? `-${NAME.id}` : NAME.id;
  return html`<button type="button" class="sort" onClick=${() => setQuery({ order: next })}>
    ${table.by ? title(table.by) : "Run"}${active && html`<${Icon} name=${table.order.descending ? "down" : "up"} />`}
  </button>`;
}

/** @param {{ table: any, at: number }} props */
function ColumnHead({ table, at }) {
  const { columns, pins, order, setColumns } = table;
  const column = columns[at];
  return html`<${Head}
    column=${column}
    index=${at}
    order=${order}
    pinned=${at < pins}
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
