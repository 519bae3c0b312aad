// @ts-check
/** ANSI escapes of a log: colours become class names, all other escapes are dropped. Nothing here makes HTML. */

/** @typedef {{text: string, classes: string}} Piece */

const ESCAPES = new RegExp(
  [
    "\\u001b\\[([0-9;:]*)m", // colours and weights
    "\\u001b\\[[0-?]*[ -/]*[@-~]", // all other control sequences
    "\\u001b[\\]PX^_][^\\u0007\\u001b]*(?:\\u0007|\\u001b\\\\)?", // titles, links, device strings
    "\\u001b[ -/]*[0-~]?",
    "[\\u0000-\\u0008\\u000b-\\u001a\\u001c-\\u001f\\u007f]",
  ].join("|"),
  "g",
);
const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/** @typedef {{bold: boolean, dim: boolean, italic: boolean, underline: boolean, colour: string, back: string}} Style */

/** @returns {Style} */
export function plainStyle() {
  return { bold: false, dim: false, italic: false, underline: false, colour: "", back: "" };
}

/**
 * The pieces of one line. The style goes on in the next line, as on a terminal: it is changed in place.
 * @param {string} line
 * @param {Style} [style]
 * @returns {Piece[]}
 */
export function pieces(line, style = plainStyle()) {
  const text = overwritten(line);
  /** @type {Piece[]} */
  const answer = [];
  let from = 0;
  for (const match of text.matchAll(ESCAPES)) {
    append(answer, text.slice(from, match.index), style);
    from = match.index + match[0].length;
    if (match[1] !== undefined) change(style, match[1]);
  }
  append(answer, text.slice(from), style);
  return answer;
}

/**
 * The line without escapes.
 * @param {string} line
 * @returns {string}
 */
export function withoutEscapes(line) {
  return overwritten(line).replace(ESCAPES, "");
}

/**
 * A carriage return writes a line again (progress bars): what was written last stays.
 * @param {string} line
 * @returns {string}
 */
function overwritten(line) {
  const ended = line.replace(/\r+$/, "");
  const last = ended.lastIndexOf("\r");
  return last < 0 ? ended : ended.slice(last + 1);
}

/**
 * @param {Piece[]} answer
 * @param {string} text
 * @param {Style} style
 */
function append(answer, text, style) {
  if (text) answer.push({ text, classes: classes(style) });
}

/**
 * @param {Style} style
 * @returns {string}
 */
function classes(style) {
  const answer = [];
  if (style.bold) answer.push("ansi-bold");
  if (style.dim) answer.push("ansi-dim");
  if (style.italic) answer.push("ansi-italic");
  if (style.underline) answer.push("ansi-underline");
  if (style.colour) answer.push(`ansi-${style.colour}`);
  if (style.back) answer.push(`ansi-on-${style.back}`);
  return answer.join(" ");
}

/**
 * @param {Style} style
 * @param {string} codes
 */
function change(style, codes) {
  const numbers = codes.split(/[;:]/).map(Number);
  for (let index = 0; index < numbers.length; index += 1) {
    const code = numbers[index];
    if (code === 38 || code === 48) {
      const [name, used] = extended(numbers.slice(index + 1));
      style[code === 38 ? "colour" : "back"] = name;
      index += used;
    } else apply(style, code);
  }
}

/**
 * @param {Style} style
 * @param {number} code
 */
function apply(style, code) {
  if (code === 0) Object.assign(style, plainStyle());
  else if (code === 1) style.bold = true;
  else if (code === 2) style.dim = true;
  else if (code === 3) style.italic = true;
  else if (code === 4) style.underline = true;
  else if (code === 22) style.bold = style.dim = false;
  else if (code === 23) style.italic = false;
  else if (code === 24) style.underline = false;
  else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) style.colour = NAMES[code % 10];
  else if (code === 39) style.colour = "";
  else if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107)) style.back = NAMES[code % 10];
  else if (code === 49) style.back = "";
}

/**
 * One of 256 colours or of all: the nearest of the eight, which the page can show in light and dark.
 * @param {number[]} rest
 * @returns {[string, number]} the name, and how many numbers belong to it
 */
function extended(rest) {
  if (rest[0] === 2) return [nearestName(rest[1] ?? 0, rest[2] ?? 0, rest[3] ?? 0), 4];
  const code = rest[1] ?? 0;
  if (code < 16) return [NAMES[code % 8], 2];
  if (code >= 232) return [code < 244 ? "black" : "white", 2];
  const cube = code - 16;
  const part = (/** @type {number} */ value) => (value ? 55 + value * 40 : 0);
  return [nearestName(part(Math.floor(cube / 36)), part(Math.floor(cube / 6) % 6), part(cube % 6)), 2];
}

/**
 * @param {number} red
 * @param {number} green
 * @param {number} blue
 * @returns {string}
 */
function nearestName(red, green, blue) {
  const limit = Math.max(red, green, blue) / 2;
  if (Math.max(red, green, blue) < 64) return "black";
  const bits = (red > limit ? 1 : 0) + (green > limit ? 2 : 0) + (blue > limit ? 4 : 0);
  return NAMES[bits];
}
