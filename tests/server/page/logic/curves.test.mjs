// Curves: smoothing, what is drawn of them, and where.
import assert from "node:assert/strict";
import test from "node:test";
import { bounds, nearest, PLAIN, shape } from "../../../../projrun/server/page/static/lib/curves.js";
import { smooth } from "../../../../projrun/server/page/static/lib/smoothing.js";
import { ticks, logTicks } from "../../../../projrun/server/page/static/lib/ticks.js";
import { trace } from "../../../../projrun/server/page/static/lib/trace.js";
import { svgOf } from "../../../../projrun/server/page/static/lib/chart_svg.js";
import { looks } from "../../../../projrun/server/page/static/lib/colours.js";

const curve = (values, xs = values.map((_, index) => index)) => ({ run: "r", label: "run <1>", key: "loss", xs, values });

/** TensorBoard's smoothing (vz_line_chart2, resmoothDataset). */
function tensorboard(values, weight) {
  let last = 0;
  let count = 0;
  return values.map((value) => {
    if (!Number.isFinite(value)) return value;
    last = last * weight + (1 - weight) * value;
    count += 1;
    return last / (1 - weight ** count);
  });
}

test("smoothing is TensorBoard's, and leaves out what is not finite", () => {
  const values = [1, 5, NaN, 2, Infinity, 3, -4, 0.5];
  for (const weight of [0.3, 0.9, 0.99]) {
    smooth(values, weight).forEach((value, index) => {
      const wanted = tensorboard(values, weight)[index];
      assert.ok(Object.is(value, wanted) || Math.abs(value - wanted) < 1e-9);
    });
  }
  assert.deepEqual(smooth(values, 0), values);
  assert.deepEqual(smooth([7, 7, 7], 0.9).map((value) => value.toFixed(9)), Array(3).fill("7.000000000"));
});

test("NaN and infinities are marks and gaps", () => {
  const { marks, line } = shape(curve([1, NaN, Infinity, -Infinity, 2]), PLAIN);
  assert.deepEqual(marks, [{ x: 1, kind: "nan" }, { x: 2, kind: "inf" }, { x: 3, kind: "-inf" }]);
  assert.deepEqual(line, [1, NaN, NaN, NaN, 2]);
});

test("a logarithmic axis says what it leaves out", () => {
  const { xs, line, unshown } = shape(curve([1, 0, -3, 10]), { ...PLAIN, logX: true, logY: true });
  assert.deepEqual([xs, line, unshown], [[1, 2, 3], [NaN, NaN, 10], 3]);
});

test("points out of order are drawn from left to right", () => {
  assert.deepEqual(shape(curve([1, 2, 3], [5, 2, 9]), PLAIN).line, [2, 1, 3]);
});

test("bounds hold everything, and of a zoom only what is in it", () => {
  const shapes = [shape(curve([0, 10, 2, 3]), PLAIN)];
  assert.deepEqual(bounds(shapes, PLAIN, null).x, [0, 3]);
  assert.deepEqual(bounds(shapes, PLAIN, [2, 3]), { x: [2, 3], y: [1.95, 3.05] });
  assert.deepEqual(bounds([], PLAIN, null), { x: [0, 1], y: [0, 1] });
  const [low, high] = bounds([shape(curve([5, 5]), PLAIN)], PLAIN, null).y;
  assert.ok(low < 5 && high > 5);
  assert.deepEqual(bounds([shape(curve([5]), PLAIN)], PLAIN, null).x, [-1, 1]); // one point is in the middle
});

test("the nearest point is found", () => {
  assert.deepEqual([-5, 2.4, 2.6, 99].map((x) => nearest([0, 2, 3], x)), [0, 1, 2, 2]);
  assert.equal(nearest([], 1), -1);
});

test("a path has at most four points a column, and every peak", () => {
  const values = Array.from({ length: 100_000 }, (_, index) => (index === 51_234 ? 1000 : index % 7));
  const { xs, line } = shape(curve(values), PLAIN);
  const drawn = [];
  const pen = { begin: () => {}, move: (x, y) => drawn.push([x, y]), to: (x, y) => drawn.push([x, y]) };
  trace(xs, line, { x: (x) => x / 500, y: (y) => y, range: [0, 100_000] }, pen);
  assert.ok(drawn.length <= 4 * 201, String(drawn.length));
  assert.ok(drawn.some(([, y]) => y === 1000));
});

test("a point between gaps is a dot", () => {
  const xs = Array.from({ length: 100 }, (_, index) => index);
  const dots = trace(xs, xs.map((x) => (x === 50 || x > 60 ? 1 : NaN)), { x: (x) => x * 10, y: (y) => y, range: [0, 99] }, { begin() {}, move() {}, to() {} });
  assert.deepEqual(dots, [[500, 1]]);
});

test("ticks are round", () => {
  assert.deepEqual(ticks(0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(ticks(-30, 170, 4), [0, 50, 100, 150]);
  assert.deepEqual(logTicks(0.5, 5000), [1, 10, 100, 1000]);
  assert.deepEqual(logTicks(1, 30), [1, 2, 5, 10, 20]);
});

test("a chart as SVG holds names as text", () => {
  const shapes = [shape(curve([1, 2, NaN, 4]), PLAIN)];
  const text = (value) => String(value);
  const svg = svgOf({ title: "a<script>&", xTitle: "step", shapes, bounds: bounds(shapes, PLAIN, null), logX: false, logY: false, smoothed: false, looks: looks(["r"]), colour: () => "#123456", xText: text, yText: text, ink: "#000", paper: "#fff" });
  assert.ok(svg.includes("a&lt;script&gt;&amp;") && svg.includes("run &lt;1&gt;") && !svg.includes("<script"));
});
