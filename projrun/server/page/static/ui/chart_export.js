// @ts-check
/** Saving a chart: as a picture, as a drawing, as numbers. */

import { svgOf } from "../lib/chart_svg.js";
import { writeCsv } from "../lib/csv.js";
import { isoDate, number } from "../lib/format.js";
import { html } from "../lib/preact.js";
import { xText } from "./chart_plot.js";
import { saveText } from "./download.js";
import { svgToPng } from "./figure.js";
import { Menu } from "./menu.js";
import { colourOf } from "./theme.js";

/** @typedef {import("./chart.js").Figure} Figure */

const X_TITLES = { step: "step", relative: "time since the first value", wall: "time" };

/** @param {{ figure: Figure }} props */
export function ChartMenu({ figure }) {
  const items = [
    { label: "Save as PNG", call: () => svgToPng(figure.title, svg(figure)) },
    { label: "Save as SVG", call: () => saveText(`${figure.title}.svg`, svg(figure), "image/svg+xml") },
    { label: "Save as CSV", call: () => saveText(`${figure.title}.csv`, csv(figure), "text/csv") },
  ];
  return html`<${Menu} kind="quiet" icon="download" label=${`Save ${figure.title}`} align="end" items=${items} />`;
}

/** @param {Figure} figure @returns {string} */
function svg({ title, settings, range, drawing }) {
  return svgOf({
    ...drawing,
    title,
    xTitle: X_TITLES[settings.axis],
    bounds: range,
    logX: settings.logX,
    logY: settings.logY,
    xText: xText(settings.axis),
    yText: (value) => number(value, 4),
    ink: colourOf("--text"),
    paper: colourOf("--page"),
  });
}

/** Each point that the page has. @param {Figure} figure @returns {string} */
function csv({ drawing, settings }) {
  /** @type {(string | number)[][]} */
  const rows = [["run_id", "run", "metric", settings.axis, "value"]];
  for (const { curve } of drawing.shapes) {
    curve.values.forEach((value, index) => {
      const x = curve.xs[index];
      rows.push([curve.run, curve.label, curve.key, settings.axis === "wall" ? isoDate(x * 1000) : x, value]);
    });
  }
  return writeCsv(rows);
}
