// @ts-check
/**
 * A table of any number of rows and columns, of which only those in sight are drawn. Rows have one height; the first
 * columns may be pinned.
 */

import { Component, html, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../lib/preact.js";

export const ROW = 32;
const BLOCK = 8; // rows that come and go together: the browser moves their layer, and draws it once
const SETTLED = 200; // milliseconds without scrolling after which the blocks' elements are put in order

/** @typedef {{ id: string, width: number, class?: string, sort?: "ascending" | "descending" }} GridColumn */
/** @typedef {{ first: number, last: number, left: number, right: number, held: number, aside: boolean }} Sight Of blocks, and of columns that are not pinned. `held` blocks have elements. */
/** @typedef {Sight & { settled: number }} Range `settled` was the first block when the scrolling last ended: its element is still the first. */
/**
 * @typedef {object} GridProps
 * @property {string} label
 * @property {number} count of rows
 * @property {readonly GridColumn[]} columns
 * @property {number} pinned how many of the columns stay at the left
 * @property {unknown} version another one where all rows are to be drawn again
 * @property {(row: number) => unknown} stamp of one row: another one where it is to be drawn again
 * @property {unknown} drawn another one where some row's stamp may be another one
 * @property {number} current the row that the keyboard is at
 * @property {(column: GridColumn, index: number) => any} head
 * @property {(row: number, column: GridColumn) => any} cell
 * @property {(row: number) => { class?: string, selected?: boolean, level?: number, expanded?: boolean }} look
 * @property {(range: { rows: [number, number], columns: readonly GridColumn[] }) => void} onSee what is drawn now
 */

/** @param {GridProps} props */
export function Grid(props) {
  const { label, count, columns, pinned, version, stamp, drawn, current, head, cell, look, onSee } = props;
  const scroller = useRef(/** @type {HTMLElement | null} */ (null));
  const places = useMemo(() => placesOf(columns, pinned), [columns, pinned]);
  const range = useRange(scroller, count, places);
  const seen = useMemo(
    () => [...columns.slice(0, pinned), ...columns.slice(range.left, range.right)],
    [columns, pinned, range.left, range.right],
  );
  useEffect(() => onSee({ rows: [range.first * BLOCK, Math.min(range.last * BLOCK, count)], columns: seen }), [range.first, range.last, count, seen, version, drawn]);
  useLayoutEffect(() => showRow(scroller.current, current), [current]);
  // Fewer columns may have come since it was measured.
  const shared = { version, columns, places, pinned, left: range.left, right: Math.min(range.right, columns.length) };
  const row = (/** @type {number} */ index) =>
    html`<${Row} key=${index % BLOCK} index=${index} stamp=${stamp(index)} cell=${cell} look=${look} current=${index === current} ...${shared} />`;
  const blocks = blocksOf(range).map((block) => {
    const rows = Array.from({ length: Math.min(BLOCK, count - block * BLOCK) }, (_, at) => row(block * BLOCK + at));
    return html`<div key=${block % range.held} class="grid-block" role="presentation" style=${{ transform: `translateY(${block * BLOCK * ROW}px)` }}>${rows}</div>`;
  });
  return html`<div class=${range.aside ? "grid aside" : "grid"} role="grid" aria-label=${label} aria-rowcount=${count + 1} aria-colcount=${columns.length} tabindex="0" ref=${scroller}>
    <div class="grid-head" role="rowgroup" style=${{ width: `${places.total}px` }}>
      <${HeadRow} head=${head} ...${shared} />
    </div>
    <div class="grid-body" role="rowgroup" style=${{ height: `${count * ROW}px`, width: `${places.total}px` }}>${blocks}</div>
  </div>`;
}

/**
 * The blocks, in the order of their elements. One that leaves on one side becomes the next on the other: changing its texts
 * costs less than new elements, or than moving its own before the scrolling ends.
 * @param {Range} range
 */
function blocksOf({ first, last, held, settled }) {
  const from = first - (first % held);
  return Array.from({ length: held }, (_, number) => {
    const block = from + ((settled + number) % held);
    return block < first ? block + held : block;
  }).filter((block) => block < last);
}

/** The cells of one line. @param {any} props */
function Line({ columns, places, pinned, left, right, role, draw }) {
  const one = (/** @type {number} */ index) => {
    const column = columns[index];
    return html`<div
      key=${column.id}
      class=${`grid-cell ${column.class ?? ""}`}
      role=${role}
      aria-colindex=${index + 1}
      aria-sort=${role === "columnheader" ? column.sort : undefined}
      style=${places.styles[index]}
    >
      ${draw(column, index)}
    </div>`;
  };
  const inSight = [];
  for (let index = Math.max(left, pinned); index < right; index += 1) inSight.push(one(index));
  return html`<div class="grid-pins" role="presentation" style=${{ width: `${places.pins}px` }}>
      ${Array.from({ length: pinned }, (_, index) => one(index))}
    </div>
    ${inSight}`;
}

const SHARED = ["version", "left", "right", "columns", "places"];

class HeadRow extends Component {
  /** @param {any} next */
  shouldComponentUpdate(next) {
    return SHARED.some((name) => next[name] !== /** @type {any} */ (this.props)[name]);
  }

  render() {
    const { head, ...rest } = /** @type {any} */ (this.props);
    return html`<div class="grid-row" role="row" aria-rowindex="1"><${Line} ...${rest} role="columnheader" draw=${head} /></div>`;
  }
}

/** Drawn again only where something of it changed: scrolling draws only the rows that come. */
class Row extends Component {
  /** @param {any} next */
  shouldComponentUpdate(next) {
    const now = /** @type {any} */ (this.props);
    return ["index", "stamp", "current", ...SHARED].some((name) => next[name] !== now[name]);
  }

  render() {
    const { index, cell, look, current, ...rest } = /** @type {any} */ (this.props);
    const { class: more = "", selected, level, expanded } = look(index);
    return html`<div
      class=${`grid-row ${more} ${current ? "current" : ""}`}
      role="row"
      aria-rowindex=${index + 2}
      aria-selected=${selected}
      aria-level=${level}
      aria-expanded=${expanded}
      data-index=${index}
      style=${{ top: `${(index % BLOCK) * ROW}px` }}
    >
      <${Line} ...${rest} role="gridcell" draw=${(/** @type {GridColumn} */ column) => cell(index, column)} />
    </div>`;
  }
}

/** @param {readonly GridColumn[]} columns @param {number} pinned */
function placesOf(columns, pinned) {
  /** @type {number[]} */
  const lefts = [];
  /** Texts, the same for all rows: those are compared at once where a row shows another one. @type {string[]} */
  const styles = [];
  let total = 0;
  let pins = 0;
  for (const [index, column] of columns.entries()) {
    if (index === pinned) pins = total;
    lefts.push(total);
    styles.push(`left:${total}px;width:${column.width}px`);
    total += column.width;
  }
  return { lefts, styles, total, pins: pinned >= columns.length ? total : pins };
}

/** What is in sight, measured when something scrolls or is resized.
 * @param {{ current: HTMLElement | null }} scroller @param {number} count @param {ReturnType<typeof placesOf>} places @returns {Range} */
function useRange(scroller, count, places) {
  const [range, setRange] = useState(/** @type {Range} */ ({ first: 0, last: 0, left: 0, right: 0, held: 1, aside: false, settled: 0 }));
  const measure = useCallback(() => {
    const element = scroller.current;
    if (!element) return;
    const next = rangeOf(element, count, places);
    setRange((old) => (same(old, next) ? old : { ...next, settled: old.settled }));
  }, [count, places]);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return undefined;
    measure();
    const watching = new ResizeObserver(measure);
    watching.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    return () => {
      watching.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, [measure]);
  useEffect(() => {
    const settling = setTimeout(() => setRange((old) => (old.settled === old.first ? old : { ...old, settled: old.first })), SETTLED);
    return () => clearTimeout(settling);
  }, [range.first]);
  return range;
}

/** @param {HTMLElement} element @param {number} count @param {ReturnType<typeof placesOf>} places @returns {Sight} */
function rangeOf({ scrollTop, scrollLeft, clientHeight, clientWidth }, count, { lefts, pins }) {
  // A block more above and below, so that scrolling shows no gaps.
  const top = Math.floor(scrollTop / ROW / BLOCK);
  const held = Math.ceil(clientHeight / ROW / BLOCK) + 3;
  const first = Math.max(0, top - 1);
  const last = Math.min(Math.ceil(count / BLOCK), top - 1 + held);
  const from = scrollLeft + pins - 200;
  const to = scrollLeft + clientWidth + 200;
  const right = lefts.findIndex((left) => left > to);
  const left = lefts.findLastIndex((each) => each <= from);
  return { first, last, left: Math.max(0, left), right: right < 0 ? lefts.length : right, held, aside: scrollLeft > 0 };
}

/** @param {Sight} one @param {Sight} other */
function same(one, other) {
  return /** @type {(keyof Sight)[]} */ (Object.keys(other)).every((name) => one[name] === other[name]);
}

/** @param {HTMLElement | null} element @param {number} index */
function showRow(element, index) {
  if (!element || index < 0) return;
  const top = index * ROW;
  const room = element.clientHeight - 2 * ROW;
  if (top < element.scrollTop) element.scrollTop = top;
  else if (top > element.scrollTop + room) element.scrollTop = top - room;
}
