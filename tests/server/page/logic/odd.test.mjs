// Names and values that nobody expects: they come from addresses, clocks and whoever records.
import assert from "node:assert/strict";
import test from "node:test";
import { column, columnOf, orderOf, title } from "../../../../projrun/server/page/static/lib/columns.js";
import { columnsOf } from "../../../../projrun/server/page/static/lib/comparison.js";
import { bounds, PLAIN, shape } from "../../../../projrun/server/page/static/lib/curves.js";
import { axisTicks, dimension, pixels } from "../../../../projrun/server/page/static/lib/dimensions.js";
import { ago, date, exactDate, isoDate, localDate } from "../../../../projrun/server/page/static/lib/format.js";
import { languageOf } from "../../../../projrun/server/page/static/lib/highlight.js";
import { kindOf } from "../../../../projrun/server/page/static/lib/media.js";
import { href, path, routeOf } from "../../../../projrun/server/page/static/lib/router.js";
import { pathsOf, pathsText } from "../../../../projrun/server/page/static/lib/run_items.js";
import { runOf } from "../../../../projrun/server/page/static/lib/runs.js";

/** The ends of what doubles can be, and neighbours that differ in their last bit. */
const PAIRS = [[1.7e308, -1.7e308], [1.79e308, 1.79e308], [5e-324, 5e-324], [5e-324, 1e308], [1e20, 1e20 + 16384], [1e16, 1e16 + 2], [1.7e15, 1.7e15 + 0.25], [1e-200, 1e200], [0.1, 0.1 + 2 ** -56], [0, 5e-324]];

test("the axes of a chart can be divided, whatever the values are", () => {
  for (const pair of PAIRS) {
    for (const log of [false, true]) {
      const settings = { ...PLAIN, logX: log, logY: log };
      const curve = { run: "r", label: "r", key: "k", xs: [...pair].sort((one, other) => one - other), values: pair };
      for (const zoom of [null, pair[0] < pair[1] ? pair : null]) {
        const { x, y } = bounds([shape(curve, settings)], settings, zoom);
        for (const [low, high] of [x, y]) {
          assert.ok(low < high && Number.isFinite(high - low), `${pair}: ${low} to ${high}`);
          // As uPlot steps: 240 pixels have at most 24 ticks.
          if (!log) assert.ok(low + (high - low) / 24 > low && high - (high - low) / 24 < high, `${pair}: ${low} to ${high}`);
          if (log) assert.ok(low > 0, `${pair}: ${low}`);
        }
      }
    }
  }
});

test("so can those that are drawn as SVG", () => {
  for (const pair of PAIRS) {
    for (const log of [false, true]) {
      const axis = dimension("a", pair, log);
      assert.ok(axisTicks(axis, 5, String).length < 800, `${pair}`); // a power each where it is logarithmic
      for (const place of axis.places) assert.ok(place === null || Number.isFinite(pixels(axis, [0, 400])(place)), `${pair}`);
    }
  }
});

test("a time that is no date is a number", () => {
  const late = 9e15;
  for (const text of [date, exactDate, isoDate, localDate].map((each) => each(late))) assert.equal(text, "9e15 ms after 1970");
  assert.equal(ago(-late, 0), "−9e15 ms after 1970");
  assert.equal(isoDate(0), "1970-01-01T00:00:00.000Z");
  const run = runOf({ info: { run_id: "a", experiment_id: "1", status: "FINISHED", start_time: late } });
  const started = (/** @type {any} */ each) => columnsOf([each]).find(({ key }) => key === "started")?.cells[0];
  assert.equal(started(run), "9e15 ms after 1970");
  assert.equal(started({ ...run, start: 1_700_000_000_000 }), "2023-11-14 22:13:20");
});

test("names that every object has are names like others", () => {
  for (const name of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
    assert.equal(columnOf(`${name}.x`), null);
    assert.equal(columnOf(`t.${name}`)?.key, name);
    assert.equal(title(column("tag", name)), name);
    assert.equal(title(column("attribute", name)), name);
    assert.equal(kindOf(`a.${name}`), "text");
    assert.equal(languageOf(`a.${name}`), "");
  }
});

test("groups that are open, also that of the runs without a value", () => {
  for (const paths of [[], [""], ["a"], ["", "a\tb"]]) assert.deepEqual(pathsOf(pathsText(paths)), paths);
  assert.deepEqual(pathsOf(undefined), []);
});

test("columns of addresses are those that there are", () => {
  assert.equal(columnOf("a.nonsense"), null);
  assert.equal(orderOf("c.loss"), null);
  assert.equal(orderOf("-m.loss")?.descending, true);
});

test("how long ago what is yet to come was", () => {
  const now = 1_700_000_000_000;
  assert.equal(ago(now + 60_000, now), "now"); // clocks differ
  assert.match(ago(now + 86_400_000, now), /2023/);
});

test("whatever has a name has an address, which browsers leave as it is", () => {
  const places = [{ name: "version", path: "/models/:name/versions/:version", load: async () => ({ View: null }) }];
  for (const name of [".", "..", "~.", "~~..", "~a", "...", "%2e%2e", "a/b", "#?&=%", "\\", " ", "é", "%zz"]) {
    const { pathname, search } = new URL(href(path("models", name, "versions", "..")), "http://localhost");
    assert.deepEqual(routeOf(pathname, search, places).params, { name, version: ".." });
  }
});
