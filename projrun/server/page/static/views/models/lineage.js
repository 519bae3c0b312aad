// @ts-check
/** Where a version came from: the data, the code, the run, the logged model; each leads to what it names. */

import { get, useData } from "../../lib/api.js";
import { duration } from "../../lib/format.js";
import { html } from "../../lib/preact.js";
import { href, path } from "../../lib/router.js";
import { isSystem } from "../../lib/runs.js";
import { Rounded } from "../../ui/rounded.js";
import { Status } from "../../ui/states.js";
import { loadRun } from "../run/calls.js";

/** @typedef {import("./calls.js").Version} Version */
/** @typedef {import("../../lib/runs.js").Run} Run */

/** @param {{ version: Version }} props */
export function Lineage({ version }) {
  const { data: run } = useData(version.run, async (how) => (version.run ? loadRun(version.run, how) : null));
  const { data: logged } = useData(version.model, async (how) => (version.model ? (await get(`logged-models/${encodeURIComponent(version.model)}`, {}, how)).model : null));
  const source = run?.tags.get("mlflow.source.name");
  return html`<section aria-labelledby="lineage">
    <h2 id="lineage">Where it came from</h2>
    ${!version.run && !version.model && html`<p class="muted">No run is recorded for this version.</p>`}
    <ol class="lineage">
      ${run?.datasets.map(
        ({ name, context, sourceType, digest }) =>
          html`<${Step} kind="Dataset">${name} <span class="muted">${[context, sourceType, digest && `digest ${digest}`].filter(Boolean).join(", ")}</span></${Step}>`,
      )}
      ${source && html`<${Source} source=${source} commit=${run?.tags.get("mlflow.source.git.commit") ?? ""} />`} ${run && html`<${RunStep} run=${run} />`}
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

/** @param {{ source: string, commit: string }} props */
function Source({ source, commit }) {
  return html`<${Step} kind="Source"><code>${source}</code> ${commit && html`<code class="muted" title=${commit}>${commit.slice(0, 7)}</code>`}</${Step}>`;
}

/** @param {Run} run */
function placeOf(run) {
  return href(path("experiments", run.experiment, "runs", run.id));
}

/** @param {{ run: Run }} props */
function RunStep({ run }) {
  const took = run.end ? duration(run.end - run.start) : "";
  return html`<${Step} kind="Run">
    <a href=${placeOf(run)}>${run.name}</a> <span class="gap"><${Status} status=${run.status} /></span>
    <span class="muted">${[took, run.user && `by ${run.user}`].filter(Boolean).join(", ")}</span>
  </${Step}>`;
}

const MOST = 12;

/** @param {{ run: Run }} props */
function Metrics({ run }) {
  const all = [...run.metrics.values()].filter(({ key }) => !isSystem(key));
  if (!all.length) return null;
  return html`<dl class="figures">
      ${all.slice(0, MOST).map(({ key, value }) => html`<div key=${key}><dt class="clip" title=${key}>${key}</dt><dd><${Rounded} value=${value} /></dd></div>`)}
    </dl>
    ${all.length > MOST && html`<p><a href=${placeOf(run)}>${all.length - MOST} more metrics</a></p>`}`;
}
