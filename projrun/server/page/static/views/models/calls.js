// @ts-check
/** Registered models and their versions as the views need them. */

import { get, patch, post, remove } from "../../lib/api.js";
import { nameHas, quoted } from "../../lib/filters.js";

/** @typedef {{ signal?: AbortSignal }} How */
/** @typedef {{ name: string, version: string, created: number, updated: number, user: string, stage: string, note: string, source: string, run: string,
 *   model: string, status: string, tags: Record<string, string>, aliases: string[] }} Version */
/** @typedef {{ name: string, created: number, updated: number, note: string, tags: Record<string, string>,
 *   aliases: { alias: string, version: string }[], latest: Version[] }} Model */

export const STAGES = ["None", "Staging", "Production", "Archived"];
const PAGE = 100;
const MOST_VERSIONS = 1000;

/** One page of models. @param {{ text: string, order: string, token?: string }} wanted @param {How} how
 * @returns {Promise<{ found: Model[], token: string }>} */
export async function search({ text, order, token }, how) {
  const query = { max_results: PAGE, filter: nameHas(text) || undefined, order_by: [order], page_token: token || undefined };
  const answer = await get("registered-models/search", query, how);
  return { found: (answer.registered_models ?? []).map(modelOf), token: answer.next_page_token ?? "" };
}

/** @param {string} name @param {How} [how] @returns {Promise<Model>} */
export async function read(name, how) {
  return modelOf((await get("registered-models/get", { name }, how)).registered_model);
}

/** The versions of a model, the newest first; aliases are added from the model.
 * @param {string} name @param {How} [how] @returns {Promise<{ versions: Version[], more: boolean }>} */
export async function versions(name, how) {
  const query = { filter: `name = ${quoted(name)}`, max_results: MOST_VERSIONS, order_by: ["version_number DESC"] };
  const answer = await get("model-versions/search", query, how);
  return { versions: (answer.model_versions ?? []).map(versionOf), more: Boolean(answer.next_page_token) };
}

/** @param {string} name @param {string} version @param {How} [how] @returns {Promise<Version>} */
export async function readVersion(name, version, how) {
  return versionOf((await get("model-versions/get", { name, version }, how)).model_version);
}

/** @param {string} name @param {string} note @returns {Promise<any>} */
export function create(name, note) {
  return post("registered-models/create", { name, description: note });
}

/** @param {Model} model @param {string} name @param {string} note */
export async function update(model, name, note) {
  if (note !== model.note) await patch("registered-models/update", { name: model.name, description: note });
  if (name !== model.name) await post("registered-models/rename", { name: model.name, new_name: name });
}

/** @param {string} name */
export function removeModel(name) {
  return remove("registered-models/delete", { name });
}

/** @param {Version} version @param {string} note */
export function describe({ name, version }, note) {
  return patch("model-versions/update", { name, version, description: note });
}

/** @param {Version} version */
export function removeVersion({ name, version }) {
  return remove("model-versions/delete", { name, version });
}

/** @param {Version} version @param {string} stage @param {boolean} archive the others in that stage */
export function setStage({ name, version }, stage, archive) {
  return post("model-versions/transition-stage", { name, version, stage, archive_existing_versions: archive });
}

/** @param {string} name @param {string} version @param {string} alias */
export function setAlias(name, version, alias) {
  return post("registered-models/alias", { name, alias, version });
}

/** @param {string} name @param {string} alias */
export function removeAlias(name, alias) {
  return remove("registered-models/alias", { name, alias });
}

/** A tag of a model, or of one of its versions. @param {string} name @param {string | null} version @param {string} key @param {string} value */
export function setTag(name, version, key, value) {
  return version === null
    ? post("registered-models/set-tag", { name, key, value })
    : post("model-versions/set-tag", { name, version, key, value });
}

/** @param {string} name @param {string | null} version @param {string} key */
export function removeTag(name, version, key) {
  return version === null
    ? remove("registered-models/delete-tag", { name, key })
    : remove("model-versions/delete-tag", { name, version, key });
}

/** @param {any} answer @returns {Model} */
function modelOf(answer) {
  return {
    name: answer.name,
    created: Number(answer.creation_timestamp ?? 0),
    updated: Number(answer.last_updated_timestamp ?? 0),
    note: answer.description ?? "",
    tags: tagsOf(answer.tags),
    aliases: answer.aliases ?? [],
    latest: (answer.latest_versions ?? []).map(versionOf),
  };
}

/** @param {any} answer @returns {Version} */
function versionOf(answer) {
  return {
    name: answer.name,
    version: String(answer.version),
    created: Number(answer.creation_timestamp ?? 0),
    updated: Number(answer.last_updated_timestamp ?? 0),
    user: answer.user_id ?? "",
    stage: answer.current_stage ?? "None",
    note: answer.description ?? "",
    source: answer.source ?? "",
    run: answer.run_id ?? "",
    model: answer.model_id ?? "",
    status: answer.status ?? "READY",
    tags: tagsOf(answer.tags),
    aliases: answer.aliases ?? [],
  };
}

/** @param {{ key: string, value?: string }[] | undefined} tags @returns {Record<string, string>} */
function tagsOf(tags) {
  return Object.fromEntries((tags ?? []).map(({ key, value }) => [key, value ?? ""]));
}
