// @ts-check
/** Values as people read them. */

const DATE = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
/** Clocks of two machines may differ by so many seconds. */
const CLOCKS = 300;
/** ECMAScript has no dates after this. */
const LAST_DATE = 8.64e15;
const COUNT = new Intl.NumberFormat("en");

/** A metric as the server sends it: JSON has neither NaN nor the infinities, which are texts.
 * @param {unknown} value @returns {number} */
export function toNumber(value) {
  return typeof value === "number" ? value : Number(value);
}

/** A number in few digits: 0.123457, 1.5e-7, 12,345.
 * @param {unknown} value @param {number} [digits] @returns {string} */
export function number(value, digits = 6) {
  const found = toNumber(value);
  if (!Number.isFinite(found)) return Number.isNaN(found) ? "NaN" : found > 0 ? "∞" : "−∞";
  if (Number.isInteger(found) && Math.abs(found) < 1e15) return COUNT.format(found).replace("-", "−");
  const size = Math.abs(found);
  return size >= 1e-4 && size < 1e7 ? String(Number(found.toPrecision(digits))).replace("-", "−") : exponential(found, digits);
}

/** 1.2346e8, however many digits it has. @param {number} value finite or not @param {number} [digits] @returns {string} */
export function exponential(value, digits = 6) {
  return Number.isFinite(value) ? short(value.toExponential(digits - 2)).replace("-", "−").replace("e−", "e-") : number(value);
}

/** @param {string} text of an exponential number */
function short(text) {
  return text.replace(/\.?0*e\+?/, "e");
}

/** A number with all its digits, for titles. @param {unknown} value */
export function whole(value) {
  return String(toNumber(value));
}

/** @param {number} value */
export function count(value) {
  return COUNT.format(value);
}

/** `3 runs`, `1 run`.
 * @param {number} value @param {string} word @param {string} [words] */
export function counted(value, word, words = `${word}s`) {
  return `${COUNT.format(value)} ${value === 1 ? word : words}`;
}

/** A clock may say anything: what is no date is shown as the number that it is. @param {number} milliseconds since 1970 @param {(time: number) => string} text */
function dated(milliseconds, text) {
  return Math.abs(milliseconds) <= LAST_DATE ? text(milliseconds) : `${number(milliseconds)} ms after 1970`;
}

/** @param {number | undefined} milliseconds since 1970 */
export function date(milliseconds) {
  return milliseconds ? dated(milliseconds, DATE.format) : "";
}

/** To the second, as people of this place write it. @param {number} milliseconds since 1970 */
export function localDate(milliseconds) {
  return dated(milliseconds, (time) => new Date(time).toLocaleString());
}

/** ISO 8601, for files and columns. @param {number} milliseconds since 1970 */
export function isoDate(milliseconds) {
  return dated(milliseconds, (time) => new Date(time).toISOString());
}

/** @param {number | undefined} milliseconds since 1970 */
export function exactDate(milliseconds) {
  return milliseconds ? dated(milliseconds, EXACT.format) : "";
}

const AGES = /** @type {const} */ ([
  [60, 1, "s"],
  [3600, 60, "min"],
  [86400, 3600, "h"],
  [86400 * 14, 86400, "d"],
]);

/** How long ago something was; after two weeks its date.
 * @param {number | undefined} milliseconds since 1970 @param {number} [now] */
export function ago(milliseconds, now = Date.now()) {
  if (!milliseconds) return "";
  const seconds = Math.round((now - milliseconds) / 1000);
  if (Math.abs(seconds) < 5) return "now";
  const age = seconds > -CLOCKS && AGES.find(([below]) => seconds < below);
  if (age && seconds < 0) return "now";
  return age ? `${Math.floor(seconds / age[1])} ${age[2]} ago` : dated(milliseconds, DAY.format);
}

/** 850 ms, 12.3 s, 4 min 5 s, 3 h 12 min, 2 d 4 h.
 * @param {number | undefined} milliseconds */
export function duration(milliseconds) {
  if (milliseconds === undefined || !Number.isFinite(milliseconds) || milliseconds < 0) return "";
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
}

/** 512 B, 1.5 kB, 20 MB.
 * @param {number | undefined} size */
export function bytes(size) {
  if (size === undefined) return "";
  const power = Math.min(4, Math.max(0, Math.floor(Math.log10(Math.max(1, size)) / 3)));
  const value = size / 1000 ** power;
  return `${power && value < 10 ? value.toFixed(1) : Math.round(value)} ${["B", "kB", "MB", "GB", "TB"][power]}`;
}

/** Names in the order of people: `step 2` before `step 10`. @param {string} one @param {string} other */
export function byName(one, other) {
  return one.localeCompare(other, "en", { numeric: true });
}
