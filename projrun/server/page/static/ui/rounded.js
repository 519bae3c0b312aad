// @ts-check
/** A number in few digits, whose title is the whole of it: everywhere in the page. */

import { number, whole } from "../lib/format.js";
import { html } from "../lib/preact.js";

/** @param {{ value: unknown }} props */
export function Rounded({ value }) {
  return html`<span title=${whole(value)}>${number(value)}</span>`;
}
