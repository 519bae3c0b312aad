// @ts-check
/** Texts of MLflow's search language. */

/** A value in quotes: the other kind where it has one of them.
 * @param {string} value */
export function quoted(value) {
  return value.includes("'") ? `"${value.replaceAll('"', "")}"` : `'${value}'`;
}

/** A filter for what has a text somewhere in its name; empty for no text.
 * @param {string} text */
export function nameHas(text) {
  return text.trim() ? `name ILIKE ${quoted(`%${text.trim()}%`)}` : "";
}
