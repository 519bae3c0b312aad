// @ts-check
/** What a chart draws: from the recorded points of a metric to x positions, lines, gaps and marks. */
import { smooth } from "./smoothing.js";
import { drawable } from "./ticks.js";

/**
 * One metric of one run: `xs` are steps, or seconds since the run's start or since 1970. `total` counts the points that
 * were recorded; `rough` says that the server is still looking for the peaks.
 * @typedef {{run: string, label: string, key: string, xs: number[], values: number[], total?: number, rough?: boolean}} Curve
 */
/** @typedef {"step" | "relative" | "wall"} Axis */
/** @typedef {{axis: Axis, logX: boolean, logY: boolean, smoothing: number}} Settings */
/** @typedef {{x: number, kind: "nan" | "inf" | "-inf"}} Mark */
/**
 * A curve on its axes: `raw` and `line` are aligned with `xs`; NaN in them is a gap.
 * @typedef {{curve: Curve, xs: number[], raw: number[], line: number[], marks: Mark[], unshown: number}} Shape
 */
/** @typedef {[number, number]} Range */

/** @type {Settings} */
export const PLAIN = { axis: "step", logX: false, logY: false, smoothing: 0 };

/**
 * @param {Curve} curve
 * @param {Settings} settings
 * @returns {Shape}
 */
export function shape(curve, settings) {
  const order = ordered(curve.xs);
  const values = order.indexes ? order.indexes.map((index) => curve.values[index]) : curve.values;
  const smoothed = smooth(values, settings.smoothing);
  /** @type {Shape} */
  const answer = { curve, xs: [], raw: [], line: [], marks: [], unshown: 0 };
  for (let index = 0; index < values.length; index += 1) {
    const x = order.xs[index];
    if (settings.logX && !(x > 0)) {
      answer.unshown += 1;
      continue;
    }
    const value = values[index];
    const kind = notFinite(value);
    if (kind) answer.marks.push({ x, kind });
    const drawable = !kind && !(settings.logY && value <= 0);
    if (!kind && !drawable) answer.unshown += 1;
    answer.xs.push(x);
    answer.raw.push(drawable ? value : NaN);
    answer.line.push(drawable && !(settings.logY && smoothed[index] <= 0) ? smoothed[index] : NaN);
  }
  return answer;
}

/**
 * Points that came out of order (a resumed run, a clock set back) are drawn from left to right.
 * @param {number[]} xs
 * @returns {{xs: number[], indexes: number[] | null}}
 */
function ordered(xs) {
  let sorted = true;
  for (let index = 1; index < xs.length && sorted; index += 1) sorted = xs[index - 1] <= xs[index];
  if (sorted) return { xs, indexes: null };
  const indexes = xs.map((_, index) => index).sort((one, other) => xs[one] - xs[other] || one - other);
  return { xs: indexes.map((index) => xs[index]), indexes };
}

/**
 * @param {number} value
 * @returns {Mark["kind"] | null}
 */
function notFinite(value) {
  if (Number.isFinite(value)) return null;
  return value === Infinity ? "inf" : value === -Infinity ? "-inf" : "nan";
}

/**
 * The index of the value nearest to x, -1 where there is none. `xs` is sorted.
 * @param {ArrayLike<number>} xs
 * @param {number} x
 * @returns {number}
 */
export function nearest(xs, x) {
  let low = 0;
  let high = xs.length - 1;
  if (high < 0) return -1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] < x) low = middle;
    else high = middle;
  }
  return x - xs[low] <= xs[high] - x ? low : high;
}

/**
 * The part of the plane that shows all shapes, or all of them between two x positions.
 * @param {Shape[]} shapes
 * @param {Settings} settings
 * @param {Range | null} zoom
 * @returns {{x: Range, y: Range}}
 */
export function bounds(shapes, settings, zoom) {
  /** @type {Range} */
  const x = zoom ? [zoom[0], zoom[1]] : [Infinity, -Infinity];
  /** @type {Range} */
  const y = [Infinity, -Infinity];
  for (const each of shapes) {
    const [first, last] = zoom ? [zoom[0], zoom[1]] : [-Infinity, Infinity];
    for (let index = 0; index < each.xs.length; index += 1) {
      const at = each.xs[index];
      if (at < first || at > last) continue;
      if (!zoom) widen(x, at);
      widen(y, each.raw[index]);
      widen(y, each.line[index]);
    }
  }
  return { x: padded(x, settings.logX, 0), y: padded(y, settings.logY, 0.05) };
}

/**
 * @param {Range} range
 * @param {number} value
 */
function widen(range, value) {
  if (value < range[0]) range[0] = value;
  if (value > range[1]) range[1] = value;
}

/**
 * @param {Range} range
 * @param {boolean} log
 * @param {number} share how much of the range is left free on either side
 * @returns {Range}
 */
export function padded(range, log, share) {
  let [low, high] = range;
  if (!(low <= high)) return log ? [1, 10] : [0, 1];
  if (log) {
    const ratio = high > low ? (high / low) ** share : 2;
    return drawable(low / ratio, high * ratio, true);
  }
  if (low === high) {
    // In the middle: at the edge, a point would be half of one.
    const room = (share && Math.abs(low) * 0.1) || 1;
    return drawable(low - room, high + room);
  }
  const room = share && (high - low) * share;
  return drawable(low - room, high + room);
}

/**
 * What a table beside the chart says about a curve.
 * @param {Curve} curve
 * @returns {{points: number, first: number, least: number, greatest: number, last: number, lastX: number}}
 */
export function summary(curve) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of curve.values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const end = curve.values.length - 1;
  return {
    points: curve.total ?? curve.values.length,
    first: end < 0 ? NaN : curve.values[0],
    least: low <= high ? low : NaN,
    greatest: low <= high ? high : NaN,
    last: end < 0 ? NaN : curve.values[end],
    lastX: end < 0 ? NaN : curve.xs[end],
  };
}
