// @ts-check
/** Texts of MLflow's search language. */

/** A value in quotes: one that is in it is doubled.
 * @param {string} value */
export function quoted(value) {
  return `'${value.replaceAll("'", "''")}'`;
}

/** A filter for what has a text somewhere in its name; empty for no text.
 * @param {string} text */
export function nameHas(text) {
  return text.trim() ? `name ILIKE ${quoted(`%${text.trim()}%`)}` : "";
}
