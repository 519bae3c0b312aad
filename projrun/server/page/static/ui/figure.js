// @ts-check
/** What charts drawn as SVG share: their size, their frame, their axes, colours by a value, and saving. */

import { axisTicks, pixels, shade } from "../lib/dimensions.js";
import { number } from "../lib/format.js";
import { html, useLayoutEffect, useRef, useState } from "../lib/preact.js";
import { writeCsv } from "../lib/csv.js";
import { Menu } from "./menu.js";
import { saveFile, saveText } from "./download.js";
import { Rounded } from "./rounded.js";
import { addSheet } from "./sheet.js";

addSheet("ui/chart.css");

/** @typedef {import("../lib/dimensions.js").Dimension} Dimension */
/** @typedef {{ run: string, label: string }} Point */

/** The width of an element, as it changes. @param {number} first @returns {[{ current: HTMLElement | null }, number]} */
export function useWidth(first) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const [width, setWidth] = useState(first);
  useLayoutEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const measure = () => setWidth(Math.max(240, Math.floor(element.clientWidth)));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [place, width];
}

/** @param {{ title: string, rows: (string | number | null | undefined)[][], tools?: any, children: any }} props `rows` are the numbers behind it, with their head */
export function Figure({ title, rows, tools, children }) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const drawing = () => /** @type {SVGSVGElement} */ (place.current?.querySelector("svg.drawing"));
  const items = [
    { label: "Save as PNG", call: () => savePng(title, drawing()) },
    { label: "Save as SVG", call: () => saveText(`${title}.svg`, standalone(drawing()), "image/svg+xml") },
    { label: "Save as CSV", call: () => saveText(`${title}.csv`, writeCsv(rows), "text/csv") },
  ];
  const [open, setOpen] = useState(false);
  return html`<figure class="chart" ref=${place} aria-label=${title}>
    <figcaption class="chart-head">
      <span class="chart-title">${title}</span>
      ${tools}
      <${Menu} kind="quiet" icon="download" label=${`Save ${title}`} align="end" items=${items} />
    </figcaption>
    ${children}
    <details class="chart-data" onToggle=${(/** @type {Event} */ event) => setOpen(/** @type {HTMLDetailsElement} */ (event.currentTarget).open)}>
      <summary>Values</summary>
      ${open && html`<${ValueTable} title=${title} rows=${rows} />`}
    </details>
  </figure>`;
}

/** @param {{ title: string, rows: (string | number | null | undefined)[][] }} props */
function ValueTable({ title, rows }) {
  const [head, ...body] = rows;
  const text = (/** @type {string | number | null | undefined} */ value) => (typeof value === "number" ? html`<${Rounded} value=${value} />` : value ?? "");
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${`Values of ${title}`}>
    <table class="table">
      <thead><tr>${head.map((cell) => html`<th>${cell}</th>`)}</tr></thead>
      <tbody>${body.slice(0, 1000).map((row) => html`<tr>${row.map((cell) => html`<td class=${typeof cell === "number" ? "number" : ""}>${text(cell)}</td>`)}</tr>`)}</tbody>
    </table>
  </div>`;
}

/** @param {{ axis: Dimension, left: number, right: number, top: number, bottom: number }} props */
export function XAxis({ axis, left, right, top, bottom }) {
  const at = pixels(axis, [left, right]);
  return html`<g class="axis">
    ${axisTicks(axis, Math.max(2, (right - left) / 90), (value) => number(value, 4)).map(
      (tick) => html`<path d=${`M${at(tick.at)} ${top}V${bottom}`} /><text x=${at(tick.at)} y=${bottom + 16} text-anchor="middle">${clipped(tick.text, 14)}</text>`,
    )}
    <text class="axis-name" x=${right} y=${bottom + 34} text-anchor="end">${clipped(axis.name, 60)}</text>
  </g>`;
}

/** @param {{ axis: Dimension, left: number, right: number, top: number, bottom: number, named?: boolean }} props */
export function YAxis({ axis, left, right, top, bottom, named = true }) {
  const at = pixels(axis, [bottom, top]);
  return html`<g class="axis">
    ${axisTicks(axis, Math.max(2, (bottom - top) / 50), (value) => number(value, 4)).map(
      (tick) => html`<path d=${`M${left} ${at(tick.at)}H${right}`} /><text x=${left - 6} y=${at(tick.at) + 4} text-anchor="end">${clipped(tick.text, 9)}</text>`,
    )}
    ${named && html`<text class="axis-name" x=${left - 50} y=${top - 10}>${clipped(axis.name, 60)}</text>`}
  </g>`;
}

/** @param {string} text @param {number} most */
export function clipped(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** The colour of a run by a third column: between two colours, or one of the series; CSS. @param {Dimension | null} axis @param {number} index @param {string} [own] what it is without one */
export function colourBy(axis, index, own = "var(--series-1)") {
  if (!axis) return own;
  const { share, word } = shade(axis, index);
  if (word !== null) return `var(--series-${(word % 10) + 1})`;
  return share === null ? "var(--line-strong)" : `color-mix(in oklab, var(--scale-low), var(--scale-high) ${Math.round(share * 100)}%)`;
}

/** @param {{ axis: Dimension | null }} props */
export function ColourLegend({ axis }) {
  if (!axis) return null;
  if (!axis.numeric) {
    return html`<div class="colour-legend"><span class="muted">${axis.name}</span>${axis.words.slice(0, 20).map((word, index) => html`<span class="colour-word"><span class="swatch" style=${{ background: `var(--series-${(index % 10) + 1})` }}></span>${clipped(word, 30)}</span>`)}</div>`;
  }
  return html`<div class="colour-legend"><span class="muted">${axis.name}</span><span>${number(axis.range[0], 3)}</span><span class="colour-scale"></span><span>${number(axis.range[1], 3)}</span></div>`;
}

/** The drawing with its colours written into it, so that it is the same without the page. @param {SVGSVGElement} drawing @returns {string} */
function standalone(drawing) {
  const copy = /** @type {SVGSVGElement} */ (drawing.cloneNode(true));
  const parts = drawing.querySelectorAll("*");
  copy.querySelectorAll("*").forEach((part, index) => {
    const look = getComputedStyle(parts[index]);
    for (const name of ["fill", "stroke", "stroke-width", "stroke-opacity", "fill-opacity", "opacity", "font-size"]) part.setAttribute(name, look.getPropertyValue(name));
    for (const name of ["class", "style", "tabindex"]) part.removeAttribute(name);
  });
  const paper = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  paper.setAttribute("width", "100%");
  paper.setAttribute("height", "100%");
  paper.setAttribute("fill", getComputedStyle(document.body).backgroundColor);
  copy.prepend(paper);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("font-family", "sans-serif");
  return new XMLSerializer().serializeToString(copy);
}

/** @param {string} title @param {SVGSVGElement} drawing */
function savePng(title, drawing) {
  svgToPng(title, standalone(drawing));
}

/** A drawing as a picture of twice its size. @param {string} title @param {string} svg */
export function svgToPng(title, svg) {
  const image = new Image();
  const address = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  image.onload = () => {
    const canvas = document.createElement("canvas");
    canvas.width = image.width * 2;
    canvas.height = image.height * 2;
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(address);
    canvas.toBlob((blob) => blob && saveFile(`${title}.png`, blob), "image/png");
  };
  image.src = address;
}
