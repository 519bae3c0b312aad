// @ts-check
/** Images with the same path of several runs, beside each other, step by step. */

import { artifactAddress, useData } from "../../lib/api.js";
import { html } from "../../lib/preact.js";
import { atStep, families } from "../../lib/image_paths.js";
import { href, path, setQuery } from "../../lib/router.js";
import { Empty, Failed, Loading } from "../../ui/states.js";
import { filesOf } from "./calls.js";

/** @typedef {import("../../lib/runs.js").Run} Run */

const MOST_RUNS = 24;

/** @param {{ runs: Run[], query: Readonly<Record<string, string>> }} props */
export function Images({ runs, query }) {
  const shown = runs.slice(0, MOST_RUNS);
  const { data, error, reload } = useData(shown.map((run) => run.id).join(), async (how) => families(await filesOf(shown, how)));
  if (error) return html`<${Failed} error=${error} retry=${reload} />`;
  if (!data) return html`<${Loading} />`;
  if (!data.length) return html`<${Empty} title="No images"><p>A script keeps them with <code>mlflow.log_image(image, key="sample", step=1)</code> or <code>mlflow.log_figure</code>.</p></${Empty}>`;
  const family = data.find((each) => each.family === query.image) ?? data[0];
  const wanted = Number(query.step ?? NaN);
  const at = Number.isFinite(wanted) ? family.steps.reduce((best, step, index) => (step <= wanted ? index : best), 0) : family.steps.length - 1;
  const step = family.steps[at];
  const value = (/** @type {Event} */ event) => /** @type {HTMLInputElement} */ (event.target).value;
  return html`<div class="tools">
      <select aria-label="Image" onChange=${(/** @type {Event} */ event) => setQuery({ image: value(event), step: null })}>
        ${data.map((each) => html`<option value=${each.family} selected=${each === family}>${each.family}</option>`)}
      </select>
      ${family.steps.length > 1 &&
      html`<label class="slider"><span>Step</span><input type="range" min="0" max=${family.steps.length - 1} step="1" value=${at} aria-valuetext=${String(step)} onInput=${(/** @type {Event} */ event) => setQuery({ step: family.steps[Number(value(event))] })} /><output>${step}</output></label>`}
      ${runs.length > MOST_RUNS && html`<span class="muted">The first ${MOST_RUNS} of ${runs.length} runs</span>`}
    </div>
    <div class="images">
      ${shown.map((run) => {
        const found = atStep(family.paths.get(run.id), step);
        return html`<figure key=${run.id}>
          ${found
            ? html`<a href=${href(path("experiments", run.experiment, "runs", run.id), { tab: "artifacts", path: found.path })}><img src=${artifactAddress(run.id, found.path)} alt=${`${found.path} of ${run.name}`} loading="lazy" /></a>`
            : html`<div class="no-image muted">none</div>`}
          <figcaption class="clip">${run.name}${found && family.steps.length > 1 && html` <span class="muted">step ${found.step}</span>`}</figcaption>
        </figure>`;
      })}
    </div>`;
}
