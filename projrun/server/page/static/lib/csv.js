// @ts-check
/** Tables as text: reading CSV and TSV files for a preview, writing CSV for a download. */

/**
 * The first rows of a CSV text (RFC 4180; a quote that is not closed ends with the text).
 * @param {string} text
 * @param {{delimiter?: string, most?: number}} [options]
 * @returns {{rows: string[][], complete: boolean}}
 */
export function readCsv(text, { delimiter = guessDelimiter(text), most = Infinity } = {}) {
  const body = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  /** @type {string[][]} */
  const rows = [];
  /** @type {string[]} */
  let row = [];
  let at = 0;
  while (at < body.length) {
    const [cell, end] = body[at] === '"' ? quotedCell(body, at, delimiter) : plainCell(body, at, delimiter);
    row.push(cell);
    at = end + 1;
    if (body[end] === delimiter) {
      if (at >= body.length) row.push("");
      continue;
    }
    if (body[end] === "\r" && body[at] === "\n") at += 1;
    rows.push(row);
    row = [];
    if (rows.length >= most) return { rows, complete: at >= body.length };
  }
  if (row.length) rows.push(row);
  return { rows, complete: true };
}

/**
 * @param {string} text
 * @param {number} at
 * @param {string} delimiter
 * @returns {[string, number]} the cell, and where its delimiter or line end is
 */
function plainCell(text, at, delimiter) {
  let end = at;
  while (end < text.length && text[end] !== delimiter && text[end] !== "\n" && text[end] !== "\r") end += 1;
  return [text.slice(at, end), end];
}

/**
 * @param {string} text
 * @param {number} at
 * @param {string} delimiter
 * @returns {[string, number]}
 */
function quotedCell(text, at, delimiter) {
  let cell = "";
  let from = at + 1;
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote < 0) return [cell + text.slice(from), text.length];
    cell += text.slice(from, quote);
    if (text[quote + 1] !== '"') {
      const [rest, end] = plainCell(text, quote + 1, delimiter);
      return [cell + rest, end];
    }
    cell += '"';
    from = quote + 2;
  }
}

/**
 * @param {string} text
 * @returns {string}
 */
function guessDelimiter(text) {
  // Those in quotes divide nothing.
  const line = text.slice(0, 10_000).replace(/"[^"]*"/g, "").split(/[\r\n]/, 1)[0];
  const count = (/** @type {string} */ mark) => line.split(mark).length;
  return ["\t", ";", ","].reduce((best, mark) => (count(mark) > count(best) ? mark : best), ",");
}

/**
 * Rows as CSV. A cell that a spreadsheet would take for a formula is kept as text by a leading apostrophe.
 * @param {(string | number | null | undefined)[][]} rows
 * @returns {string}
 */
export function writeCsv(rows) {
  return rows.map((row) => row.map(cellText).join(",")).join("\r\n") + "\r\n";
}

/**
 * @param {string | number | null | undefined} value
 * @returns {string}
 */
function cellText(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) && !Number.isFinite(Number(value)) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
