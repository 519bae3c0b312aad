// @ts-check
/** A chart of curves as an SVG file: the same lines as on the screen, as text. */

import { xmlText, logTicks, scale, ticks } from "./ticks.js";
import { trace } from "./trace.js";

/** @typedef {import("./curves.js").Shape} Shape */
/** @typedef {import("./curves.js").Range} Range */
/** @typedef {import("./colours.js").Look} Look */
/**
 * @typedef {object} Figure
 * @property {string} title
 * @property {string} xTitle
 * @property {readonly Shape[]} shapes
 * @property {{ x: Range, y: Range }} bounds
 * @property {boolean} logX
 * @property {boolean} logY
 * @property {boolean} smoothed
 * @property {Map<string, Look>} looks
 * @property {(look: Look | undefined) => string} colour
 * @property {(value: number) => string} xText
 * @property {(value: number) => string} yText
 * @property {string} ink
 * @property {string} paper
 */

const WIDTH = 800;
const BOX = { left: 64, top: 40, width: 712, height: 380 };
const LEGEND = 24;

/** @param {Figure} figure @returns {string} */
export function svgOf(figure) {
  const shown = figure.shapes.slice(0, 40);
  const height = BOX.top + BOX.height + 56 + shown.length * LEGEND;
  const x = scale(figure.bounds.x, [BOX.left, BOX.left + BOX.width], figure.logX);
  const y = scale(figure.bounds.y, [BOX.top + BOX.height, BOX.top], figure.logY);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12" fill="${figure.ink}">`,
    `<rect width="${WIDTH}" height="${height}" fill="${figure.paper}"/>`,
    `<clipPath id="box"><rect x="${BOX.left}" y="${BOX.top}" width="${BOX.width}" height="${BOX.height}"/></clipPath>`,
    text(BOX.left, 24, figure.title, 'font-size="15" font-weight="600"'),
    ...axes(figure, x, y),
    '<g clip-path="url(#box)" fill="none" stroke-linejoin="bevel">',
    ...figure.shapes.flatMap((shape) => curve(figure, shape, { x, y, range: figure.bounds.x })),
    "</g>",
    ...shown.map((shape, index) => legend(figure, shape, BOX.top + BOX.height + 60 + index * LEGEND)),
    "</svg>",
  ];
  return parts.join("\n");
}

/** @param {Figure} figure @param {(value: number) => number} x @param {(value: number) => number} y @returns {string[]} */
function axes(figure, x, y) {
  const { bounds, logX, logY } = figure;
  const bottom = BOX.top + BOX.height;
  const right = BOX.left + BOX.width;
  const line = 'stroke="currentColor" stroke-opacity="0.15"';
  return [
    ...(logX ? logTicks(...bounds.x) : ticks(...bounds.x, 8)).flatMap((value) => [
      `<path d="M${x(value).toFixed(1)} ${BOX.top}V${bottom}" ${line}/>`,
      text(x(value), bottom + 18, figure.xText(value), 'text-anchor="middle"'),
    ]),
    ...(logY ? logTicks(...bounds.y) : ticks(...bounds.y, 6)).flatMap((value) => [
      `<path d="M${BOX.left} ${y(value).toFixed(1)}H${right}" ${line}/>`,
      text(BOX.left - 8, y(value) + 4, figure.yText(value), 'text-anchor="end"'),
    ]),
    text(right, bottom + 36, figure.xTitle, 'text-anchor="end" fill-opacity="0.7"'),
  ];
}

/** @param {Figure} figure @param {Shape} shape @param {import("./trace.js").Plane} plane @returns {string[]} */
function curve(figure, shape, plane) {
  const look = figure.looks.get(shape.curve.run);
  const colour = figure.colour(look);
  const dash = look?.dash.length ? ` stroke-dasharray="${look.dash.join(" ")}"` : "";
  const draw = (/** @type {number[]} */ values, /** @type {string} */ style) => {
    let path = "";
    const dots = trace(shape.xs, values, plane, {
      begin: () => {},
      move: (x, y) => void (path += `M${x.toFixed(1)} ${y.toFixed(1)}`),
      to: (x, y) => void (path += `L${x.toFixed(1)} ${y.toFixed(1)}`),
    });
    const circles = dots.map(([x, y]) => `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="3" fill="${colour}"/>`);
    return [`<path d="${path}" stroke="${colour}" ${style}/>`, ...circles];
  };
  const raw = figure.smoothed ? draw(shape.raw, 'stroke-opacity="0.25"') : [];
  return [...raw, ...draw(shape.line, `stroke-width="1.5"${dash}`)];
}

/** @param {Figure} figure @param {Shape} shape @param {number} top */
function legend(figure, shape, top) {
  const look = figure.looks.get(shape.curve.run);
  const dash = look?.dash.length ? ` stroke-dasharray="${look.dash.join(" ")}"` : "";
  const sample = `<path d="M${BOX.left} ${top - 4}h24" stroke="${figure.colour(look)}" stroke-width="2"${dash}/>`;
  return sample + text(BOX.left + 32, top, shape.curve.label, "");
}

/** @param {number} x @param {number} y @param {string} content @param {string} attributes */
function text(x, y, content, attributes) {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${xmlText(content)}</text>`;
}
