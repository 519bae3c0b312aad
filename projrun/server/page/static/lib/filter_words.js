// @ts-check
/** Filters in the search language while they are written: what may come next, and where one is wrong. */

import { nameHas } from "./filters.js";

const TOKEN = /(?:metrics|params|tags|attributes?|param|metric|tag)\.(?:`[^`]*`?|"[^"]*"?|[^\s=<>!(),]+)|'[^']*'?|"[^"]*"?|[=<>!]+|[(),]|[^\s=<>!(),'"]+/gi;
const NUMERIC = ["<", "<=", ">", ">=", "=", "!="];
const TEXTUAL = ["=", "!=", "LIKE", "ILIKE", "IN"];
const NUMBERS = /^(metrics?\.|attributes?\.)?(start_time|end_time)$|^metrics?\./i;
const OPERATOR = /^([=<>!]+|LIKE|ILIKE|IN|IS|NOT)$/i;
const STATUSES = ["FINISHED", "FAILED", "RUNNING", "KILLED", "SCHEDULED"].map((each) => `'${each}'`);
const ATTRIBUTES = ["run_name", "status", "start_time", "end_time", "user_id", "run_id", "artifact_uri"];
const PLURALS = /** @type {Record<string, string>} */ ({ metric: "metrics", param: "params", tag: "tags" });

/** A text that compares nothing looks for names; everything else is a filter. @param {string} text */
export function toFilter(text) {
  return /[=<>!]|\s(LIKE|ILIKE|IN|IS|NOT)\s/i.test(text) ? text.trim() : nameHas(text).replace("name", "run_name");
}

/** A column's name in a filter. @param {{ kind: string, key: string }} column */
export function filterName({ kind, key }) {
  const plural = PLURALS[kind];
  if (!plural) return key;
  return `${plural}.${/^[A-Za-z_][\w.]*$/.test(key) ? key : `\`${key}\``}`;
}

/**
 * What may stand at the caret, and from where on it replaces the text.
 * @param {string} text @param {number} caret @param {readonly { kind: string, key: string }[]} known
 * @returns {{ from: number, words: string[] }}
 */
export function complete(text, caret, known) {
  const before = [...text.slice(0, caret).matchAll(TOKEN)];
  const last = before.at(-1);
  const writing = last && last.index + last[0].length === caret && !/^[=<>!(),]+$/.test(last[0]) ? last : undefined;
  const word = writing?.[0] ?? "";
  const earlier = writing ? before.slice(0, -1) : before;
  const words = next(earlier.at(-1)?.[0], earlier.at(-2)?.[0], known).filter((each) => fits(each, word));
  return { from: caret - word.length, words: words.slice(0, 12) };
}

/** @param {string | undefined} previous @param {string | undefined} name before an operator @param {readonly { kind: string, key: string }[]} known */
function next(previous, name, known) {
  if (!previous || /^AND$/i.test(previous)) return names(known);
  if (OPERATOR.test(previous)) return /status$/i.test(name ?? "") ? STATUSES : [];
  if (/^'|^"|^-?[\d.]|^\)$/.test(previous)) return ["AND"];
  if (/^[(,]$/.test(previous)) return [];
  return NUMBERS.test(previous) ? NUMERIC : TEXTUAL;
}

/** @param {readonly { kind: string, key: string }[]} known */
function names(known) {
  return [...known.filter(({ kind }) => kind in PLURALS).map(filterName), ...ATTRIBUTES];
}

/** @param {string} candidate @param {string} word */
function fits(candidate, word) {
  return candidate !== word && candidate.toLowerCase().includes(word.toLowerCase());
}

/** Where a refused filter is wrong, counted from 0, and the reason without that; nothing where the message names no place.
 * @param {string} message */
export function problemOf(message) {
  const [whole, place] = /,?\s*at character (\d+)/.exec(message) ?? [];
  return { at: place ? Number(place) - 1 : null, reason: whole ? message.replace(whole, "") : message };
}
