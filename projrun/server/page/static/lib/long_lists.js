// @ts-check
/** Lists in addresses: written out as far as servers and proxies take it, else in this tab alone, under a short name. */

import { recall, remember, TAB } from "./remembered.js";

/** Characters of a list. Proxies refuse addresses of 8 kB, which may have two lists. */
const ROOM = 3500;
const MANY = "many-";
/** The last long list of each kind, also where the browser keeps nothing. @type {Map<string, { name: string, list: string[] }>} */
const lasting = new Map();

/** What an address says of a list. @param {string} kind of which a tab keeps one @param {readonly (string | number)[]} list */
export function listText(kind, list) {
  const text = list.join();
  if (text.length <= ROOM) return text;
  // Another name each time, so that an address of before means no other list.
  const kept = { name: `${MANY}${list.length}-${Date.now().toString(36)}`, list: list.map(String) };
  lasting.set(kind, kept);
  remember(`list.${kind}`, kept, TAB);
  return kept.name;
}

/** The list of an address; null where it is kept in another tab. MLflow's page writes them as JSON.
 * @param {string} kind @param {string} text @returns {string[] | null} */
export function listOf(kind, text) {
  if (!isLong(text)) return text.replace(/[[\]"\s]/g, "").split(",").filter(Boolean);
  const kept = lasting.get(kind)?.name === text ? lasting.get(kind) : recall(`list.${kind}`, null, TAB);
  return kept?.name === text ? kept.list : null;
}

/** Whether other tabs do not know the list of an address. @param {string} text */
export function isLong(text) {
  return text.startsWith(MANY);
}
