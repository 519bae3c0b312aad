// @ts-check
/** What the view of a run asks of the server, and what it changes. */

import { get, own, post } from "../../lib/api.js";
import { quoted } from "../../lib/filters.js";
import { byName } from "../../lib/format.js";
import { root } from "../../lib/router.js";
import { runOf } from "../../lib/runs.js";

/** @typedef {import("../../lib/runs.js").Run} Run */
/** @typedef {import("../../lib/api.js").How} How */

/** @param {string} id @param {How} [how] @returns {Promise<Run>} */
export async function loadRun(id, how) {
  return runOf((await get("runs/get", { run_id: id }, how)).run);
}

/** @param {string} id @param {How} how @returns {Promise<string>} */
export async function experimentName(id, how) {
  return (await get("experiments/get", { experiment_id: id }, how)).experiment.name;
}

/** @param {Run} run @param {How} how @returns {Promise<Run[]>} */
export async function childrenOf(run, how) {
  const filter = `tags.\`mlflow.parentRunId\` = '${run.id}'`;
  const { runs = [] } = await post("runs/search", { experiment_ids: [run.experiment], filter, max_results: 200, order_by: ["attributes.start_time ASC"] }, how);
  return runs.map(runOf);
}

/** @typedef {{ id: string, name: string, type: string, status: string, source: string }} LoggedModel */

/** @param {Run} run @param {How} how @returns {Promise<LoggedModel[]>} */
export async function modelsOf(run, how) {
  const answers = await Promise.all(run.models.map(({ id }) => get(`logged-models/${encodeURIComponent(id)}`, {}, how).catch(() => null)));
  return answers.flatMap((answer, index) => {
    const info = answer?.model?.info;
    const { id } = run.models[index];
    return [{ id, name: info?.name ?? id, type: info?.model_type ?? "", status: info?.status ?? "", source: info?.artifact_uri ?? "" }];
  });
}

/** @typedef {{ name: string, version: string, source: string }} Version */

/** Registered versions that come from this run. @param {string} run @param {How} how @returns {Promise<Version[]>} */
export async function versionsOf(run, how) {
  const { model_versions: versions = [] } = await get("model-versions/search", { filter: `run_id = '${run}'`, max_results: 100 }, how);
  return versions.map((/** @type {any} */ each) => ({ name: each.name, version: each.version, source: each.source ?? "" }));
}

/** @param {How} how @returns {Promise<string[]>} */
export async function modelNames(how) {
  const { registered_models: models = [] } = await get("registered-models/search", { max_results: 1000 }, how);
  return models.map((/** @type {any} */ each) => each.name);
}

/**
 * A new version of a registered model, which is created if there is none.
 * @param {{ name: string, source: string, run: string, model?: string }} wanted @returns {Promise<string>} its number
 */
export async function register({ name, source, run, model }) {
  const { registered_models: known = [] } = await get("registered-models/search", { filter: `name = ${quoted(name)}`, max_results: 1 });
  if (!known.length) await post("registered-models/create", { name });
  const answer = await post("model-versions/create", { name, source, run_id: run, ...(model && { model_id: model }) });
  return answer.model_version.version;
}

/** @typedef {{ path: string, folder: boolean, size: number | undefined }} FileInfo `size` where the store knows it */

/** @param {string} run @param {string} path @param {How} [how] @returns {Promise<FileInfo[]>} */
export async function listFiles(run, path, how) {
  /** @type {FileInfo[]} */
  const all = [];
  let token = "";
  do {
    const answer = await get("artifacts/list", { run_id: run, path: path || undefined, page_token: token || undefined }, how);
    all.push(...(answer.files ?? []).map((/** @type {any} */ file) => ({ path: file.path, folder: Boolean(file.is_dir), size: file.file_size === undefined ? undefined : Number(file.file_size) })));
    token = answer.next_page_token ?? "";
  } while (token && all.length < 20_000);
  return all.sort((one, other) => Number(other.folder) - Number(one.folder) || byName(one.path, other.path));
}

/** The first rows of a table among the artifacts. @param {string} run @param {string} path */
export function firstRows(run, path) {
  return own("GET", "artifacts/table", { run_id: run, path, rows: 1000 });
}

/** Where a folder is sent as one file. @param {string} run @param {string} path */
export function zipAddress(run, path) {
  return `${root}api/projrun/1/artifacts/zip?${new URLSearchParams({ run_id: run, path })}`;
}

/** @param {string} run @param {string} key @param {string} value */
export function setTag(run, key, value) {
  return post("runs/set-tag", { run_id: run, key, value });
}

/** @param {string} run @param {string} key */
export function deleteTag(run, key) {
  return post("runs/delete-tag", { run_id: run, key });
}

/** @param {string} run @param {string} name */
export function rename(run, name) {
  return post("runs/update", { run_id: run, run_name: name });
}

/** @param {string} run @param {boolean} deleted */
export function setDeleted(run, deleted) {
  return post(deleted ? "runs/delete" : "runs/restore", { run_id: run });
}
