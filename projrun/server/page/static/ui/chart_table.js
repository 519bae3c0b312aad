// @ts-check
/** The numbers of a chart, for those who do not see it and for those who want them exactly. */

import { summary } from "../lib/curves.js";
import { count } from "../lib/format.js";
import { html, useState } from "../lib/preact.js";
import { Rounded } from "./rounded.js";

/** @typedef {import("../lib/curves.js").Curve} Curve */

/** @param {{ title: string, curves: Curve[], xText: (value: number) => string }} props */
export function ChartTable({ title, curves, xText }) {
  const [open, setOpen] = useState(false);
  return html`<details class="chart-data" onToggle=${(/** @type {Event} */ event) => setOpen(/** @type {HTMLDetailsElement} */ (event.target).open)}>
    <summary>Values</summary>
    ${open &&
    html`<div class="scroll" tabindex="0" role="region" aria-label=${`Values of ${title}`}>
      <table class="table">
        <thead>
          <tr>
            <th>Run</th>
            <th class="number">Last</th>
            <th class="number">at</th>
            <th class="number">Least</th>
            <th class="number">Greatest</th>
            <th class="number">First</th>
            <th class="number">Points</th>
          </tr>
        </thead>
        <tbody>
          ${curves.map((curve) => {
            const row = summary(curve);
            return html`<tr key=${curve.run}>
              <td>${curve.label}</td>
              <td class="number"><${Rounded} value=${row.last} /></td>
              <td class="number">${xText(row.lastX)}</td>
              <td class="number"><${Rounded} value=${row.least} /></td>
              <td class="number"><${Rounded} value=${row.greatest} /></td>
              <td class="number"><${Rounded} value=${row.first} /></td>
              <td class="number">${count(row.points)}</td>
            </tr>`;
          })}
        </tbody>
      </table>
    </div>`}
  </details>`;
}
