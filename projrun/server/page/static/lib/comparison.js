// @ts-check
/** Several runs side by side: which columns they have, in which they differ, and their values. */

import { byName, isoDate, toNumber } from "./format.js";
import { isInternal, isSystem } from "./runs.js";

/** @typedef {import("./runs.js").Run} Run */
/** @typedef {import("./dimensions.js").Cell} Cell */
/** @typedef {{ kind: "param" | "metric" | "attribute" | "tag", key: string, name: string, cells: Cell[], differs: boolean }} Column */

/** @type {[string, (run: Run) => Cell][]} */
const ATTRIBUTES = [
  ["status", (run) => run.status.toLowerCase()],
  ["duration (s)", (run) => (run.end ? Math.round(run.end - run.start) / 1000 : null)],
  ["started", (run) => isoDate(run.start).replace(/^(.{10})T(.{8})\..*$/, "$1 $2")],
  ["user", (run) => run.user || null],
  ["experiment", (run) => run.experiment],
  ["source", (run) => run.tags.get("mlflow.source.name") ?? null],
  ["entry point", (run) => run.tags.get("mlflow.project.entryPoint") ?? null],
  ["commit", (run) => run.tags.get("mlflow.source.git.commit")?.slice(0, 10) ?? null],
];

/** All columns that any of the runs has: params, metrics, attributes, tags. @param {Run[]} runs @returns {Column[]} */
export function columnsOf(runs) {
  const keys = (/** @type {(run: Run) => Iterable<string>} */ of) => [...new Set(runs.flatMap((run) => [...of(run)]))].sort(byName);
  const metrics = keys((run) => run.metrics.keys());
  const tags = keys((run) => run.tags.keys()).filter((key) => !isInternal(key));
  return [
    ...keys((run) => run.params.keys()).map((key) => column("param", key, runs.map((run) => run.params.get(key) ?? null))),
    ...metrics.filter((key) => !isSystem(key)).map((key) => column("metric", key, runs.map((run) => metric(run, key)))),
    ...metrics.filter(isSystem).map((key) => column("metric", key, runs.map((run) => metric(run, key)))),
    ...ATTRIBUTES.map(([key, of]) => column("attribute", key, runs.map(of))),
    ...tags.map((key) => column("tag", key, runs.map((run) => run.tags.get(key) ?? null))),
  ];
}

/** @param {Run} run @param {string} key @returns {Cell} */
function metric(run, key) {
  const found = run.metrics.get(key);
  return found ? toNumber(found.value) : null;
}

/** @param {Column["kind"]} kind @param {string} key @param {Cell[]} cells @returns {Column} */
function column(kind, key, cells) {
  const differs = cells.some((cell) => !Object.is(cell, cells[0]));
  return { kind, key, name: key, cells, differs };
}

/** The value that most runs have, by which the others differ; undefined where each has its own. @param {Cell[]} cells @returns {Cell} */
export function usual(cells) {
  /** @type {Map<Cell, number>} */
  const counts = new Map();
  for (const cell of cells) counts.set(cell, (counts.get(cell) ?? 0) + 1);
  let best = cells[0];
  for (const [cell, count] of counts) if (count > (counts.get(best) ?? 0)) best = cell;
  return cells.length > 2 && counts.get(best) === 1 ? undefined : best;
}

/** The least and the greatest of the numbers, where there are two different. @param {Cell[]} cells @returns {{ least: number, greatest: number } | null} */
export function extremes(cells) {
  const numbers = cells.filter((cell) => typeof cell === "number" && Number.isFinite(cell)).map(Number);
  if (numbers.length < 2) return null;
  const least = Math.min(...numbers);
  const greatest = Math.max(...numbers);
  return least < greatest ? { least, greatest } : null;
}
