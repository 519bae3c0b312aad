// @ts-check
/** Curves from the server, which takes together what a chart could not show apart, and keeps every peak. */

import { get, own } from "./api.js";
import { toNumber } from "./format.js";

/** @typedef {import("./curves.js").Curve} Curve */
/** @typedef {import("./curves.js").Range} Range */
/** @typedef {{ points: number, axis: import("./curves.js").Axis, zoom?: Range, patient?: boolean }} Wanted about how many points a run; between which x; rather waiting than rough */
/** @typedef {{ id: string, name: string }} Named */

const MOST_CURVES = 1000;
const MOST_RUNS = 100;
const AXES = { step: "step", relative: "relative", wall: "time" };

/** Whether the server has projrun's own call; another server (`projrun ui --tracking-uri`) has not. */
let ownCall = true;

/** A question that was put before the names of its runs were known: its text, and the answer that is coming. @type {{ text: string, answer: Promise<any> } | null} */
let ahead = null;

/** Begin to load what a chart is about to ask for: the first `loadCurves` of the same takes it. @param {readonly string[]} ids @param {string} key @param {Wanted} wanted */
export function askAhead(ids, key, wanted) {
  if (!ownCall || ids.length > MOST_CURVES) return;
  const message = questionOf(ids, key, wanted);
  const answer = own("POST", "curves", message);
  answer.catch(() => {}); // who takes it sees the error
  ahead = { text: JSON.stringify(message), answer };
}

/** One metric of several runs, without those that have no value. @param {readonly Named[]} runs @param {string} key @param {Wanted} wanted @param {{ signal?: AbortSignal }} [how] @returns {Promise<Curve[]>} */
export async function loadCurves(runs, key, wanted, how = {}) {
  if (ownCall) {
    try {
      const answers = await Promise.all(parts(runs, MOST_CURVES).map((part) => askOwn(part, key, wanted, how)));
      return answers.flat();
    } catch (error) {
      if (![404, 405, 501].includes(/** @type {any} */ (error).status)) throw error;
      ownCall = false;
    }
  }
  const answers = await Promise.all(parts(runs, MOST_RUNS).map((part) => askBulk(part, key, wanted, how)));
  return answers.flat();
}

/** @param {readonly Named[]} runs @param {number} most @returns {Named[][]} */
function parts(runs, most) {
  const answer = [];
  for (let from = 0; from < runs.length; from += most) answer.push(runs.slice(from, from + most));
  return answer;
}

/** @param {Named[]} runs @param {string} key @param {Wanted} wanted @param {{ signal?: AbortSignal }} how @returns {Promise<Curve[]>} */
async function askOwn(runs, key, wanted, how) {
  const message = questionOf(runs.map((run) => run.id), key, wanted);
  const asked = ahead?.text === JSON.stringify(message) ? ahead.answer : null;
  ahead = null;
  const { curves } = await (asked ?? own("POST", "curves", message, how));
  const unit = unitOf(wanted.axis);
  return curves.flatMap((/** @type {any} */ curve, /** @type {number} */ index) => {
    if (!curve.x.length) return [];
    const xs = unit === 1 ? curve.x : curve.x.map((/** @type {number} */ x) => x / unit);
    return [{ run: curve.run_id, label: runs[index].name, key, xs, values: curve.y.map(toNumber), total: curve.total, rough: curve.rough }];
  });
}

/** @param {readonly string[]} ids @param {string} key @param {Wanted} wanted */
function questionOf(ids, key, { points, axis, zoom, patient }) {
  const [start, end] = zoom ? zoom.map((x) => x * unitOf(axis)) : [undefined, undefined];
  return { series: ids.map((id) => ({ run_id: id, key })), points, x: AXES[axis], start, end, patient: patient || undefined };
}

/** The server's times are milliseconds. @param {import("./curves.js").Axis} axis */
function unitOf(axis) {
  return axis === "step" ? 1 : 1000;
}

/** By MLflow's call, which knows steps alone. @param {Named[]} runs @param {string} key @param {Wanted} wanted @param {{ signal?: AbortSignal }} how @returns {Promise<Curve[]>} */
async function askBulk(runs, key, { points, axis, zoom }, how) {
  const steps = axis === "step" && zoom ? { start_step: Math.floor(zoom[0]), end_step: Math.ceil(zoom[1]) } : {};
  const query = { run_ids: runs.map((run) => run.id), metric_key: key, max_results: points, extremes: true, ...steps };
  const { metrics = [] } = await get("metrics/get-history-bulk-interval", query, how);
  /** @type {Map<string, Curve>} */
  const curves = new Map(runs.map((run) => [run.id, { run: run.id, label: run.name, key, xs: [], values: [] }]));
  for (const metric of metrics) {
    const curve = curves.get(metric.run_id);
    curve?.xs.push(axis === "step" ? Number(metric.step ?? 0) : Number(metric.timestamp) / 1000);
    curve?.values.push(toNumber(metric.value));
  }
  const found = [...curves.values()].filter((curve) => curve.xs.length);
  if (axis !== "relative") return found;
  return found.map((curve) => ({ ...curve, xs: curve.xs.map((x) => x - curve.xs[0]) }));
}
