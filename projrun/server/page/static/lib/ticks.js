// @ts-check
/** Round positions for the axes of charts that are drawn as SVG. */

/** Differences of axes beyond this would not be finite. */
const GREATEST = 1e300;
/** Of its values: an axis that is shorter could not be divided. */
const NARROW = 1e-12;

/**
 * A range that can be drawn and divided by steps: finite, above 0 where it is logarithmic, and so wide that a step on it is
 * more than the numbers' own precision.
 * @param {number} low @param {number} high @param {boolean} [log] @returns {[number, number]}
 */
export function drawable(low, high, log = false) {
  const least = Math.min(GREATEST / 10, Math.max(log ? 1 / GREATEST : -GREATEST, low));
  const most = Math.max(least, Math.min(GREATEST, high));
  if (log) return [least, Math.max(most, least * (1 + NARROW))];
  const short = Math.max(Math.abs(least), Math.abs(most), 1 / GREATEST) * NARROW - (most - least);
  return short > 0 ? [least - short / 2, most + short / 2] : [least, most];
}

/**
 * @param {number} low
 * @param {number} high
 * @param {number} wanted about how many
 * @returns {number[]}
 */
export function ticks(low, high, wanted) {
  if (!(high > low) || !Number.isFinite(high - low)) return Number.isFinite(low) ? [low] : [];
  const rough = (high - low) / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((each) => each * power >= rough) ?? 10;
  const step = factor * power;
  const answer = [];
  for (let index = Math.ceil(low / step); index * step <= high + step * 1e-9; index += 1) {
    answer.push(Number((index * step).toPrecision(12)));
  }
  return answer;
}

/**
 * Powers of ten, with 2 and 5 between them where there are few.
 * @param {number} low
 * @param {number} high
 * @returns {number[]}
 */
export function logTicks(low, high) {
  const answer = [];
  const few = Math.log10(high / low) < 3;
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    for (const factor of few ? [1, 2, 5] : [1]) {
      const value = Number(`${factor}e${power}`);
      if (value >= low && value <= high) answer.push(value);
    }
  }
  return answer;
}

/**
 * From values to pixels.
 * @param {[number, number]} range
 * @param {[number, number]} pixels
 * @param {boolean} [log]
 * @returns {(value: number) => number}
 */
export function scale(range, pixels, log) {
  const at = log ? Math.log10 : (/** @type {number} */ value) => value;
  const low = at(range[0]);
  const size = at(range[1]) - low || 1;
  return (value) => pixels[0] + ((at(value) - low) / size) * (pixels[1] - pixels[0]);
}

/**
 * Text as XML has it: names of runs and metrics are what others wrote.
 * @param {string} text
 * @returns {string}
 */
export function xmlText(text) {
  const marks = /** @type {Record<string, string>} */ ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" });
  // Characters that XML 1.0 does not have at all.
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd").replace(/[&<>"]/g, (mark) => marks[mark]);
}
