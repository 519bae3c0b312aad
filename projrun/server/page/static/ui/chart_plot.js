// @ts-check
/** What uPlot does of a chart: axes, grid, cursor, and the drag that zooms. */

import { duration, localDate, number } from "../lib/format.js";
import uPlot from "../vendor/uplot.js";
import { drawCurves } from "./chart_draw.js";
import { colourOf } from "./theme.js";

/** @typedef {import("./chart.js").Figure} Figure */
/** @typedef {import("../lib/curves.js").Axis} Axis */
/** @typedef {import("../lib/curves.js").Range} Range */
/**
 * @typedef {object} Wanted
 * @property {{ current: { figure: Figure, onZoom: (zoom: Range | null) => void } }} latest
 * @property {import("../lib/hub.js").Hub} hub
 * @property {number} width
 * @property {number} height
 */

/** Steps are whole numbers, and times are not decimal. */
const POWERS = Array.from({ length: 15 }, (_, index) => 10 ** index);
const TIMES = [0.001, 0.01, 0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800, 2592000];
const FONT = "11px system-ui, sans-serif";

/** @param {Wanted} wanted @returns {uPlot.Options} */
export function plotOptions({ latest, hub, width, height }) {
  const { axis, logX, logY } = latest.current.figure.settings;
  const ink = colourOf("--muted");
  const grid = { stroke: colourOf("--line"), width: 1 };
  /** @type {uPlot.Axis} */
  const common = { stroke: ink, font: FONT, grid, ticks: { show: false }, gap: 4 };
  const range = (/** @type {"x" | "y"} */ name) => () => latest.current.figure.range[name];
  return {
    width,
    height,
    legend: { show: false },
    scales: {
      x: { time: axis === "wall", distr: logX ? 3 : 1, range: range("x") },
      y: { distr: logY ? 3 : 1, range: range("y") },
    },
    axes: [
      { ...common, ...xAxis(axis) },
      { ...common, size: labelWidth, values: (_, values) => values.map(tickText((value) => number(value, 4))) },
    ],
    series: [{}],
    cursor: {
      drag: { x: true, y: false, setScale: false },
      bind: { dblclick: () => () => (latest.current.onZoom(null), null) },
    },
    hooks: {
      draw: [(plot) => drawCurves(plot.ctx, planeOf(plot), latest.current.figure.drawing)],
      setCursor: [(plot) => tellCursor(plot, hub)],
      setSelect: [(plot) => zoomToSelection(plot, latest.current.onZoom)],
    },
  };
}

/** @param {Axis} axis @returns {uPlot.Axis} */
function xAxis(axis) {
  if (axis === "wall") return { size: 40 };
  const text = tickText(xText(axis));
  /** @type {uPlot.Axis} */
  const common = { size: 24, space: 70, values: (_, values) => values.map(text) };
  if (axis === "step") return { ...common, incrs: [1, 2, 5].flatMap((each) => POWERS.map((power) => each * power)).sort((a, b) => a - b) };
  return { ...common, incrs: TIMES };
}

/** Where values are on the canvas of a plot. @param {uPlot} plot @returns {import("./chart_draw.js").Plane} */
export function planeOf(plot) {
  const { left, top, width, height } = plot.bbox;
  const x = linear(plot.scales.x, left, width);
  const y = linear(plot.scales.y, top + height, -height);
  const range = /** @type {[number, number]} */ ([plot.scales.x.min ?? 0, plot.scales.x.max ?? 1]);
  return { box: plot.bbox, x, y, range, ratio: devicePixelRatio };
}

/** Much faster than uPlot's own valToPos. @param {uPlot.Scale} scale @param {number} start @param {number} size */
function linear(scale, start, size) {
  const low = scale.min ?? 0;
  const high = scale.max ?? 1;
  if (scale.distr !== 3) {
    const factor = size / (high - low || 1);
    return (/** @type {number} */ value) => start + (value - low) * factor;
  }
  const first = Math.log10(low);
  const factor = size / (Math.log10(high) - first || 1);
  return (/** @type {number} */ value) => start + (Math.log10(value) - first) * factor;
}

/** @param {Axis} axis @returns {(value: number) => string} */
export function xText(axis) {
  if (axis === "relative") return (value) => (value < 0 ? "" : value === 0 ? "0" : duration(value * 1000).replace(/(?<=[a-z]) 0 (s|min|h)$/, "").replace(/\.0(?= s)/, ""));
  if (axis === "wall") return (value) => localDate(value * 1000);
  return (value) => number(value, 6);
}

/** Axes that are logarithmic leave some values out. @param {(value: number) => string} text */
function tickText(text) {
  return (/** @type {number | null} */ value) => (value === null || value === undefined ? "" : text(value));
}

/** @param {uPlot} _ @param {string[] | null} labels */
function labelWidth(_, labels) {
  const longest = Math.max(3, ...(labels ?? []).map((label) => label.length));
  return Math.ceil(longest * 6.4) + 10;
}

/** @param {uPlot} plot @param {import("../lib/hub.js").Hub} hub */
function tellCursor(plot, hub) {
  const left = plot.cursor.left ?? -1;
  // A plot that is drawn again tells of its cursor, too; only the one below the pointer counts.
  if (left >= 0 && !plot.over.matches(":hover")) return;
  hub.set({ x: left < 0 ? null : plot.posToVal(left, "x"), source: plot });
}

/** @param {uPlot} plot @param {(zoom: Range | null) => void} onZoom */
function zoomToSelection(plot, onZoom) {
  const { left, width } = plot.select;
  if (width < 4) return;
  const zoom = /** @type {Range} */ ([plot.posToVal(left, "x"), plot.posToVal(left + width, "x")]);
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  onZoom(zoom);
}
