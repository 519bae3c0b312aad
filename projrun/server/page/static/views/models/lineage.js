// @ts-check
/** Where a version came from: the data, the code, the run, the logged model; each leads to what it names. */

import { get, useData } from "../../lib/api.js";
import { duration, number } from "../../lib/format.js";
import { html } from "../../lib/preact.js";
import { href, path } from "../../lib/router.js";
import { Status } from "../../ui/states.js";

/** @typedef {import("./calls.js").Version} Version */

/** @param {{ version: Version }} props */
export function Lineage({ version }) {
  const { data: run } = useData(version.run, async (how) => {
    if (!version.run) return null;
    return (await get("runs/get", { run_id: version.run }, how)).run;
  });
  const { data: logged } = useData(version.model, async (how) => {
    if (!version.model) return null;
    return (await get(`logged-models/${encodeURIComponent(version.model)}`, {}, how)).model;
  });
  const tags = Object.fromEntries((run?.data?.tags ?? []).map((/** @type {any} */ tag) => [tag.key, tag.value]));
  return html`<section aria-labelledby="lineage">
    <h2 id="lineage">Where it came from</h2>
    ${!version.run && !version.model && html`<p class="muted">No run is recorded for this version.</p>`}
    <ol class="lineage">
      ${(run?.inputs?.dataset_inputs ?? []).map((/** @type {any} */ input) => html`<${Dataset} input=${input} />`)}
      ${tags["mlflow.source.name"] && html`<${Source} tags=${tags} />`} ${run && html`<${RunStep} run=${run} tags=${tags} />`}
      ${!run && version.run && html`<${Step} kind="Run"><code>${version.run}</code></${Step}>`}
      ${version.model && html`<${Step} kind="Logged model">${logged?.info?.name ?? ""} <code class="muted">${version.model}</code></${Step}>`}
      ${(version.run || version.model) && html`<${Step} kind="Version">${version.name} v${version.version}</${Step}>`}
    </ol>
    ${run && html`<${Metrics} run=${run} />`}
  </section>`;
}

/** @param {{ kind: string, children?: any }} props */
function Step({ kind, children }) {
  return html`<li><span class="kind">${kind}</span><span>${children}</span></li>`;
}

/** @param {{ input: any }} props */
function Dataset({ input }) {
  const { name, digest, source_type: type } = input.dataset ?? {};
  const context = (input.tags ?? []).find((/** @type {any} */ tag) => tag.key === "mlflow.data.context")?.value;
  return html`<${Step} kind="Dataset">${name} <span class="muted">${[context, type, digest && `digest ${digest}`].filter(Boolean).join(", ")}</span></${Step}>`;
}

/** @param {{ tags: Record<string, string> }} props */
function Source({ tags }) {
  const commit = tags["mlflow.source.git.commit"] ?? "";
  return html`<${Step} kind="Source"><code>${tags["mlflow.source.name"]}</code> ${commit && html`<code class="muted" title=${commit}>${commit.slice(0, 7)}</code>`}</${Step}>`;
}

/** @param {{ run: any, tags: Record<string, string> }} props */
function RunStep({ run, tags }) {
  const { run_id: id, experiment_id: experiment, run_name: name, status, start_time: start, end_time: end, user_id: user } = run.info;
  const took = end ? duration(Number(end) - Number(start)) : "";
  return html`<${Step} kind="Run">
    <a href=${href(path("experiments", experiment, "runs", id))}>${name || tags["mlflow.runName"] || id.slice(0, 8)}</a> <span class="gap"><${Status} status=${status} /></span>
    <span class="muted">${[took, user && `by ${user}`].filter(Boolean).join(", ")}</span>
  </${Step}>`;
}

const MOST = 12;

/** @param {{ run: any }} props */
function Metrics({ run }) {
  const all = (run.data?.metrics ?? []).filter((/** @type {any} */ metric) => !metric.key.startsWith("system/"));
  if (!all.length) return null;
  return html`<dl class="figures">
      ${all.slice(0, MOST).map((/** @type {any} */ metric) => html`<div key=${metric.key}><dt class="clip" title=${metric.key}>${metric.key}</dt><dd>${number(metric.value, 5)}</dd></div>`)}
    </dl>
    ${all.length > MOST && html`<p><a href=${href(path("experiments", run.info.experiment_id, "runs", run.info.run_id))}>${all.length - MOST} more metrics</a></p>`}`;
}
