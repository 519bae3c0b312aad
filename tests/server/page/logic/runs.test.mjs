// Runs beside each other, their logs and their images.
import assert from "node:assert/strict";
import test from "node:test";
import { columnsOf, extremes, usual } from "../../../../projrun/server/page/static/lib/comparison.js";
import { cellText, column, deviation } from "../../../../projrun/server/page/static/lib/columns.js";
import { box, boxes, dimension } from "../../../../projrun/server/page/static/lib/dimensions.js";
import { atStep, families } from "../../../../projrun/server/page/static/lib/image_paths.js";
import { Rows } from "../../../../projrun/server/page/static/lib/log_rows.js";
import { CHUNK, LogSource } from "../../../../projrun/server/page/static/lib/log_source.js";
import { commitLink, failureOf, runOf, webAddress } from "../../../../projrun/server/page/static/lib/runs.js";

const run = (id, params, metrics = {}, tags = {}) =>
  runOf({
    info: { run_id: id, experiment_id: "1", status: "FINISHED", start_time: 1000, end_time: 3000 },
    data: {
      params: Object.entries(params).map(([key, value]) => ({ key, value })),
      metrics: Object.entries(metrics).map(([key, value]) => ({ key, value, step: 1, timestamp: 5 })),
      tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
    },
  });

test("columns that differ", () => {
  const columns = columnsOf([run("a", { lr: "0.1", seed: "1" }, { loss: "NaN" }), run("b", { lr: "0.2", seed: "1" }, { loss: 2 }), run("c", { seed: "1" })]);
  const found = Object.fromEntries(columns.map((column) => [column.key, column]));
  assert.deepEqual([found.lr.cells, found.lr.differs, found.seed.differs], [["0.1", "0.2", null], true, false]);
  assert.deepEqual(found.loss.cells, [NaN, 2, null]);
  assert.equal(usual(["a", "b", "a"]), "a");
  assert.equal(usual([1, 2, 3]), undefined);
  assert.deepEqual(extremes([3, NaN, 1, null]), { least: 1, greatest: 3 });
});

test("axes", () => {
  assert.deepEqual(dimension("lr", ["0.1", null, "1"]).places, [0.1, null, 1]);
  const words = dimension("opt", ["sgd", "adam", "sgd"]);
  assert.deepEqual([words.numeric, words.words, words.places], [false, ["adam", "sgd"], [1, 0, 1]]);
  assert.deepEqual(dimension("x", [0, 10, -1], true).places, [null, 10, null]);
  assert.equal(dimension("x", [1, "NaN"]).numeric, true);
});

test("boxes", () => {
  const { first, median, third, low, high, outliers } = box("a", [1, 2, 3, 4, 100]);
  assert.deepEqual([first, median, third, low, high, outliers], [2, 3, 4, 1, 4, [100]]);
  assert.deepEqual(boxes(["b", "a", "b", null], [1, 2, 3, 4]).map((each) => [each.name, each.count, each.mean]), [["a", 1, 2], ["b", 2, 2], ["none", 1, 4]]);
});

test("links to commits go to the host of the repository and nowhere else", () => {
  const commit = "0123456789abcdef";
  assert.equal(commitLink("git@github.com:a/b.git", commit), `https://github.com/a/b/commit/${commit}`);
  assert.equal(commitLink("https://user:secret@gitlab.example.org/a/b", commit), `https://gitlab.example.org/a/b/-/commit/${commit}`);
  assert.equal(webAddress("https://github.com/a/b#sub/dir"), "https://github.com/a/b");
  for (const repository of ["javascript:alert(1)", "file:///a", "/a/b", "C:\\a", ""]) assert.equal(commitLink(repository, commit), "");
  assert.equal(commitLink("https://github.com/a/b", "main"), "");
});

test("why a run failed", () => {
  const failed = { ...run("a", {}, {}, { "projrun.reason": "exit code 137", "projrun.exit_code": "137", "projrun.signal": "SIGKILL", "projrun.oom": "true" }), status: "FAILED" };
  assert.deepEqual(failureOf(failed), { reason: "exit code 137", facts: ["signal SIGKILL", "out of memory"] });
  assert.equal(failureOf(run("a", {})), null);
});

test("images of the same path at several steps", () => {
  const logged = "images/sample%step%20%timestamp%17%0a.png";
  const [numbered, one, mlflow] = families([
    { run: "a", paths: ["images/x_1.png", "images/x_10.png", "plot.png", "notes.txt", logged] },
    { run: "b", paths: ["images/x_5.png"] },
  ]);
  assert.deepEqual([numbered.family, numbered.steps], ["images/x_#.png", [1, 5, 10]]);
  assert.deepEqual(atStep(numbered.paths.get("a"), 7), { path: "images/x_1.png", step: 1 });
  assert.equal(atStep(numbered.paths.get("b"), 1), null);
  assert.deepEqual([one.family, one.steps, mlflow.family, mlflow.steps], ["plot.png", [0], "images/sample", [20]]);
});

const fileOf = (text) => {
  const bytes = new TextEncoder().encode(text);
  let read = 0;
  return { source: new LogSource(async (start, end) => ((read += Math.min(end, bytes.length) - Math.min(start, bytes.length)), { bytes: bytes.subarray(start, end), size: bytes.length })), read: () => read };
};

test("a log in chunks is the log", async () => {
  const lines = Array.from({ length: 60_000 }, (_, index) => `line ${index} ${"ä".repeat(index % 13)}`);
  const { source } = fileOf(`${lines.join("\n")}\n`);
  await source.ensure(0);
  for (let chunk = 0; chunk < source.chunkCount; chunk += 1) await source.ensure(chunk);
  const found = [...Array(source.chunkCount).keys()].flatMap((chunk) => source.chunks.get(chunk).map((line) => line.text));
  assert.deepEqual(found, lines);
  const last = source.chunkCount - 1;
  assert.equal(source.firstNumber(last), lines.length - source.chunks.get(last).length + 1);
});

test("of a large log only what is shown is read, and search finds the rest", async () => {
  const lines = Array.from({ length: 400_000 }, (_, index) => (index === 399_000 ? "the needle" : `line number ${index}`));
  const { source, read } = fileOf(lines.join("\n"));
  await source.ensure(0);
  await source.ensure(source.chunkCount - 1);
  assert.ok(read() < 3 * CHUNK);
  assert.equal(source.firstNumber(source.chunkCount - 1), null);
  const [match] = await source.search("NEEDLE", { signal: new AbortController().signal, onProgress: () => {} });
  await source.ensure(match.chunk);
  assert.equal(source.chunks.get(match.chunk)[match.line].text, "the needle");
});

test("a log grows, repeats itself and has long lines", async () => {
  let bytes = new TextEncoder().encode("a\na\na\nb");
  const source = new LogSource(async (start, end) => ({ bytes: bytes.subarray(start, end), size: bytes.length }));
  await source.ensure(0);
  assert.deepEqual(source.chunks.get(0).map((line) => [line.text, line.count]), [["a", 3], ["b", 1]]);
  assert.equal(await source.grow(), false);
  bytes = new TextEncoder().encode(`a\na\na\nbc\n${"x".repeat(10_000)}`);
  assert.equal(await source.grow(), true);
  const [, second, third] = source.chunks.get(0);
  assert.deepEqual([second.text, third.text.length, third.cut], ["bc", 4000, 6000]);
  bytes = new TextEncoder().encode("new");
  await source.grow();
  await source.ensure(0);
  assert.deepEqual(source.chunks.get(0).map((line) => line.text), ["new"]);
});

test("of a log without ends of lines each part is read once", async () => {
  const bytes = new Uint8Array(CHUNK * 60).fill(46);
  let reads = 0;
  const source = new LogSource(async (start, end) => ((reads += 1), { bytes: bytes.subarray(start, end), size: bytes.length }));
  for (const _ of [1, 2]) for (let index = 0; index < 60; index += 1) await source.ensure(index);
  assert.equal(reads, 60);
  assert.equal(source.chunks.get(0)?.length, 1);
});

test("wrapped lines have several rows", async () => {
  const { source } = fileOf(`${"x".repeat(25)}\ny\nz`);
  await source.ensure(0);
  const rows = new Rows(source, { columns: 10, first: 0, last: 1 });
  assert.deepEqual([rows.total, rows.rowOf(0, 1), rows.between(3, 5).map((line) => line.line)], [5, 3, [1, 2]]);
  assert.equal(new Rows(source, { columns: 0, first: 0, last: 1 }).total, 3);
});

test("numbers fit into their column", () => {
  const text = (value) => cellText(column("metric", "n"), value, String);
  assert.deepEqual([123456789, -123456789, 9999999, 0.0894148, "NaN", "-Infinity", 1e300].map(text), ["1.2346e8", "−1.2346e8", "9,999,999", "0.0894148", "NaN", "−∞", "1e300"]);
});

test("one value has no deviation", () => {
  assert.deepEqual([deviation({ count: 1, std: 0 }), deviation({ count: 2, std: 0.1414 })], ["", "± 0.14"]);
});
