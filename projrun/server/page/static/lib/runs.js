// @ts-check
/** A run as the views use it, made from the server's message. */

import { byName, toNumber } from "./format.js";

/** @typedef {{ key: string, value: number, step: number, timestamp: number }} Latest */
/** @typedef {{ name: string, digest: string, sourceType: string, source: string, schema: string, profile: string, context: string }} Dataset */
/**
 * @typedef {object} Run
 * @property {string} id
 * @property {string} name
 * @property {string} experiment
 * @property {string} user
 * @property {string} status
 * @property {number} start milliseconds since 1970
 * @property {number | undefined} end
 * @property {boolean} deleted
 * @property {string} artifacts the URI of its artifacts
 * @property {Map<string, string>} params
 * @property {Map<string, Latest>} metrics
 * @property {Map<string, string>} tags
 * @property {Dataset[]} datasets
 * @property {{ id: string, step: number }[]} models that it made
 * @property {string[]} inputModels
 */

/** @param {any} message @returns {Run} */
export function runOf({ info, data = {}, inputs = {}, outputs = {} }) {
  return {
    id: info.run_id,
    name: info.run_name || info.run_id,
    experiment: info.experiment_id,
    user: info.user_id ?? "",
    status: info.status,
    start: Number(info.start_time ?? 0),
    end: info.end_time ? Number(info.end_time) : undefined,
    deleted: info.lifecycle_stage === "deleted",
    artifacts: info.artifact_uri ?? "",
    params: pairs(data.params),
    metrics: new Map((data.metrics ?? []).map((/** @type {any} */ each) => [each.key, { key: each.key, value: toNumber(each.value), step: Number(each.step ?? 0), timestamp: Number(each.timestamp ?? 0) }])),
    tags: pairs(data.tags),
    datasets: (inputs.dataset_inputs ?? []).map(datasetOf),
    models: (outputs.model_outputs ?? []).map((/** @type {any} */ each) => ({ id: each.model_id, step: Number(each.step ?? 0) })),
    inputModels: (inputs.model_inputs ?? []).map((/** @type {any} */ each) => each.model_id),
  };
}

/** @param {{ key: string, value?: string }[] | undefined} list @returns {Map<string, string>} */
function pairs(list) {
  const sorted = [...(list ?? [])].sort((one, other) => byName(one.key, other.key));
  return new Map(sorted.map(({ key, value }) => [key, value ?? ""]));
}

/** @param {any} input @returns {Dataset} */
function datasetOf({ dataset, tags = [] }) {
  const context = tags.find((/** @type {any} */ tag) => tag.key === "mlflow.data.context")?.value ?? "";
  const { name, digest, source_type: sourceType, source, schema = "", profile = "" } = dataset;
  return { name, digest, sourceType, source, schema, profile, context };
}

export function isLive(/** @type {Run} */ run) {
  return run.status === "RUNNING" || run.status === "SCHEDULED";
}

/** Metrics of the machine; they have a tab of their own. @param {string} key */
export function isSystem(key) {
  return key.startsWith("system/");
}

/** The tag of a description. */
export const NOTE = "mlflow.note.content";

/** Tags that projrun and MLflow write; the page shows most of them in other ways. @param {string} key */
export function isInternal(key) {
  return key.startsWith("mlflow.") || key.startsWith("projrun.");
}

const COMMIT = /^[0-9a-f]{7,64}$/;

/**
 * The page of a commit at its host, "" where it is not known. Only https, and nothing but host and path.
 * @param {string} repository its URL @param {string} commit
 */
export function commitLink(repository, commit) {
  const place = webAddress(repository);
  if (!place || !COMMIT.test(commit)) return "";
  const { hostname } = new URL(place);
  if (hostname === "bitbucket.org") return `${place}/commits/${commit}`;
  return hostname.includes("gitlab") ? `${place}/-/commit/${commit}` : `${place}/commit/${commit}`;
}

/** The page of a repository: `git@host:a/b.git` and `https://host/a/b.git` are `https://host/a/b`. @param {string} repository @returns {string} */
export function webAddress(repository) {
  const short = /^(?:ssh:\/\/)?(?:git@)([\w.-]+)[:/]([\w./~-]+)$/.exec(repository);
  const text = short ? `https://${short[1]}/${short[2]}` : repository.split("#")[0];
  let url;
  try {
    url = new URL(text);
  } catch {
    return "";
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return "";
  return `https://${url.host}${url.pathname.replace(/\/$/, "").replace(/\.git$/, "")}`;
}

/** Why a run failed, by its tags: the reason, and what is known besides. @param {Run} run @returns {{ reason: string, facts: string[] } | null} */
export function failureOf(run) {
  if (run.status !== "FAILED" && run.status !== "KILLED") return null;
  const tag = (/** @type {string} */ key) => run.tags.get(`projrun.${key}`) ?? "";
  const facts = [
    tag("exit_code") && `exit code ${tag("exit_code")}`,
    tag("signal") && `signal ${tag("signal")}`,
    tag("oom") === "true" && "out of memory",
    tag("timeout") === "true" && "over its time limit",
    tag("attempts") && `${tag("attempts")} attempts`,
  ];
  const reason = tag("reason") || (run.status === "KILLED" ? "The run was ended from outside." : "The run recorded no reason.");
  return { reason, facts: facts.filter((fact) => typeof fact === "string" && fact !== "" && fact !== reason).map(String) };
}
