// @ts-check
/** The curves of a chart on a canvas. uPlot draws axes and grid; curves of different runs share no x values, so they are drawn here. */

import { trace } from "../lib/trace.js";

/** @typedef {import("../lib/curves.js").Shape} Shape */
/** @typedef {import("../lib/colours.js").Look} Look */
/**
 * @typedef {object} Drawing
 * @property {readonly Shape[]} shapes
 * @property {Map<string, Look>} looks
 * @property {boolean} smoothed raw lines are drawn behind
 * @property {(look: Look | undefined) => string} colour
 */
/** @typedef {{ left: number, top: number, width: number, height: number }} Box */
/**
 * @typedef {object} Plane From values to pixels of the canvas.
 * @property {Box} box
 * @property {(value: number) => number} x
 * @property {(value: number) => number} y
 * @property {[number, number]} range of x
 * @property {number} ratio pixels of the canvas for one of the page
 */

/** More curves are drawn as thin lines, which cover less of each other and take a fraction of the time. */
const MANY = 20;
/** A line longer than this many widths of the chart goes up and down everywhere: dashes could not be seen in it, and take most of the time. */
const NOISY = 4;

/** @param {CanvasRenderingContext2D} ctx @param {Plane} plane @param {Drawing} drawing */
export function drawCurves(ctx, plane, drawing) {
  within(ctx, plane.box, () => {
    if (drawing.smoothed) {
      ctx.globalAlpha = drawing.shapes.length > 12 ? 0.12 : 0.25;
      for (const shape of drawing.shapes) line(ctx, plane, shape, shape.raw, drawing, 1);
      ctx.globalAlpha = 1;
    }
    for (const shape of drawing.shapes) line(ctx, plane, shape, shape.line, drawing, drawing.shapes.length > MANY ? 1 : 1.5);
    for (const shape of drawing.shapes) marks(ctx, plane, shape, drawing);
  });
}

/** One curve in full strength, above all others. @param {CanvasRenderingContext2D} ctx @param {Plane} plane @param {Drawing} drawing @param {string} run */
export function drawFocus(ctx, plane, drawing, run) {
  within(ctx, plane.box, () => {
    for (const shape of drawing.shapes) if (shape.curve.run === run) line(ctx, plane, shape, shape.line, drawing, 3);
  });
}

/** @param {CanvasRenderingContext2D} ctx @param {Box} box @param {() => void} draw */
function within(ctx, box, draw) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(box.left, box.top, box.width, box.height);
  ctx.clip();
  draw();
  ctx.restore();
}

/** @param {CanvasRenderingContext2D} ctx @param {Plane} plane @param {Shape} shape @param {number[]} values @param {Drawing} drawing @param {number} width */
function line(ctx, plane, shape, values, drawing, width) {
  const look = drawing.looks.get(shape.curve.run);
  let height = 0; // that the line climbs and falls
  let last = 0;
  const dots = trace(shape.xs, values, plane, {
    begin: () => ctx.beginPath(),
    move: (x, y) => ctx.moveTo(x, (last = y)),
    to: (x, y) => {
      height += Math.abs(y - last);
      ctx.lineTo(x, (last = y));
    },
  });
  ctx.strokeStyle = ctx.fillStyle = drawing.colour(look);
  ctx.lineWidth = width * plane.ratio;
  ctx.lineJoin = "bevel";
  ctx.setLineDash(height > NOISY * plane.box.width ? [] : (look?.dash ?? []).map((length) => length * plane.ratio));
  ctx.stroke();
  const radius = (width + 1.5) * plane.ratio;
  for (const [x, y] of dots) {
    ctx.beginPath();
    ctx.arc(x, y, radius, 0, 2 * Math.PI);
    ctx.fill();
  }
}

/** A cross at the edge for NaN, a triangle for an infinity. @param {CanvasRenderingContext2D} ctx @param {Plane} plane @param {Shape} shape @param {Drawing} drawing */
function marks(ctx, plane, shape, drawing) {
  if (!shape.marks.length) return;
  ctx.setLineDash([]);
  ctx.strokeStyle = ctx.fillStyle = drawing.colour(drawing.looks.get(shape.curve.run));
  ctx.lineWidth = 1.5 * plane.ratio;
  const size = 4 * plane.ratio;
  const taken = new Set(); // many marks in one place are one
  ctx.beginPath();
  for (const { x, kind } of shape.marks) {
    const left = plane.x(x);
    const place = kind + Math.round(left / size / 2);
    if (taken.has(place)) continue;
    taken.add(place);
    const up = kind === "inf";
    const top = up ? plane.box.top + size * 1.5 : plane.box.top + plane.box.height - size * 1.5;
    if (kind === "nan") {
      ctx.moveTo(left - size, top - size);
      ctx.lineTo(left + size, top + size);
      ctx.moveTo(left - size, top + size);
      ctx.lineTo(left + size, top - size);
    } else {
      const tip = up ? top - size : top + size;
      const base = up ? top + size : top - size;
      ctx.moveTo(left - size, base);
      ctx.lineTo(left + size, base);
      ctx.lineTo(left, tip);
      ctx.closePath();
    }
  }
  ctx.stroke();
}
