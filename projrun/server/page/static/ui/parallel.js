// @ts-check
/** Parallel coordinates: each run a line through all columns. Drag on an axis to keep only the runs between two values. */

import { axisTicks, dimension, pixels } from "../lib/dimensions.js";
import { number } from "../lib/format.js";
import { html, useMemo, useRef, useState } from "../lib/preact.js";
import { scale } from "../lib/ticks.js";
import { clipped, ColourLegend, colourBy, Figure, useWidth } from "./figure.js";

/** @typedef {import("./scatter.js").Column & { id: string }} Column */
/** @typedef {import("./figure.js").Point} Point */
/** @typedef {import("../lib/dimensions.js").Dimension} Dimension */
/** @typedef {Record<string, [number, number]>} Brushes by the id of the column: a param may be named like a metric */

const HEIGHT = 380;
const TOP = 44;
const BOTTOM = HEIGHT - 20;

/** @param {{ points: Point[], columns: Column[], colour: import("./scatter.js").Column | null, brushes: Brushes, onBrush: (brushes: Brushes) => void, onOpen: (run: string) => void }} props */
export function Parallel({ points, columns, colour, brushes, onBrush, onOpen }) {
  const [place, available] = useWidth(900);
  const [near, setNear] = useState("");
  const axes = useMemo(() => columns.map((column) => dimension(column.name, column.cells, column.log)), [columns]);
  const third = useMemo(() => colour && dimension(colour.name, colour.cells), [colour?.name, colour?.cells]);
  const width = Math.max(available, columns.length * 110);
  const left = (/** @type {number} */ index) => 60 + (index * (width - 120)) / Math.max(1, axes.length - 1);
  const tops = axes.map((axis) => pixels(axis, [BOTTOM, TOP]));
  const kept = points.map((_, index) => axes.every((axis, at) => within(axis.places[index], brushes[columns[at].id])));
  const path = (/** @type {number} */ index) => {
    let pen = "M";
    return axes.map((axis, at) => {
      const value = axis.places[index];
      if (value === null) return ((pen = "M"), "");
      const part = `${pen}${left(at).toFixed(1)} ${tops[at](value).toFixed(1)}`;
      pen = "L";
      return part;
    }).join("");
  };
  const order = points.map((_, index) => index).sort((one, other) => Number(kept[one]) - Number(kept[other]));
  const rows = [["run", ...columns.map((column) => column.name)], ...points.flatMap((point, index) => (kept[index] ? [[point.label, ...columns.map((column) => column.cells[index])]] : []))];
  const many = kept.filter(Boolean).length;
  const brushed = Object.keys(brushes).length > 0;
  const tools = html`<span class="chart-note">${many} of ${points.length} runs</span>${brushed && html`<button type="button" class="button quiet" onClick=${() => onBrush({})}>Reset</button>`}`;
  return html`<${Figure} title="Parallel coordinates" rows=${rows} tools=${tools}>
    <div class="figure wide" ref=${place}>
      <svg class="drawing" width=${width} height=${HEIGHT} role="group" aria-label=${`Parallel coordinates of ${columns.length} columns and ${points.length} runs; the values are in the table below`}>
        ${order.map(
          (index) => html`<path
            key=${points[index].run}
            class=${`thread ${kept[index] ? "" : "left-out"} ${near === points[index].run ? "near" : ""}`}
            d=${path(index)}
            style=${kept[index] ? { stroke: colourBy(third, index) } : undefined}
            onPointerEnter=${() => setNear(points[index].run)}
            onPointerLeave=${() => setNear("")}
            onClick=${() => onOpen(points[index].run)}
          ><title>${points[index].label}</title></path>`,
        )}
        ${axes.map(
          (axis, at) => html`<${Axis} key=${columns[at].id} axis=${axis} left=${left(at)} brush=${brushes[columns[at].id]} onBrush=${(/** @type {[number, number] | null} */ range) => onBrush(changed(brushes, columns[at].id, range))} />`,
        )}
      </svg>
    </div>
    <${ColourLegend} axis=${third} />
  </${Figure}>`;
}

/** @param {number | null} place @param {[number, number] | undefined} brush */
function within(place, brush) {
  return !brush || (place !== null && place >= brush[0] && place <= brush[1]);
}

/** @param {Brushes} brushes @param {string} id @param {[number, number] | null} range @returns {Brushes} */
function changed(brushes, id, range) {
  const rest = Object.fromEntries(Object.entries(brushes).filter(([key]) => key !== id));
  return range ? { ...rest, [id]: range } : rest;
}

/** @param {{ axis: Dimension, left: number, brush: [number, number] | undefined, onBrush: (range: [number, number] | null) => void }} props */
function Axis({ axis, left, brush, onBrush }) {
  const start = useRef(/** @type {number | null} */ (null));
  const [drag, setDrag] = useState(/** @type {[number, number] | null} */ (null));
  const top = pixels(axis, [BOTTOM, TOP]);
  const valueAt = (/** @type {number} */ y) => {
    const share = scale([BOTTOM, TOP], [0, 1])(Math.min(BOTTOM, Math.max(TOP, y)));
    const [low, high] = axis.range;
    return axis.log ? low * (high / low) ** share : low + share * (high - low);
  };
  const ordered = (/** @type {number} */ one, /** @type {number} */ other) => /** @type {[number, number]} */ (one < other ? [one, other] : [other, one]);
  const end = () => {
    const moved = drag && Math.abs(top(drag[0]) - top(drag[1])) > 4;
    onBrush(moved ? drag : null);
    start.current = null;
    setDrag(null);
  };
  const shown = drag ?? brush;
  const keys = (/** @type {KeyboardEvent} */ event) => {
    const [low, high] = brush ?? axis.range;
    const step = (axis.range[1] - axis.range[0]) / 20;
    /** @type {Record<string, [number, number] | null>} */
    const changes = { ArrowUp: [low + step, high], ArrowDown: [low, high - step], Escape: null, Delete: null };
    if (!(event.key in changes)) return;
    event.preventDefault();
    onBrush(changes[event.key]);
  };
  return html`<g class="axis upright">
    <path d=${`M${left} ${TOP}V${BOTTOM}`} />
    <text class="axis-name" x=${left} y=${TOP - 22} text-anchor="middle">${clipped(axis.name, 18)}<title>${axis.name}</title></text>
    ${axisTicks(axis, 6, (value) => number(value, 3)).map((tick) => html`<text x=${left + 6} y=${top(tick.at) + 4}>${clipped(tick.text, 12)}</text>`)}
    ${shown && html`<rect class="brush" x=${left - 8} width="16" y=${top(shown[1])} height=${Math.max(1, top(shown[0]) - top(shown[1]))} />`}
    <rect
      class="brush-area"
      x=${left - 14}
      width="28"
      y=${TOP}
      height=${BOTTOM - TOP}
      tabindex="0"
      role="slider"
      aria-orientation="vertical"
      aria-label=${`Limit ${axis.name}: arrow up raises the least value, arrow down lowers the greatest, Escape shows all`}
      aria-valuemin=${axis.range[0]}
      aria-valuemax=${axis.range[1]}
      aria-valuenow=${(brush ?? axis.range)[0]}
      aria-valuetext=${brush ? `${number(brush[0], 3)} to ${number(brush[1], 3)}` : "all"}
      onKeyDown=${keys}
      onPointerDown=${(/** @type {PointerEvent} */ event) => {
        /** @type {Element} */ (event.target).setPointerCapture(event.pointerId);
        start.current = valueAt(event.offsetY);
        setDrag([start.current, start.current]);
      }}
      onPointerMove=${(/** @type {PointerEvent} */ event) => start.current !== null && setDrag(ordered(start.current, valueAt(event.offsetY)))}
      onPointerUp=${end}
    />
  </g>`;
}
