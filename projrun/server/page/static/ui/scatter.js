// @ts-check
/** Runs as points: two columns, coloured by a third. */

import { dimension, pixels } from "../lib/dimensions.js";
import { number } from "../lib/format.js";
import { html, useMemo, useState } from "../lib/preact.js";
import { ColourLegend, colourBy, Figure, useWidth, XAxis, YAxis } from "./figure.js";

/** @typedef {import("../lib/dimensions.js").Cell} Cell */
/** @typedef {import("./figure.js").Point} Point */
/** @typedef {{ name: string, cells: Cell[], log?: boolean }} Column */

const HEIGHT = 400;

/** @param {{ points: Point[], x: Column, y: Column, colour: Column | null, onOpen: (run: string) => void }} props */
export function Scatter({ points, x, y, colour, onOpen }) {
  const [place, width] = useWidth(640);
  const [near, setNear] = useState(-1);
  const across = useMemo(() => dimension(x.name, x.cells, x.log), [x.name, x.cells, x.log]);
  const up = useMemo(() => dimension(y.name, y.cells, y.log), [y.name, y.cells, y.log]);
  const third = useMemo(() => colour && dimension(colour.name, colour.cells, colour.log), [colour?.name, colour?.cells]);
  const box = { left: 64, right: width - 16, top: 28, bottom: HEIGHT - 44 };
  const left = pixels(across, [box.left, box.right]);
  const top = pixels(up, [box.bottom, box.top]);
  const shown = points.map((point, index) => ({ point, index, x: across.places[index], y: up.places[index] })).filter((each) => each.x !== null && each.y !== null);
  const title = `${y.name} by ${x.name}`;
  const rows = [["run", x.name, y.name, ...(colour ? [colour.name] : [])], ...points.map((point, index) => [point.label, x.cells[index], y.cells[index], ...(colour ? [colour.cells[index]] : [])])];
  const move = (/** @type {PointerEvent} */ event) => {
    const { offsetX, offsetY } = event;
    let best = -1;
    let least = 900;
    for (const each of shown) {
      const distance = (left(Number(each.x)) - offsetX) ** 2 + (top(Number(each.y)) - offsetY) ** 2;
      if (distance < least) [best, least] = [each.index, distance];
    }
    setNear(best);
  };
  return html`<${Figure} title=${title} rows=${rows}>
    <div class="figure" ref=${place} onPointerMove=${move} onPointerLeave=${() => setNear(-1)}>
      <svg class="drawing" width=${width} height=${HEIGHT} role="img" aria-label=${`${title}: ${shown.length} runs; the values are in the table below`} onClick=${() => near >= 0 && onOpen(points[near].run)}>
        <${XAxis} axis=${across} ...${box} />
        <${YAxis} axis=${up} ...${box} />
        ${shown.map((each) => html`<circle key=${each.point.run} class="dot" cx=${left(Number(each.x))} cy=${top(Number(each.y))} r=${each.index === near ? 7 : 4.5} style=${{ fill: colourBy(third, each.index) }} />`)}
      </svg>
      ${near >= 0 &&
      html`<div class="chart-tip" style=${{ left: `${Math.min(left(Number(across.places[near])) + 12, width - 220)}px`, top: `${top(Number(up.places[near])) + 8}px` }}>
        <div class="clip">${points[near].label}</div>
        ${[x, y, ...(colour ? [colour] : [])].map((column) => html`<div class="chart-tip-line"><span class="chart-tip-label muted">${column.name}</span><span class="number">${text(column.cells[near])}</span></div>`)}
      </div>`}
    </div>
    <${ColourLegend} axis=${third} />
    ${shown.length < points.length && html`<p class="chart-note">${points.length - shown.length} of ${points.length} runs have not both values.</p>`}
  </${Figure}>`;
}

/** @param {Cell} cell */
export function text(cell) {
  return typeof cell === "number" ? number(cell) : cell ?? "none";
}
