// @ts-check
/** Experiments as the view needs them. */

import { get, post } from "../../lib/api.js";
import { unchanged } from "../../lib/edits.js";
import { nameHas } from "../../lib/filters.js";
import { NOTE } from "../../lib/runs.js";

/** @typedef {{ id: string, name: string, deleted: boolean, created: number, updated: number, note: string, location: string, tags: Record<string, string> }} Experiment */

const PAGE = 200;

/** One page of those that were found.
 * @param {{ text: string, order: string, deleted: boolean, token?: string }} wanted @param {{ signal?: AbortSignal }} how
 * @returns {Promise<{ found: Experiment[], token: string }>} */
export async function search({ text, order, deleted, token }, how) {
  const message = {
    max_results: PAGE,
    filter: nameHas(text),
    order_by: [order],
    view_type: deleted ? "DELETED_ONLY" : "ACTIVE_ONLY",
    page_token: token,
  };
  const answer = await post("experiments/search", message, how);
  return { found: (answer.experiments ?? []).map(experimentOf), token: answer.next_page_token ?? "" };
}

/** @param {string} id @param {{ signal?: AbortSignal }} [how] @returns {Promise<Experiment>} */
export async function read(id, how) {
  return experimentOf((await get("experiments/get", { experiment_id: id }, how)).experiment);
}

/** @param {any} answer @returns {Experiment} */
function experimentOf(answer) {
  const tags = Object.fromEntries((answer.tags ?? []).map((/** @type {any} */ tag) => [tag.key, tag.value]));
  return {
    id: answer.experiment_id,
    name: answer.name,
    deleted: answer.lifecycle_stage === "deleted",
    created: Number(answer.creation_time ?? 0),
    updated: Number(answer.last_update_time ?? 0),
    note: tags[NOTE] ?? "",
    location: answer.artifact_location ?? "",
    tags,
  };
}

/** @param {string} name @param {string} note @returns {Promise<string>} its id */
export async function create(name, note) {
  const tags = note ? [{ key: NOTE, value: note }] : [];
  return (await post("experiments/create", { name, tags })).experiment_id;
}

/** @param {Experiment} experiment @param {string} name @param {string} note */
export async function update(experiment, name, note) {
  // Before anything is changed: a dialog that fails has done nothing.
  if (note !== experiment.note) await unchanged(experiment.note, async () => (await read(experiment.id)).note);
  if (name !== experiment.name) await post("experiments/update", { experiment_id: experiment.id, new_name: name });
  if (note !== experiment.note) {
    await post("experiments/set-experiment-tag", { experiment_id: experiment.id, key: NOTE, value: note });
  }
}

/** @param {string} id @param {boolean} deleted */
export function setDeleted(id, deleted) {
  return post(`experiments/${deleted ? "delete" : "restore"}`, { experiment_id: id });
}
