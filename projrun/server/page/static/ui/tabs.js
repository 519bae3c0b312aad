// @ts-check
/** Tabs: each is a place of its own, so they are links. */

import { html, useEffect, useRef } from "../lib/preact.js";
import { count } from "../lib/format.js";

/**
 * @param {{ label: string, tabs: readonly { name: string, text: string, href: string, count?: number }[], current: string }} props
 */
export function Tabs({ label, tabs, current }) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  // Where not all have room, the current one is in sight.
  useEffect(() => place.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" }), [current]);
  return html`<nav class="tabs" ref=${place} aria-label=${label}>
    ${tabs.map(
      (tab) =>
        html`<a key=${tab.name} href=${tab.href} aria-current=${tab.name === current ? "page" : undefined}
          >${tab.text}${tab.count !== undefined && html` <span class="count">${count(tab.count)}</span>`}</a
        >`,
    )}
  </nav>`;
}
