// @ts-check
/**
 * The same table over MLflow's API alone, for a store of another server: up to 10,000 runs are read, then sorted, grouped
 * and counted here. It knows the last values of metrics only.
 */

import { post } from "../../lib/api.js";
import { toNumber } from "../../lib/format.js";

/** @typedef {import("./source.js").Selection} Selection */
/** @typedef {import("./source.js").How} How */
/** @typedef {import("../../lib/columns.js").Column} Column */
/** @typedef {import("../../lib/columns.js").Cell} Cell */
/** @typedef {{ row: number, id: string, info: any, metric: Map<string, Cell>, param: Map<string, Cell>, tag: Map<string, Cell> }} Run */

const PAGE = 1000;
const MOST = 10_000;
const ASKED = "asked"; // what changes is seen by what was read before
/** @type {Map<number, Run>} */
const runs = new Map();
/** @type {Map<string, Promise<Run[]>>} */
const asked = new Map();

/** @param {Selection} selection @param {number} most @returns {Promise<Run[]>} the newest first */
async function readRuns({ experiment, filter, deleted }, most) {
  /** @type {Run[]} */
  const all = [];
  let token;
  do {
    const message = { experiment_ids: [experiment], filter, run_view_type: deleted ? "DELETED_ONLY" : "ACTIVE_ONLY", max_results: Math.min(PAGE, most), page_token: token };
    const answer = await post("runs/search", message);
    all.push(...(answer.runs ?? []).map(runOf));
    token = answer.next_page_token;
  } while (token && all.length < most);
  for (const run of all) runs.set(run.row, run);
  return all;
}

/** @param {string} id @returns {number} the same every time, so that addresses may name rows */
const rowOf = (id) => Number.parseInt(id.replace(/[^0-9a-f]/g, "").slice(0, 12), 16);

/** @param {any} message @returns {Run} */
function runOf({ info, data = {} }) {
  const pairs = (/** @type {any[]} */ list = []) => new Map(list.map(({ key, value }) => [key, value]));
  const metric = new Map((data.metrics ?? []).map((/** @type {any} */ each) => [each.key, each.value]));
  return { row: rowOf(info.run_id), id: info.run_id, info, metric, param: pairs(data.params), tag: pairs(data.tags) };
}

/** @param {Run} run @param {Column} column @returns {Cell} */
function cellOf(run, { kind, key, aggregate }) {
  if (kind === "attribute") {
    if (key === "duration") return run.info.end_time ? Number(run.info.end_time) - Number(run.info.start_time) : null;
    return key.endsWith("_time") ? Number(run.info[key] ?? 0) || null : run.info[key];
  }
  if (kind === "curve" || (kind === "metric" && aggregate !== "last")) return null;
  return run[kind].get(key) ?? null;
}

/** Those of the last search: the same that columns and groups are asked of. @param {Selection} selection */
const found = (selection) => asked.get(JSON.stringify(selection)) ?? again(selection);

/** @param {Selection} selection */
function again(selection) {
  const answer = readRuns(selection, MOST);
  asked.clear();
  asked.set(JSON.stringify(selection), answer);
  return answer;
}

/** @param {Selection} selection @param {{ column: Column, descending: boolean } | null} order @returns {Promise<import("./source.js").Found>} */
export async function search(selection, order) {
  const all = [...(await again(selection))];
  if (order) all.sort((one, other) => compare(cellOf(one, order.column), cellOf(other, order.column)) * (order.descending ? -1 : 1) || 0);
  if (order) all.sort((one, other) => Number(isMissing(cellOf(one, order.column))) - Number(isMissing(cellOf(other, order.column))));
  const parents = all.flatMap((run) => {
    const parent = run.tag.get("mlflow.parentRunId");
    return parent ? [/** @type {[number, number]} */ ([run.row, rowOf(String(parent))])] : [];
  });
  return { total: all.length, rows: all.map((run) => run.row), parents: new Map(parents), token: ASKED };
}

/** @param {Cell} value */
const isMissing = (value) => value === null || value === undefined || value === "NaN";

/** @param {Cell} one @param {Cell} other */
function compare(one, other) {
  const by = toNumber(one) - toNumber(other);
  return Number.isNaN(by) ? String(one ?? "").localeCompare(String(other ?? "")) : by;
}

/** @param {string} _experiment @param {readonly number[]} rows @param {readonly Column[]} columns @returns {Promise<import("./source.js").Window>} */
export async function read(_experiment, rows, columns) {
  const known = rows.flatMap((row) => runs.get(row) ?? []);
  return {
    ids: new Map(known.map((run) => [run.row, run.id])),
    cells: new Map(columns.map((column) => [column.id, new Map(known.map((run) => [run.row, cellOf(run, column)]))])),
  };
}

/** @param {string} _experiment @param {readonly string[]} wanted @returns {Promise<Map<string, string>>} */
export async function names(_experiment, wanted) {
  return new Map(wanted.flatMap((id) => (runs.has(rowOf(id)) ? [[id, String(runs.get(rowOf(id))?.info.run_name)]] : [])));
}

/** @param {Selection} selection @returns {Promise<import("../../lib/columns.js").Known[]>} */
export async function known(selection) {
  const all = await found(selection);
  return /** @type {const} */ (["metric", "param", "tag"]).flatMap((kind) => {
    const values = new Map();
    for (const run of all) for (const [key, value] of run[kind]) if (!values.get(key)?.push(value)) values.set(key, [value]);
    return [...values].map(([key, list]) => ({ kind, key, runs: list.length, differs: list.length < all.length || new Set(list).size > 1 }));
  });
}

/** @param {Selection} selection @param {Column} by @param {readonly Column[]} metrics @returns {Promise<import("./source.js").Group[]>} */
export async function groups(selection, by, metrics) {
  /** @type {Map<Cell, Run[]>} */
  const parts = new Map();
  for (const run of await found(selection)) {
    const value = cellOf(run, by) ?? null;
    const part = parts.get(value);
    if (part) part.push(run);
    else parts.set(value, [run]);
  }
  return [...parts].map(([value, part]) => ({ value, rows: part.map((run) => run.row), metrics: metrics.map((metric) => statistics(part, metric)) }));
}

/** @param {Run[]} part @param {Column} metric @returns {import("./source.js").Statistics | null} */
function statistics(part, metric) {
  const values = part.map((run) => cellOf(run, metric)).filter((value) => !isMissing(value)).map(toNumber);
  if (!values.length) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { count: values.length, mean, std: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0, min: Math.min(...values), max: Math.max(...values) };
}

/** @param {string} experiment @param {string} since @returns {Promise<{ token: string, new: number[], changed: number[] }>} */
export async function changes(experiment, since) {
  const before = new Map([...runs].map(([row, run]) => [row, stateOf(run)]));
  const newest = await readRuns({ experiment, filter: "", deleted: false }, 100);
  const differing = newest.filter((run) => before.get(run.row) !== stateOf(run)).map((run) => run.row);
  const isNew = (/** @type {number} */ row) => !before.has(row);
  return since ? { token: since, new: differing.filter(isNew), changed: differing.filter((row) => !isNew(row)) } : { token: ASKED, new: [], changed: [] };
}

/** What changes while a run goes on. @param {Run} run */
const stateOf = ({ info, metric }) => JSON.stringify([info.status, info.run_name, [...metric]]);
