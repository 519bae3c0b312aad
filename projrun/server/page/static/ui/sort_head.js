// @ts-check
/** The head of a column by which a list is sorted. */

import { html } from "../lib/preact.js";
import { Icon } from "./icon.js";

/** @param {{ text: string, column: string, order: string, setOrder: (order: string) => void, class?: string }} props `order` is `name ASC` */
export function SortHead({ text, column, order, setOrder, class: look = "" }) {
  const [active, direction] = order.split(" ");
  const mine = active === column;
  const next = mine ? (direction === "ASC" ? "DESC" : "ASC") : column === "name" ? "ASC" : "DESC";
  return html`<th class=${look} aria-sort=${mine ? (direction === "ASC" ? "ascending" : "descending") : undefined}>
    <button type="button" class="sort" onClick=${() => setOrder(`${column} ${next}`)}>${text}${mine && html`<${Icon} name=${direction === "ASC" ? "up" : "down"} />`}</button>
  </th>`;
}
