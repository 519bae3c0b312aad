// @ts-check
/** A field in which to search. */

import { html } from "../lib/preact.js";
import { Icon } from "./icon.js";

/** @param {{ label: string, placeholder?: string, value: string, onChange: (value: string) => void, box?: { current: HTMLInputElement | null },
 *   onKeyDown?: (event: KeyboardEvent) => void }} props `box` is given the field */
export function Search({ label, placeholder = label, value, onChange, box, onKeyDown }) {
  const typed = (/** @type {Event} */ event) => onChange(/** @type {HTMLInputElement} */ (event.target).value);
  return html`<div class="search">
    <${Icon} name="search" /><input ref=${box} type="search" aria-label=${label} placeholder=${placeholder} value=${value} onInput=${typed} onKeyDown=${onKeyDown} />
  </div>`;
}
