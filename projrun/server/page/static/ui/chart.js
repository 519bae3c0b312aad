// @ts-check
/** A chart of curves: one metric of one run or of many. Drag to zoom, double click (or 0) to see all. */

import { bounds, nearest, shape } from "../lib/curves.js";
import { exactDate, number } from "../lib/format.js";
import { html, useLayoutEffect, useMemo, useRef, useState } from "../lib/preact.js";
import uPlot from "../vendor/uplot.js";
import { drawFocus } from "./chart_draw.js";
import { ChartMenu } from "./chart_export.js";
import { planeOf, plotOptions, xText } from "./chart_plot.js";
import { ChartTable } from "./chart_table.js";
import { seriesColours, useTheme } from "./theme.js";
import { addSheet } from "./sheet.js";

addSheet("vendor/uplot.css");
addSheet("ui/chart.css");

/** @typedef {import("../lib/curves.js").Curve} Curve */
/** @typedef {import("../lib/curves.js").Settings} Settings */
/** @typedef {import("../lib/curves.js").Range} Range */
/** @typedef {import("../lib/curves.js").Shape} Shape */
/** @typedef {import("../lib/colours.js").Look} Look */
/** @typedef {import("../lib/hub.js").Hub} Hub */
/** @typedef {import("./chart_draw.js").Drawing} Drawing */
/**
 * @typedef {object} Chart
 * @property {string} title
 * @property {Curve[]} curves
 * @property {Settings} settings
 * @property {Map<string, Look>} looks
 * @property {Range | null} zoom
 * @property {(zoom: Range | null) => void} onZoom asks for this part in more detail; null is all
 * @property {Hub} hub
 * @property {number} [height]
 * @property {any} [note] beside the title
 * @property {any} [tools] buttons at the right
 */

/** @param {Chart} props */
export function Chart({ title, curves, settings, looks, zoom, onZoom, hub, height = 240, note, tools }) {
  const theme = useTheme();
  const key = JSON.stringify(settings);
  const shapes = useMemo(() => curves.map((curve) => shape(curve, settings)), [curves, key]);
  const range = useMemo(() => bounds(shapes, settings, zoom), [shapes, zoom?.[0], zoom?.[1]]);
  const drawing = useMemo(
    () => ({ shapes, looks, smoothed: settings.smoothing > 0, colour: seriesColours() }),
    [shapes, looks, theme],
  );
  const unshown = shapes.reduce((sum, each) => sum + each.unshown, 0);
  const figure = { title, settings, range, drawing };
  return html`<figure class="chart" aria-label=${title}>
    <figcaption class="chart-head">
      <span class="chart-title" title=${title}>${title}</span>
      ${note && html`<span class="chart-note">${note}</span>`}
      ${tools}
      <${ChartMenu} figure=${figure} />
    </figcaption>
    <${Plot} figure=${figure} hub=${hub} onZoom=${onZoom} height=${height} theme=${theme} />
    ${unshown > 0 &&
    html`<p class="chart-note">${unshown} ${unshown === 1 ? "value is" : "values are"} 0 or less and not on this logarithmic axis.</p>`}
    <${ChartTable} title=${title} curves=${curves} xText=${xText(settings.axis)} />
  </figure>`;
}

/** @typedef {{ title: string, settings: Settings, range: { x: Range, y: Range }, drawing: Drawing }} Figure */

/** @param {{ figure: Figure, hub: Hub, onZoom: (zoom: Range | null) => void, height: number, theme: number }} props */
function Plot({ figure, hub, onZoom, height, theme }) {
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  const plot = useRef(/** @type {uPlot | null} */ (null));
  const latest = useRef({ figure, onZoom });
  latest.current = { figure, onZoom };
  const drawn = useRef(/** @type {Figure | null} */ (null));
  const [tip, setTip] = useState(/** @type {Tip | null} */ (null));
  const { axis, logX, logY } = figure.settings;

  useLayoutEffect(() => {
    const element = /** @type {HTMLDivElement} */ (place.current);
    const made = new uPlot(plotOptions({ latest, hub, width: element.clientWidth, height }), [[0, 1]], element);
    plot.current = made;
    drawn.current = latest.current.figure;
    const observer = new ResizeObserver(() => element.clientWidth !== made.width && made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    const leave = follow(made, hub, latest, setTip);
    return () => {
      leave();
      observer.disconnect();
      made.destroy();
    };
  }, [axis, logX, logY, theme, height]);

  // In the frame of the change, not in one after it.
  useLayoutEffect(() => {
    // A new plot has drawn itself.
    if (drawn.current?.drawing === figure.drawing && drawn.current.range === figure.range) return;
    drawn.current = figure;
    const { x, y } = figure.range;
    plot.current?.batch(() => {
      plot.current?.setScale("x", { min: x[0], max: x[1] });
      plot.current?.setScale("y", { min: y[0], max: y[1] });
      plot.current?.redraw(false, false);
    });
  }, [figure.drawing, figure.range, axis, logX, logY, theme, height]);

  return html`<div
    class="chart-plot"
    ref=${place}
    style=${{ height: `${height}px` }}
    role="img"
    tabindex="0"
    aria-label=${`${figure.title}: ${figure.drawing.shapes.length} curves; the values are in the table below. Keys: + and − zoom, arrows move, 0 shows all.`}
    onKeyDown=${(/** @type {KeyboardEvent} */ event) => zoomByKey(event, figure, onZoom)}
  >
    ${tip && html`<${TipBox} tip=${tip} figure=${figure} />`}
  </div>`;
}

/** @typedef {{ left: number, x: number, lines: { shape: Shape, index: number }[], more: number, flip: boolean }} Tip */

/**
 * Show where the cursor of any of the charts is, and in this one what is near it.
 * @param {uPlot} plot @param {Hub} hub @param {{ current: { figure: Figure } }} latest @param {(tip: Tip | null) => void} setTip
 */
function follow(plot, hub, latest, setTip) {
  const overlay = document.createElement("canvas");
  overlay.className = "chart-overlay";
  plot.root.querySelector(".u-wrap")?.append(overlay);
  let focused = false;
  return hub.subscribe(({ x, run, source }) => {
    const { drawing } = latest.current.figure;
    // A canvas that nothing was drawn on is not painted again with every move of the pointer.
    if (focused || run) focus(plot, overlay, drawing, run);
    focused = Boolean(run);
    if (source !== plot) {
      const inside = x !== null && x >= (plot.scales.x.min ?? 0) && x <= (plot.scales.x.max ?? 0);
      plot.setCursor({ left: inside ? plot.valToPos(x, "x") : -10, top: inside ? 0 : -10 }, false);
    }
    setTip(x === null || source !== plot ? null : tipAt(plot, drawing.shapes, x));
  });
}

/** @param {uPlot} plot @param {HTMLCanvasElement} overlay @param {Drawing} drawing @param {string} run "" is none */
function focus(plot, overlay, drawing, run) {
  const { width, height } = plot.ctx.canvas;
  if (overlay.width !== width || overlay.height !== height) Object.assign(overlay, { width, height });
  const ctx = /** @type {CanvasRenderingContext2D} */ (overlay.getContext("2d"));
  ctx.clearRect(0, 0, width, height);
  if (run) drawFocus(ctx, planeOf(plot), drawing, run);
}

/** @param {uPlot} plot @param {readonly Shape[]} shapes @param {number} x @returns {Tip} */
function tipAt(plot, shapes, x) {
  const top = plot.cursor.top ?? 0;
  const found = shapes.flatMap((each) => {
    const index = nearest(each.xs, x);
    if (index < 0) return [];
    const value = each.line[index];
    const away = Math.abs(plot.valToPos(each.xs[index], "x") - plot.valToPos(x, "x"));
    if (shapes.length > 1 && away > 40) return [];
    return [{ shape: each, index, distance: Number.isNaN(value) ? Infinity : Math.abs(plot.valToPos(value, "y") - top) }];
  });
  const close = found.sort((one, other) => one.distance - other.distance).slice(0, 8);
  const at = close.length ? close[0].shape.xs[close[0].index] : x;
  const lines = close.sort((one, other) => (other.shape.line[other.index] || 0) - (one.shape.line[one.index] || 0));
  const left = plot.valToPos(x, "x") + plot.bbox.left / devicePixelRatio;
  return { left, x: at, lines, more: found.length - lines.length, flip: left > plot.width / 2 };
}

/** @param {{ tip: Tip, figure: Figure }} props */
function TipBox({ tip, figure }) {
  const { settings, drawing } = figure;
  const style = tip.flip ? { right: `calc(100% - ${tip.left - 12}px)` } : { left: `${tip.left + 12}px` };
  return html`<div class="chart-tip" style=${style}>
    <div class="chart-tip-x">${settings.axis === "wall" ? exactDate(tip.x * 1000) : xText(settings.axis)(tip.x)}</div>
    ${tip.lines.map(({ shape: each, index }) => {
      const value = each.line[index];
      const raw = settings.smoothing > 0 ? each.raw[index] : NaN;
      return html`<div class="chart-tip-line">
        <span class="swatch" style=${{ background: drawing.colour(drawing.looks.get(each.curve.run)) }}></span>
        <span class="chart-tip-label">${each.curve.label}</span>
        <span class="number">${Number.isNaN(value) ? "no value" : number(value, 5)}</span>
        ${!Number.isNaN(raw) && html`<span class="number muted">${number(raw, 5)}</span>`}
      </div>`;
    })}
    ${tip.more > 0 && html`<div class="muted">and ${tip.more} more</div>`}
  </div>`;
}

/** @param {KeyboardEvent} event @param {Figure} figure @param {(zoom: Range | null) => void} onZoom */
function zoomByKey(event, figure, onZoom) {
  const [low, high] = figure.range.x;
  const part = (high - low) / 4;
  /** @type {Record<string, Range | null>} */
  const zooms = {
    "+": [low + part, high - part],
    "-": [low - part * 2, high + part * 2],
    ArrowLeft: [low - part, high - part],
    ArrowRight: [low + part, high + part],
    0: null,
  };
  if (!(event.key in zooms) || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  onZoom(zooms[event.key]);
}
