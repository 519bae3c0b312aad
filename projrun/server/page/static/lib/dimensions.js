// @ts-check
/** Params and metrics of many runs as axes: numbers on a scale, other values as places in a row. */

import { byName } from "./format.js";
import { drawable, logTicks, scale, ticks } from "./ticks.js";

/** @typedef {string | number | null | undefined} Cell */
/**
 * @typedef {object} Dimension
 * @property {string} name
 * @property {boolean} numeric
 * @property {boolean} log
 * @property {[number, number]} range
 * @property {string[]} words the values of one that is not numeric
 * @property {(number | null)[]} places of the runs' values on the axis; null where a run has none
 */

const MOST_WORDS = 40;

/** @param {string} name @param {Cell[]} cells @param {boolean} [log] @returns {Dimension} */
export function dimension(name, cells, log = false) {
  const numbers = cells.map(asNumber);
  const given = cells.filter((cell) => cell !== null && cell !== undefined && cell !== "");
  const numeric = given.length > 0 && given.every((cell) => asNumber(cell) !== null || isNotFinite(cell));
  if (numeric) {
    const finite = /** @type {number[]} */ (numbers.filter((value) => value !== null && (!log || value > 0)));
    const low = finite.reduce((one, other) => Math.min(one, other), Infinity);
    const high = finite.reduce((one, other) => Math.max(one, other), -Infinity);
    return { name, numeric, log, range: roomy(low, high, log), words: [], places: numbers.map((value) => (value !== null && log && value <= 0 ? null : value)) };
  }
  const words = [...new Set(given.map(String))].sort(byName).slice(0, MOST_WORDS);
  const at = new Map(words.map((word, index) => [word, index]));
  return { name, numeric, log: false, range: [-0.5, Math.max(0.5, words.length - 0.5)], words, places: cells.map((cell) => (cell === null || cell === undefined ? null : at.get(String(cell)) ?? null)) };
}

/** @param {Cell} cell @returns {number | null} */
export function asNumber(cell) {
  if (cell === null || cell === undefined || (typeof cell === "string" && cell.trim() === "")) return null;
  const value = Number(cell);
  return Number.isFinite(value) ? value : null;
}

/** @param {Cell} cell */
function isNotFinite(cell) {
  return /^(nan|[-+]?inf(inity)?)$/i.test(String(cell).trim());
}

/** @param {number} low @param {number} high @param {boolean} log @returns {[number, number]} */
function roomy(low, high, log) {
  if (!(low <= high)) return log ? [1, 10] : [0, 1];
  if (log) return low === high ? drawable(low / 2, high * 2, true) : drawable(low / (high / low) ** 0.05, high * (high / low) ** 0.05, true);
  const room = low === high ? Math.abs(low) * 0.1 || 1 : (high - low) * 0.05;
  return drawable(low - room, high + room);
}

/** From a place on the axis to pixels. @param {Dimension} axis @param {[number, number]} pixels */
export function pixels(axis, pixels) {
  return scale(axis.range, pixels, axis.log);
}

/** What is written on the axis. @param {Dimension} axis @param {number} wanted @param {(value: number) => string} text @returns {{ at: number, text: string }[]} */
export function axisTicks(axis, wanted, text) {
  if (!axis.numeric) {
    const every = Math.max(1, Math.ceil(axis.words.length / Math.max(2, wanted * 2)));
    return axis.words.map((word, at) => ({ at, text: word })).filter((_, index) => index % every === 0);
  }
  const found = axis.log ? logTicks(...axis.range) : ticks(...axis.range, wanted);
  return found.map((at) => ({ at, text: text(at) }));
}

/** @typedef {{ name: string, count: number, low: number, first: number, median: number, third: number, high: number, mean: number, outliers: number[] }} Box */

/** Tukey's box of numbers: the whiskers end at the last values within 1.5 of its height. @param {string} name @param {number[]} values @returns {Box} */
export function box(name, values) {
  const sorted = [...values].sort((one, other) => one - other);
  const first = quantile(sorted, 0.25);
  const third = quantile(sorted, 0.75);
  const reach = 1.5 * (third - first);
  const inside = sorted.filter((value) => value >= first - reach && value <= third + reach);
  return {
    name,
    count: sorted.length,
    low: inside[0],
    first,
    median: quantile(sorted, 0.5),
    third,
    high: inside[inside.length - 1],
    mean: sorted.reduce((sum, value) => sum + value, 0) / sorted.length,
    outliers: sorted.filter((value) => value < first - reach || value > third + reach),
  };
}

/** Between two values, in proportion (as numpy does it). @param {number[]} sorted @param {number} share */
export function quantile(sorted, share) {
  const at = (sorted.length - 1) * share;
  const low = Math.floor(at);
  const rest = at - low;
  return rest ? sorted[low] * (1 - rest) + sorted[low + 1] * rest : sorted[low];
}

/** Values by the value of another column. @param {Cell[]} groups @param {Cell[]} values @returns {Box[]} */
export function boxes(groups, values) {
  /** @type {Map<string, number[]>} */
  const found = new Map();
  values.forEach((cell, index) => {
    const value = asNumber(cell);
    if (value === null) return;
    const name = groups[index] === null || groups[index] === undefined ? "none" : String(groups[index]);
    const list = found.get(name) ?? [];
    list.push(value);
    found.set(name, list);
  });
  const named = [...found].map(([name, list]) => box(name, list));
  return named.sort((one, other) => byName(one.name, other.name));
}

/** A colour between two for a number, or one of the series for a word. @param {Dimension | null} axis @param {number} index @returns {{ share: number | null, word: number | null }} */
export function shade(axis, index) {
  const place = axis?.places[index];
  if (!axis || place === null || place === undefined) return { share: null, word: null };
  if (!axis.numeric) return { share: null, word: place };
  const at = scale(axis.range, [0, 1], axis.log)(place);
  return { share: Math.min(1, Math.max(0, at)), word: null };
}
