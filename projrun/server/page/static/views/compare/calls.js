// @ts-check
/** What the view that compares runs asks of the server. */

import { post } from "../../lib/api.js";
import { quoted } from "../../lib/filters.js";
import { runOf } from "../../lib/runs.js";
import { listFiles, loadRun } from "../run/calls.js";

/** @typedef {import("../../lib/runs.js").Run} Run */
/** @typedef {import("../../lib/api.js").How} How */

const AT_ONCE = 6;
const IN_SEARCH = 1000; // runs that one search names
const MOST_FILES = 2000;
const MOST_FOLDERS = 60;

/**
 * The runs in the given order; without those that are gone. Each experiment is searched for all that are still missing,
 * beginning with that of the first of them.
 * @param {string[]} ids @param {How} how @returns {Promise<{ runs: Run[], missing: string[] }>}
 */
export async function loadRuns(ids, how) {
  /** @type {Map<string, Run | null>} */
  const found = new Map();
  for (const id of ids) {
    if (found.has(id)) continue;
    const run = await loadRun(id, how).catch(absent);
    found.set(id, run);
    const rest = ids.filter((each) => !found.has(each));
    if (run && rest.length) for (const each of await searchRuns(run.experiment, rest, how)) found.set(each.id, each);
  }
  return { runs: ids.flatMap((id) => found.get(id) ?? []), missing: ids.filter((id) => !found.get(id)) };
}

/** @param {any} error @returns {null} where there is no such run */
function absent(error) {
  if (error.status !== 404) throw error;
  return null;
}

/** @param {string} experiment @param {string[]} ids @param {How} how @returns {Promise<Run[]>} those that are in it */
async function searchRuns(experiment, ids, how) {
  /** @type {Run[]} */
  const found = [];
  for (let at = 0; at < ids.length; at += IN_SEARCH) {
    const some = ids.slice(at, at + IN_SEARCH);
    const filter = `attributes.run_id IN (${some.map(quoted).join()})`;
    const { runs = [] } = await post("runs/search", { experiment_ids: [experiment], filter, run_view_type: "ALL", max_results: some.length }, how);
    found.push(...runs.map(runOf));
  }
  return found;
}

/** The paths of all files of a run, up to a limit. @param {string} run @param {How} how @returns {Promise<string[]>} */
async function allFiles(run, how) {
  /** @type {string[]} */
  const paths = [];
  const folders = [""];
  for (let at = 0; at < folders.length && at < MOST_FOLDERS && paths.length < MOST_FILES; at += 1) {
    for (const file of await listFiles(run, folders[at], how)) (file.folder ? folders : paths).push(file.path);
  }
  return paths;
}

/** The files of several runs. @param {Run[]} runs @param {How} how @returns {Promise<{ run: string, paths: string[] }[]>} */
export async function filesOf(runs, how) {
  /** @type {{ run: string, paths: string[] }[]} */
  const answer = new Array(runs.length);
  await inTurns(runs, async (run, index) => {
    answer[index] = { run: run.id, paths: await allFiles(run.id, how) };
  });
  return answer;
}

/** @template T @param {T[]} list @param {(each: T, index: number) => Promise<void>} call */
async function inTurns(list, call) {
  let next = 0;
  const work = async () => {
    while (next < list.length) {
      const index = next;
      next += 1;
      await call(list[index], index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, list.length) }, work));
}
