// @ts-check
/** The first tab of a run: where it comes from, its params, metrics and tags, and what belongs to it. */

import { byName, count, date, duration, exactDate } from "../../lib/format.js";
import { imageBeside } from "../../lib/media.js";
import { html, useState } from "../../lib/preact.js";
import { href, path } from "../../lib/router.js";
import { commitLink, failureOf, isInternal, isLive, isSystem, NOTE, webAddress } from "../../lib/runs.js";
import { artifactAddress } from "../../lib/api.js";
import { useMay } from "../../lib/session.js";
import { Button, Command, CopyButton } from "../../ui/button.js";
import { Markdown } from "../../ui/markdown.js";
import { Rounded } from "../../ui/rounded.js";
import { Search } from "../../ui/search.js";
import { takeAway } from "../../ui/toast.js";
import { deleteTag, setTag } from "./calls.js";
import { NoteDialog, TagDialog } from "./dialogs.js";
import { Family, Models, Datasets } from "./related.js";
import { isProject } from "./view.js";

/** @typedef {import("../../lib/runs.js").Run} Run */

const FILTERED = 8;

/** @param {{ run: Run, reload: () => void }} props */
export function Overview({ run, reload }) {
  const mayEdit = useMay("experiments", run.experiment)("EDIT");
  return html`<div class="columns">
    <div class="main-column">
      <${Note} run=${run} mayEdit=${mayEdit} reload=${reload} />
      <${Metrics} run=${run} />
      <${Params} run=${run} />
      <${Models} run=${run} />
      <${Datasets} run=${run} />
      <${Family} run=${run} />
    </div>
    <aside class="side-column">
      <${Facts} run=${run} />
      <${Tags} run=${run} mayEdit=${mayEdit} reload=${reload} />
    </aside>
  </div>`;
}

/** @param {{ run: Run }} props */
function Facts({ run }) {
  const tag = (/** @type {string} */ key) => run.tags.get(key) ?? "";
  const commit = tag("mlflow.source.git.commit");
  const repository = tag("mlflow.source.git.repoURL") || tag("mlflow.source.name");
  const link = commitLink(repository, commit);
  const branch = tag("mlflow.source.git.branch") || tag("mlflow.gitBranch");
  const parent = tag("mlflow.parentRunId");
  const source = tag("mlflow.source.name");
  const web = webAddress(source);
  const of = tag("projrun.rerun_of");
  /** @type {[string, any][]} */
  const facts = [
    ["Run id", html`<code>${run.id}</code><${CopyButton} text=${run.id} label="Copy the id" />`],
    ["Started", html`<span title=${exactDate(run.start)}>${date(run.start)}</span>`],
    ["Duration", isLive(run) ? "still running" : duration((run.end ?? run.start) - run.start)],
    ["User", run.user],
    ["Source", source && (web ? html`<a href=${web} rel="noopener noreferrer">${source}</a>` : source)],
    ["Entry point", tag("mlflow.project.entryPoint")],
    ["Commit", commit && html`${link ? html`<a href=${link} rel="noopener noreferrer"><code>${commit.slice(0, 10)}</code></a>` : html`<code>${commit.slice(0, 10)}</code>`}<${CopyButton} text=${commit} label="Copy the commit" />`],
    ["Branch", branch],
    ["Changes", tag("projrun.source.dirty") === "true" && html`<a href=${href(path("experiments", run.experiment, "runs", run.id), { tab: "source" })}>uncommitted changes</a>`],
    ["Environment", tag("projrun.env_manager") || tag("mlflow.project.env")],
    ["Backend", tag("mlflow.project.backend")],
    ["Parent", parent && html`<a href=${href(path("experiments", run.experiment, "runs", parent))}>${parent.slice(0, 8)}</a>`],
    ["Rerun of", of && html`<a href=${href(path("experiments", run.experiment, "runs", of))}>${of.slice(0, 8)}</a>`],
    ["Attempts", tag("projrun.attempts")],
    ["Artifacts", html`<span class="clip" title=${run.artifacts}>${run.artifacts}</span><${CopyButton} text=${run.artifacts} label="Copy the URI of the artifacts" />`],
  ];
  return html`<section aria-label="About the run">
    ${isProject(run) && !failureOf(run) && html`<h2>Run it again</h2><${Command}>${`projrun rerun ${run.id}`}</${Command}>`}
    <dl class="facts">
      ${facts.filter(([, value]) => value).map(([label, value]) => html`<div key=${label}><dt>${label}</dt><dd>${value}</dd></div>`)}
    </dl>
  </section>`;
}

/** @param {{ run: Run, mayEdit: boolean, reload: () => void }} props */
function Note({ run, mayEdit, reload }) {
  const [editing, setEditing] = useState(false);
  const text = run.tags.get(NOTE) ?? "";
  // A description may show images of its own run: by their path among its artifacts.
  const imageOf = (/** @type {string} */ source) => {
    const place = imageBeside(source);
    return place && artifactAddress(run.id, place);
  };
  return html`<section class="note" aria-label="Description">
    ${text && html`<${Markdown} text=${text} imageOf=${imageOf} />`}
    ${mayEdit && html`<${Button} kind="quiet" icon="edit" onClick=${() => setEditing(true)}>${text ? "Edit the description" : "Add a description"}</${Button}>`}
    ${editing && html`<${NoteDialog} run=${run} onClose=${() => setEditing(false)} onDone=${reload} />`}
  </section>`;
}

/** @param {{ run: Run }} props */
function Metrics({ run }) {
  const [filter, setFilter] = useState("");
  const all = [...run.metrics.values()].filter(({ key }) => !isSystem(key)).sort((one, other) => byName(one.key, other.key));
  if (!all.length) return html`<section><h2>Metrics</h2><p class="muted">None. A script logs them with <code>mlflow.log_metric("loss", 0.1)</code>.</p></section>`;
  const here = path("experiments", run.experiment, "runs", run.id);
  const shown = all.filter(({ key }) => key.toLowerCase().includes(filter.toLowerCase()));
  return html`<section aria-label="Metrics">
    <div class="section-head"><h2>Metrics <span class="count">${all.length}</span></h2><${Filter} what="metrics" many=${all.length} value=${filter} onChange=${setFilter} /></div>
    <table class="table">
      <thead><tr><th>Metric</th><th class="number">Last value</th><th class="number">Step</th></tr></thead>
      <tbody>
        ${shown.map(
          (metric) => html`<tr key=${metric.key}>
            <td class="name-cell"><a href=${href(here, { tab: "metrics", chart: metric.key })}>${metric.key}</a></td>
            <td class=${`number ${Number.isFinite(metric.value) ? "" : "bad"}`}><${Rounded} value=${metric.value} /></td>
            <td class="number muted">${count(metric.step)}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  </section>`;
}

/** @param {{ run: Run }} props */
function Params({ run }) {
  const [filter, setFilter] = useState("");
  const all = [...run.params];
  if (!all.length) return null;
  const given = givenOf(run);
  const shown = all.filter(([key, value]) => `${key} ${value}`.toLowerCase().includes(filter.toLowerCase()));
  return html`<section aria-label="Params">
    <div class="section-head"><h2>Params <span class="count">${all.length}</span></h2><${Filter} what="params" many=${all.length} value=${filter} onChange=${setFilter} /></div>
    <table class="table">
      <thead><tr><th>Param</th><th>Value</th><td></td></tr></thead>
      <tbody>
        ${shown.map(
          ([key, value]) => html`<tr key=${key}>
            <td class="name-cell">${key}</td>
            <td class="value-cell">${value}</td>
            <td class="muted">${given && !given.has(key) ? "default" : ""}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  </section>`;
}

/** The params that were given on the command line; the others are defaults. @param {Run} run @returns {Set<string> | null} */
function givenOf(run) {
  try {
    const given = JSON.parse(run.tags.get("projrun.given") ?? "");
    const parameters = JSON.parse(run.tags.get("projrun.parameters") ?? "");
    const logged = [...run.params.keys()].filter((key) => !parameters.includes(key));
    return new Set([...given, ...logged]);
  } catch {
    return null;
  }
}

/** @param {{ what: string, many: number, value: string, onChange: (value: string) => void }} props */
function Filter({ what, many, value, onChange }) {
  if (many < FILTERED) return null;
  return html`<${Search} label=${`Filter ${what}`} value=${value} onChange=${onChange} />`;
}

/** @param {{ run: Run, mayEdit: boolean, reload: () => void }} props */
function Tags({ run, mayEdit, reload }) {
  const [editing, setEditing] = useState(/** @type {string | null} */ (null));
  const [all, setAll] = useState(false);
  const own = [...run.tags].filter(([key]) => !isInternal(key));
  const internal = [...run.tags].filter(([key]) => isInternal(key) && key !== NOTE && key !== "mlflow.log-model.history");
  const drop = (/** @type {string} */ key) =>
    takeAway(`Removed the tag ${key}`, () => deleteTag(run.id, key), () => setTag(run.id, key, run.tags.get(key) ?? ""), reload);
  return html`<section aria-label="Tags">
    <div class="section-head"><h2>Tags</h2>${mayEdit && html`<${Button} kind="quiet" icon="plus" onClick=${() => setEditing("")}>Add</${Button}>`}</div>
    ${own.length > 0 &&
    html`<table class="table tags">
      <tbody>
        ${own.map(
          ([key, value]) => html`<tr key=${key}>
            <td class="name-cell">${key}</td>
            <td class="value-cell">${value}</td>
            <td class="actions">
              ${mayEdit &&
              html`<${Button} kind="quiet" icon="edit" label=${`Change ${key}`} onClick=${() => setEditing(key)} />
                <${Button} kind="quiet" icon="trash" label=${`Delete ${key}`} onClick=${() => drop(key)} />`}
            </td>
          </tr>`,
        )}
      </tbody>
    </table>`}
    <${Button} kind="quiet" class="tags-more" onClick=${() => setAll(!all)}>${all ? "Hide" : `Show ${internal.length}`} tags of projrun and MLflow</${Button}>
    ${all &&
    html`<table class="table tags">
      <tbody>${internal.map(([key, value]) => html`<tr key=${key}><td class="name-cell muted">${key}</td><td class="value-cell">${value}</td></tr>`)}</tbody>
    </table>`}
    ${editing !== null && html`<${TagDialog} run=${run} tag=${editing || undefined} onClose=${() => setEditing(null)} onDone=${reload} />`}
  </section>`;
}

