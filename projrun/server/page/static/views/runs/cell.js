// @ts-check
/** What stands in the table: the cells of runs and groups, and the heads of columns. */

import { html, useRef } from "../../lib/preact.js";
import { best, cellText, column as newColumn, deviation, subtitle, title } from "../../lib/columns.js";
import { ago, count, counted, exactDate, number, whole } from "../../lib/format.js";
import { href, path } from "../../lib/router.js";
import { Icon } from "../../ui/icon.js";
import { Menu } from "../../ui/menu.js";
import { Status } from "../../ui/states.js";
import { Edge } from "./edge.js";

/** @typedef {import("../../lib/columns.js").Column} Column */
/** @typedef {import("./cells.js").Cells} Cells */

export const NAME = newColumn("attribute", "run_name");
export const STATUS = newColumn("attribute", "status");

/**
 * @param {{ experiment: string, item: import("../../lib/run_items.js").RunItem, cells: Cells, onToggle: () => void }} props
 */
export function RunName({ experiment, item, cells, onToggle }) {
  const id = cells.ids.get(item.row);
  const name = cells.get(item.row, NAME);
  const status = cells.get(item.row, STATUS);
  return html`<span class="run-name" style=${{ paddingLeft: `${Math.min(item.depth, 6) * 16}px` }}>
    ${item.children > 0
      ? html`<button type="button" class="fold" aria-expanded=${item.open} aria-label=${`${item.open ? "Hide" : "Show"} ${count(item.children)} children`} onClick=${onToggle}><${Icon} name="chevron" /></button>`
      : html`<span class="fold"></span>`}
    ${id && html`<${Status} status=${status ?? ""} bare /><a class="clip" href=${href(path("experiments", experiment, "runs", id))} title=${name}>${name || id}</a>`}
    ${item.children > 0 && html`<span class="count">${count(item.children)}</span>`}
  </span>`;
}

/** @param {{ row: number, column: Column, cells: Cells }} props */
export function Value({ row, column, cells }) {
  if (column.kind === "curve") return html`<${Curve} points=${cells.curve(row, column)} />`;
  const value = cells.get(row, column);
  if (value === null || value === undefined) return null;
  if (column.kind === "attribute" && column.key === "status") return html`<${Status} status=${value} />`;
  const text = cellText(column, value, ago);
  const exact = column.key.endsWith("_time") ? exactDate(Number(value)) : String(value);
  return html`<span title=${exact}>${text}</span>`;
}

/** The mean of a group, with what it varies by. @param {{ statistics: import("./source.js").Statistics | null }} props */
export function Mean({ statistics }) {
  if (!statistics) return null;
  const { mean, std, min, max, count: runs } = statistics;
  const exact = `${counted(runs, "value")} from ${whole(min)} to ${whole(max)}, mean ${whole(mean)}, deviation ${whole(std)}`;
  return html`<span title=${exact}>${number(mean, 4)} <span class="muted">${deviation(statistics)}</span></span>`;
}

/** A history, small. @param {{ points: number[] | undefined }} props */
function Curve({ points }) {
  const numbers = (points ?? []).filter(Number.isFinite);
  if (numbers.length < 2) return numbers.length ? html`<span class="muted">1 value</span>` : null;
  const least = Math.min(...numbers);
  // Halves: the whole of it may be more than a number can be.
  const half = Math.max(...numbers) / 2 - least / 2 || 1;
  const line = numbers.map((value, index) => `${((index / (numbers.length - 1)) * 98 + 1).toFixed(1)},${(21 - ((value / 2 - least / 2) / half) * 18).toFixed(1)}`);
  return html`<svg class="spark" viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label=${`From ${number(numbers[0])} to ${number(numbers.at(-1))}`}>
    <polyline points=${line.join(" ")} />
  </svg>`;
}

/**
 * @param {{ column: Column, index: number, order: { column: Column, descending: boolean } | null, pinned: boolean, width: number, onOrder: (order: string) => void,
 *   onReplace: (column: Column) => void, onMove: (from: number, to: number) => void, onWidth: (width: number | null) => void, onPin: () => void,
 *   onHide: () => void, onGroup: () => void }} props
 */
export function Head({ column, index, order, pinned, width, onOrder, onReplace, onMove, onWidth, onPin, onHide, onGroup }) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  // From the menu, the arrow keys change it.
  const onResize = () => /** @type {HTMLElement | null | undefined} */ (place.current?.nextElementSibling)?.focus();
  const active = order?.column.id === column.id;
  const sortable = column.kind !== "curve";
  const first = column.kind === "metric" && best(column.key) === "max" ? "-" : "";
  const next = active ? (order.descending ? column.id : `-${column.id}`) : `${first}${column.id}`;
  const small = subtitle(column);
  const drop = (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    const from = Number(event.dataTransfer?.getData("text/plain"));
    if (Number.isInteger(from)) onMove(from, index);
  };
  return html`<span
    class="grid-title"
    ref=${place}
    draggable=${true}
    onDragStart=${(/** @type {DragEvent} */ event) => event.dataTransfer?.setData("text/plain", String(index))}
    onDragOver=${(/** @type {Event} */ event) => event.preventDefault()}
    onDrop=${drop}
  >
    <button type="button" class="sort" title=${column.key} disabled=${!sortable} onClick=${() => onOrder(next)}>
      ${pinned && html`<${Icon} name="pin" />`}<span class="clip">${title(column)}</span>${small && html`<small>${small}</small>`}
      ${active && html`<${Icon} name=${order.descending ? "down" : "up"} />`}
    </button>
    <${Menu} kind="quiet" icon="more" label=${`Column ${title(column)}`} align="end" items=${headItems({ column, pinned, sortable, onOrder, onReplace, onResize, onPin, onHide, onGroup })} /></span
    ><${Edge} name=${title(column)} width=${width} onWidth=${onWidth} />`;
}

/** @param {{ column: Column, pinned: boolean, sortable: boolean, onOrder: (order: string) => void, onReplace: (column: Column) => void, onResize: () => void, onPin: () => void, onHide: () => void, onGroup: () => void }} props
 * @returns {import("../../ui/menu.js").Item[]} */
function headItems({ column, pinned, sortable, onOrder, onReplace, onResize, onPin, onHide, onGroup }) {
  /** @type {import("../../ui/menu.js").Item[]} */
  const items = [];
  if (sortable) {
    items.push({ label: "Smallest first", icon: "up", call: () => onOrder(column.id) }, { label: "Greatest first", icon: "down", call: () => onOrder(`-${column.id}`) });
  }
  if (column.kind === "metric" || column.kind === "curve") items.push(...valueItems(column, onReplace));
  if (column.kind === "param" || column.kind === "tag" || column.key === "status") items.push({ label: "Group by this", icon: "group", call: onGroup });
  items.push(
    { label: pinned ? "Unpin" : "Pin at the left", icon: "pin", call: onPin },
    { label: "Width: arrow keys", icon: "columns", call: onResize },
    { label: "Hide", icon: "close", call: onHide },
  );
  return items;
}

/** @param {Column} column @param {(column: Column) => void} onReplace @returns {import("../../ui/menu.js").Item[]} */
function valueItems({ kind, key, aggregate }, onReplace) {
  const end = best(key);
  const choices = /** @type {const} */ ([
    ["Last value", "metric", "last"],
    [`${end === "min" ? "Best: s" : "S"}mallest value`, "metric", "min"],
    [`${end === "max" ? "Best: g" : "G"}reatest value`, "metric", "max"],
    ["Curve", "curve", "last"],
  ]);
  return choices.map(([label, wanted, how]) => ({
    label,
    icon: wanted === kind && how === aggregate ? "check" : undefined,
    call: () => onReplace(newColumn(wanted, key, how)),
  }));
}
