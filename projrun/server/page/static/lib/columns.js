// @ts-check
/** Columns of a table of runs: their names in addresses, what they show, which are shown at first. */

import { byName, duration, exponential, number } from "./format.js";

/** @typedef {"attribute" | "metric" | "param" | "tag" | "curve"} Kind A curve is a metric's history, drawn small. */
/** @typedef {"last" | "min" | "max"} Aggregate */
/** @typedef {{ id: string, kind: Kind, key: string, aggregate: Aggregate }} Column `id` stands for it in addresses. */
/** @typedef {{ kind: Kind, key: string, runs: number, differs: boolean }} Known What the server says of a column. */
/** @typedef {string | number | boolean | null | undefined} Cell */

/** Maps, since their keys come from addresses and from whoever records: an object has a `constructor`. @type {Map<string, [Kind, Aggregate]>} */
const PREFIXES = new Map([
  ["a", ["attribute", "last"]],
  ["m", ["metric", "last"]],
  ["min", ["metric", "min"]],
  ["max", ["metric", "max"]],
  ["p", ["param", "last"]],
  ["t", ["tag", "last"]],
  ["c", ["curve", "last"]],
]);

/** @param {Kind} kind @param {string} key @param {Aggregate} [aggregate] @returns {Column} */
export function column(kind, key, aggregate = "last") {
  const prefix = [...PREFIXES].find(([, [known, how]]) => known === kind && how === aggregate)?.[0] ?? "a";
  return { id: `${prefix}.${key.replace(/[%,]/g, encodeURIComponent)}`, kind, key, aggregate };
}

/** @param {string} id @returns {Column | null} */
export function columnOf(id) {
  const [, prefix = "", key = ""] = /^(\w+)\.(.+)$/s.exec(id) ?? [];
  const known = PREFIXES.get(prefix);
  if (!known || (prefix === "a" && !ATTRIBUTES.has(key))) return null;
  return { id, kind: known[0], key: key.replace(/%25|%2C/gi, decodeURIComponent), aggregate: known[1] };
}

/** @param {string} text of an address @returns {Column[]} each once */
export function columnsOf(text) {
  const found = text.split(",").map(columnOf);
  return [...new Map(found.flatMap((each) => (each ? [[each.id, each]] : []))).values()];
}

/** @param {readonly Column[]} columns */
export function columnsText(columns) {
  return columns.map((each) => each.id).join(",");
}

/** An order in an address is a column, with `-` before it for the greatest first.
 * @param {string} text @returns {{ column: Column, descending: boolean } | null} */
export function orderOf(text) {
  const descending = text.startsWith("-");
  const found = columnOf(descending ? text.slice(1) : text);
  return found && found.kind !== "curve" ? { column: found, descending } : null;
}

const ATTRIBUTES = new Map(
  Object.entries({
    run_name: "Run",
    run_id: "Id",
    status: "Status",
    user_id: "User",
    start_time: "Started",
    end_time: "Ended",
    duration: "Duration",
    artifact_uri: "Artifacts",
    experiment_id: "Experiment",
    lifecycle_stage: "Stage",
  }),
);
const TAGS = new Map(
  Object.entries({
    "mlflow.user": "User",
    "mlflow.source.name": "Source",
    "mlflow.source.git.commit": "Commit",
    "mlflow.note.content": "Description",
  }),
);

/** @param {Column} shown */
export function title({ kind, key }) {
  if (kind === "attribute") return ATTRIBUTES.get(key) ?? key;
  return kind === "tag" ? (TAGS.get(key) ?? key) : key;
}

/** What is written small beside it: which value, or which kind. @param {Column} shown */
export function subtitle({ kind, aggregate }) {
  if (kind === "metric") return aggregate === "last" ? "" : aggregate;
  return kind === "curve" ? "curve" : kind === "param" ? "param" : kind === "tag" ? "tag" : "";
}

/** Attributes that a person may choose. */
export const ATTRIBUTE_KEYS = ["status", "start_time", "end_time", "duration", "user_id", "run_id", "artifact_uri"];

const LOW = /loss|err|mae|mse|rmse|mape|perplexity|wer|cer|log_?loss|latency|time|seconds|distance/i;

/** Which end of a metric is its best, by its name. @param {string} key @returns {"min" | "max"} */
export function best(key) {
  return LOW.test(key) ? "min" : "max";
}

/** Those that are shown where nobody chose: what runs differ in, metrics first.
 * @param {readonly Known[]} known @returns {Column[]} */
export function defaultColumns(known) {
  const by = (/** @type {Kind} */ kind, /** @type {number} */ most) =>
    known
      .filter((each) => each.kind === kind && !each.key.startsWith("system/"))
      .sort((one, other) => Number(other.differs) - Number(one.differs) || other.runs - one.runs || byName(one.key, other.key))
      .slice(0, most)
      .map((each) => column(kind, each.key));
  return [column("attribute", "start_time"), column("attribute", "duration"), ...by("metric", 6), ...by("param", 8)];
}

/** @param {Column} shown */
export function isNumeric({ kind, key }) {
  return kind === "metric" || (kind === "attribute" && key === "duration");
}

/** Pixels. @param {Column} shown */
export function widthOf(shown) {
  if (shown.kind === "curve") return 132;
  if (shown.kind === "attribute" && shown.key.endsWith("_id")) return 150;
  if (shown.kind === "attribute" && shown.key.endsWith("_time")) return 120;
  const label = title(shown).length + (subtitle(shown) ? subtitle(shown).length + 1 : 0);
  const least = shown.kind === "tag" ? 120 : 92;
  return Math.min(220, Math.max(least, Math.round(label * 7.4) + 48));
}

const WIDEST = 1e7; // a whole number that a narrow column has room for

/** How a group varies, which one value does not. @param {{ count: number, std: number | string }} statistics */
export function deviation({ count, std }) {
  return count > 1 ? `± ${number(std, 2)}` : "";
}

/** A cell as text. @param {Column} shown @param {Cell} value @param {(milliseconds: number) => string} time */
export function cellText({ kind, key }, value, time) {
  if (value === null || value === undefined) return "";
  if (kind === "metric") return Math.abs(Number(value)) >= WIDEST ? exponential(Number(value)) : number(value);
  if (kind === "attribute" && key === "duration") return duration(Number(value));
  if (kind === "attribute" && key.endsWith("_time")) return time(Number(value));
  return String(value);
}
