// @ts-check
/** What the table asks of the server: rows, cells, known columns, groups, changes. */

import { ApiError, get, own, post } from "../../lib/api.js";

/** @typedef {import("../../lib/columns.js").Column} Column */
/** @typedef {import("../../lib/columns.js").Known} Known */
/** @typedef {import("../../lib/columns.js").Cell} Cell */
/** @typedef {{ signal?: AbortSignal }} How */
/** @typedef {{ experiment: string, filter: string, deleted: boolean }} Selection */
/** @typedef {{ total: number, rows: number[], parents: Map<number, number>, token: string, window?: Window }} Found `token` is where changes begin. */
/** @typedef {{ rows: number, columns: readonly Column[] }} Sight How many of the first rows are read at once, and what of them. */
/** @typedef {{ count: number, mean: number | string, std: number | string, min: number | string, max: number | string }} Statistics */
/** @typedef {{ value: Cell, rows: number[], metrics: (Statistics | null)[] }} Group */
/** @typedef {{ ids: Map<number, string>, cells: Map<string, Map<number, Cell>> }} Window Of each column by its id, the cells of rows. */

/** @param {Selection} selection */
const message = ({ experiment, filter, deleted }) => ({
  experiment_ids: [experiment],
  filter,
  view: deleted ? "deleted" : "active",
});

/** @param {Column} column */
const asked = ({ kind, key, aggregate }) => (kind === "metric" ? { kind, key, aggregate } : { kind, key });

/** @param {Selection} selection @param {{ column: Column, descending: boolean } | null} order @param {boolean} parents @param {Sight} sight @param {How} how
 * @returns {Promise<Found>} */
async function searchTables(selection, order, parents, { rows, columns }, how) {
  const order_by = order ? [{ ...asked(order.column), descending: order.descending }] : [];
  const window = { rows, columns: columns.map(asked) };
  const answer = await own("POST", "runs/search", { ...message(selection), order_by, parents, window }, how);
  return { ...answer, parents: new Map(answer.parents ?? []), window: windowOf(answer.window, columns) };
}

/** @param {string} experiment @param {readonly number[]} rows @param {readonly Column[]} columns @param {How} [how] @returns {Promise<Window>} */
async function readTables(experiment, rows, columns, how) {
  const answer = await own("POST", "runs/rows", { experiment_ids: [experiment], rows, columns: columns.map(asked) }, how);
  return windowOf(answer, columns);
}

/** @param {{ rows: number[], run_ids: string[], columns: { values: Cell[] }[] }} answer @param {readonly Column[]} columns @returns {Window} */
function windowOf({ rows, run_ids: ids, columns: answered }, columns) {
  /** @template T @param {T[]} values @returns {Map<number, T>} */
  const byRow = (values) => new Map(rows.map((row, at) => [row, values[at]]));
  return { ids: byRow(ids), cells: new Map(columns.map((column, index) => [column.id, byRow(answered[index].values)])) };
}

/** @param {Selection} selection @param {How} how @returns {Promise<Known[]>} */
async function knownTables(selection, how) {
  return (await own("POST", "columns", message(selection), how)).columns;
}

/** @param {Selection} selection @param {Column} by @param {readonly Column[]} metrics @param {How} how @returns {Promise<Group[]>} */
async function groupTables(selection, by, metrics, how) {
  return (await own("POST", "groups", { ...message(selection), by: asked(by), metrics: metrics.map(asked) }, how)).groups;
}

/** @param {string} experiment @param {string} since @returns {Promise<{ token: string, new: number[], changed: number[] }>} */
function changesTables(experiment, since) {
  return own("POST", "changes", { experiment_ids: [experiment], since });
}

/** The names of runs by their ids. @param {string} experiment @param {readonly string[]} runs @param {How} how @returns {Promise<Map<string, string>>} */
async function namesOfTables(experiment, runs, how) {
  const columns = [{ kind: "attribute", key: "run_name" }];
  const answer = await own("POST", "runs/rows", { experiment_ids: [experiment], run_ids: runs, columns }, how);
  return new Map(answer.run_ids.map((/** @type {string} */ run, /** @type {number} */ at) => [run, answer.columns[0].values[at]]));
}

const tables = { names: namesOfTables, search: searchTables, read: readTables, known: knownTables, groups: groupTables, changes: changesTables };

/** @type {Promise<typeof import("./plain_source.js")> | null} Where the store has no tables. */
let plain = null;

/** A call, by MLflow's API alone where the store behind the server is not projrun's own.
 * @template {keyof typeof tables} Name @param {Name} name @returns {(typeof tables)[Name]} */
function either(name) {
  const call = async (/** @type {any[]} */ ...words) => {
    if (!plain) {
      try {
        return await /** @type {any} */ (tables[name])(...words);
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 501) throw error;
        plain ??= import("./plain_source.js");
      }
    }
    return /** @type {any} */ (await plain)[name](...words);
  };
  return /** @type {any} */ (call);
}

export const search = either("search");
export const read = either("read");
export const known = either("known");
export const groups = either("groups");
export const changes = either("changes");
export const names = either("names");

/** Some points of a metric of each run, in order. @param {readonly string[]} runs at most 100 @param {string} key
 * @returns {Promise<Map<string, number[]>>} */
export async function curves(runs, key) {
  const answer = await get("metrics/get-history-bulk-interval", { run_ids: runs, metric_key: key, max_results: 60 });
  /** @type {Map<string, number[]>} */
  const found = new Map(runs.map((run) => [run, []]));
  for (const point of answer.metrics ?? []) found.get(point.run_id)?.push(Number(point.value));
  return found;
}

/** @param {string} run @param {boolean} deleted */
export function setDeleted(run, deleted) {
  return post(`runs/${deleted ? "delete" : "restore"}`, { run_id: run });
}

/** @param {string} run @param {string} key @param {string} value */
export function setTag(run, key, value) {
  return post("runs/set-tag", { run_id: run, key, value });
}
