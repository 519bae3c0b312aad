// @ts-check
/** What the view that compares runs asks of the server. */

import { get } from "../../lib/api.js";
import { runOf } from "../../lib/runs.js";
import { listFiles } from "../run/calls.js";

/** @typedef {import("../../lib/runs.js").Run} Run */
/** @typedef {import("../../lib/api.js").How} How */

const AT_ONCE = 6;
const MOST_FILES = 2000;
const MOST_FOLDERS = 60;

/** The runs in the given order; without those that are gone. @param {string[]} ids @param {How} how @returns {Promise<{ runs: Run[], missing: string[] }>} */
export async function loadRuns(ids, how) {
  /** @type {(Run | null)[]} */
  const found = new Array(ids.length).fill(null);
  await inTurns(ids, async (id, index) => {
    try {
      found[index] = runOf((await get("runs/get", { run_id: id }, how)).run);
    } catch (error) {
      if (/** @type {any} */ (error).status !== 404) throw error;
    }
  });
  return { runs: found.flatMap((run) => (run ? [run] : [])), missing: ids.filter((_, index) => !found[index]) };
}

/** The paths of all files of a run, up to a limit. @param {string} run @param {How} how @returns {Promise<string[]>} */
export async function allFiles(run, how) {
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
