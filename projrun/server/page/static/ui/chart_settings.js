// @ts-check
/** The settings of charts, all of them in the address. */

import { html } from "../lib/preact.js";
import { setQuery, useRoute } from "../lib/router.js";
import { Button } from "./button.js";
import { Icon } from "./icon.js";

/** @typedef {import("../lib/curves.js").Axis} Axis */
/** @typedef {import("../lib/curves.js").Range} Range */

const AXES = /** @type {const} */ ([
  ["step", "Step"],
  ["relative", "Relative time"],
  ["wall", "Time"],
]);

/** Those that the address has. @param {Readonly<Record<string, string>>} query @returns {{ settings: import("../lib/curves.js").Settings, filter: string, zoom: Range | null }} */
export function chartSettings(query) {
  const axis = /** @type {Axis} */ (AXES.some(([name]) => name === query.x) ? query.x : "step");
  const smoothing = Math.min(0.999, Math.max(0, Number(query.smooth ?? 0) || 0));
  const zoom = (query.zoom ?? "").split(",").map(Number);
  const valid = zoom.length === 2 && zoom.every(Number.isFinite) && zoom[0] < zoom[1];
  return {
    settings: { axis, smoothing, logX: query.logx === "1" && axis !== "wall", logY: query.logy === "1" },
    filter: query.metrics ?? "",
    zoom: valid ? /** @type {Range} */ (zoom) : null,
  };
}

export function useChartSettings() {
  return chartSettings(useRoute().query);
}

/** @param {{ many: number, children?: any }} props */
export function ChartTools({ many, children }) {
  const { settings, filter, zoom } = useChartSettings();
  const input = (/** @type {Event} */ event) => /** @type {HTMLInputElement} */ (event.target).value;
  return html`<div class="tools">
    ${many > 3 &&
    html`<div class="search"><${Icon} name="search" /><input type="search" aria-label="Filter metrics" placeholder="Filter metrics" value=${filter} onInput=${(/** @type {Event} */ event) => setQuery({ metrics: input(event) })} /></div>`}
    <select aria-label="Horizontal axis" onChange=${(/** @type {Event} */ event) => setQuery({ x: input(event) === "step" ? null : input(event), zoom: null })}>
      ${AXES.map(([name, text]) => html`<option value=${name} selected=${name === settings.axis}>${text}</option>`)}
    </select>
    <${Button} pressed=${settings.logX} disabled=${settings.axis === "wall"} onClick=${() => setQuery({ logx: settings.logX ? null : "1", zoom: null })}>Log x</${Button}>
    <${Button} pressed=${settings.logY} onClick=${() => setQuery({ logy: settings.logY ? null : "1" })}>Log y</${Button}>
    <label class="slider">
      <span>Smoothing</span>
      <input type="range" min="0" max="0.99" step="0.01" value=${settings.smoothing} onInput=${(/** @type {Event} */ event) => setQuery({ smooth: Number(input(event)) ? input(event) : null })} />
      <output class="number">${settings.smoothing.toFixed(2)}</output>
    </label>
    ${zoom && html`<${Button} icon="restore" onClick=${() => setQuery({ zoom: null })}>Reset zoom</${Button}>`}
    ${children}
  </div>`;
}
