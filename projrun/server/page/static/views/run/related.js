// @ts-check
/** What belongs to a run: its models, its datasets, its children. */

import { useData } from "../../lib/api.js";
import { shellWord } from "../../lib/commands.js";
import { ago, duration } from "../../lib/format.js";
import { html, useState } from "../../lib/preact.js";
import { listText } from "../../lib/long_lists.js";
import { go, href, path } from "../../lib/router.js";
import { isSystem } from "../../lib/runs.js";
import { useMayCreate } from "../../lib/session.js";
import { Button, Command, CopyButton } from "../../ui/button.js";
import { Rounded } from "../../ui/rounded.js";
import { Status } from "../../ui/states.js";
import { childrenOf, modelsOf, versionsOf } from "./calls.js";
import { RegisterDialog, versionLink } from "./dialogs.js";

/** @typedef {import("../../lib/runs.js").Run} Run */
/** @typedef {{ id: string, name: string, source: string, path: string }} Made */

/** @param {{ run: Run }} props */
export function Models({ run }) {
  const [registering, setRegistering] = useState(/** @type {Made | null} */ (null));
  const mayRegister = useMayCreate();
  const logged = useData(run.models.map(({ id }) => id).join(), (how) => modelsOf(run, how));
  const versions = useData(run.id, (how) => versionsOf(run.id, how));
  const models = [...(logged.data ?? []).map((each) => ({ ...each, source: `models:/${each.id}`, path: "" })), ...olderModels(run)];
  if (!models.length) return null;
  const versionsFor = (/** @type {Made} */ model) => (versions.data ?? []).filter(({ source }) => [model.source, `models:/${model.id}`].includes(source) || (model.id && source.includes(model.id)));
  return html`<section aria-label="Models">
    <h2>Models <span class="count">${models.length}</span></h2>
    <table class="table">
      <thead><tr><th>Model</th><th>Registered as</th><th><span class="unseen">Actions</span></th></tr></thead>
      <tbody>
        ${models.map(
          (model) => html`<tr key=${model.source}>
            <td class="name-cell">${model.name} ${model.id && html`<span class="muted"><code>${model.id}</code></span>`}</td>
            <td>${versionsFor(model).map((version) => html`<div>${versionLink(version)}</div>`)}</td>
            <td class="actions">
              <${CopyButton} text=${model.source} label=${`Copy the URI of ${model.name}`} />
              ${mayRegister && html`<${Button} onClick=${() => setRegistering(model)}>Register</${Button}>`}
            </td>
          </tr>`,
        )}
      </tbody>
    </table>
    <${Command}>${`projrun models serve -m ${shellWord(`runs:/${run.id}/${models[models.length - 1].name}`)} -p 1234`}</${Command}>
    ${registering && html`<${RegisterDialog} source=${registering.source} run=${run.id} model=${registering.id || undefined} onClose=${() => setRegistering(null)} onDone=${versions.reload} />`}
  </section>`;
}

/** Models as MLflow 2 logged them: files of the run, listed in a tag. @param {Run} run @returns {Made[]} */
function olderModels(run) {
  if (run.models.length) return [];
  try {
    const history = JSON.parse(run.tags.get("mlflow.log-model.history") ?? "[]");
    return history.map((/** @type {any} */ each) => ({ id: "", name: each.artifact_path, path: each.artifact_path, source: `${run.artifacts}/${each.artifact_path}` }));
  } catch {
    return [];
  }
}

/** @param {{ run: Run }} props */
export function Datasets({ run }) {
  if (!run.datasets.length) return null;
  return html`<section aria-label="Datasets">
    <h2>Datasets <span class="count">${run.datasets.length}</span></h2>
    <table class="table">
      <thead><tr><th>Dataset</th><th>Digest</th><th>Used for</th><th>Source</th></tr></thead>
      <tbody>
        ${run.datasets.map(
          (dataset) => html`<tr key=${dataset.name + dataset.digest}>
            <td class="name-cell">${dataset.name}<div class="muted">${rowsOf(dataset.profile)}</div></td>
            <td><code>${dataset.digest}</code></td>
            <td>${dataset.context}</td>
            <td class="value-cell">${sourceOf(dataset.source)} <span class="muted">${dataset.sourceType}</span></td>
          </tr>`,
        )}
      </tbody>
    </table>
  </section>`;
}

/** @param {string} profile JSON @returns {string} */
function rowsOf(profile) {
  try {
    return Object.entries(JSON.parse(profile)).map(([name, value]) => `${name.replace(/^num_/, "")} ${value}`).join(", ");
  } catch {
    return "";
  }
}

/** @param {string} source JSON, mostly @returns {string} */
function sourceOf(source) {
  try {
    const { uri, url, path: place } = JSON.parse(source);
    return uri ?? url ?? place ?? source;
  } catch {
    return source;
  }
}

const MOST_METRICS = 3;
const ENTRY_POINT = "mlflow.project.entryPoint";

/** @param {{ run: Run }} props */
export function Family({ run }) {
  const { data: children } = useData(run.id, (how) => childrenOf(run, how), { every: 10_000 });
  if (!children?.length) return null;
  const compare = () => go(href("/compare", { runs: listText("compare", children.map((child) => child.id)) }));
  const metrics = [...new Set(children.flatMap((child) => [...child.metrics.keys()]))].filter((key) => !isSystem(key)).slice(0, MOST_METRICS);
  const steps = children.some((child) => child.tags.has(ENTRY_POINT));
  return html`<section aria-label="Child runs">
    <div class="section-head"><h2>Child runs <span class="count">${children.length}</span></h2><${Button} onClick=${compare}>Compare</${Button}></div>
    <div class="wide-table" tabindex="0" role="region" aria-label="Its children"><table class="table">
      <thead><tr><th>Run</th>${steps && html`<th>Entry point</th>`}<th>Status</th><th>Started</th><th>Duration</th>${metrics.map((key) => html`<th class="number">${key}</th>`)}</tr></thead>
      <tbody>
        ${children.map(
          (child) => html`<tr key=${child.id}>
            <td><a href=${href(path("experiments", child.experiment, "runs", child.id))}>${child.name}</a></td>
            ${steps && html`<td>${child.tags.get(ENTRY_POINT)}</td>`}
            <td><${Status} status=${child.status} /></td>
            <td class="muted">${ago(child.start)}</td>
            <td>${duration((child.end ?? Date.now()) - child.start)}</td>
            ${metrics.map((key) => html`<td class="number">${child.metrics.has(key) && html`<${Rounded} value=${child.metrics.get(key)?.value} />`}</td>`)}
          </tr>`,
        )}
      </tbody>
    </table></div>
  </section>`;
}
