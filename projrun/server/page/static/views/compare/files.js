// @ts-check
/** The differences between a text file of one run and that of another. */

import { artifactAddress, useData } from "../../lib/api.js";
import { kindOf } from "../../lib/media.js";
import { html } from "../../lib/preact.js";
import { setQuery } from "../../lib/router.js";
import { TextDiff } from "../../ui/diff.js";
import { readText } from "../../ui/preview.js";
import { Empty, Failed, Loading } from "../../ui/states.js";
import { filesOf } from "./calls.js";

/** @typedef {import("../../lib/runs.js").Run} Run */

const NO_TEXT = new Set(["image", "audio", "video", "parquet", "pdf", "none"]);

/** @param {{ runs: Run[], query: Readonly<Record<string, string>> }} props */
export function Files({ runs, query }) {
  const one = runs.find((run) => run.id === query.left) ?? runs[0];
  const other = runs.find((run) => run.id === query.right && run !== one) ?? runs.find((run) => run !== one);
  if (!one || !other) return html`<${Empty} title="Two runs are needed"><p>Add another run to compare its files.</p></${Empty}>`;
  return html`<${Pair} key=${`${one.id} ${other.id}`} runs=${runs} one=${one} other=${other} query=${query} />`;
}

/** @param {{ runs: Run[], one: Run, other: Run, query: Readonly<Record<string, string>> }} props */
function Pair({ runs, one, other, query }) {
  const { data, error, reload } = useData(`${one.id} ${other.id}`, async (how) => {
    const [left, right] = await filesOf([one, other], how);
    return left.paths.filter((path) => right.paths.includes(path) && !NO_TEXT.has(kindOf(path))).sort();
  });
  const value = (/** @type {Event} */ event) => /** @type {HTMLSelectElement} */ (event.target).value;
  const side = (/** @type {string} */ name, /** @type {Run} */ chosen, /** @type {string} */ label) => html`<select aria-label=${label} onChange=${(/** @type {Event} */ event) => setQuery({ [name]: value(event) })}>
    ${runs.map((run) => html`<option value=${run.id} selected=${run === chosen}>${run.name}</option>`)}
  </select>`;
  const path = data?.includes(query.file) ? query.file : data?.[0];
  return html`<div class="tools">
      ${side("left", one, "One run")} ${side("right", other, "The other run")}
      ${data && data.length > 0 && html`<select aria-label="File" onChange=${(/** @type {Event} */ event) => setQuery({ file: value(event) })}>${data.map((each) => html`<option value=${each} selected=${each === path}>${each}</option>`)}</select>`}
    </div>
    ${error && html`<${Failed} error=${error} retry=${reload} />`} ${!data && !error && html`<${Loading} />`}
    ${data && !data.length && html`<${Empty} title="No common text files"><p>These two runs have no text file with the same path.</p></${Empty}>`}
    ${path && html`<${Difference} key=${path} one=${one} other=${other} path=${path} />`}`;
}

/** @param {{ one: Run, other: Run, path: string }} props */
function Difference({ one, other, path }) {
  const { data, error, reload } = useData(path, () => Promise.all([one, other].map((run) => readText(artifactAddress(run.id, path)))));
  if (error) return html`<${Failed} error=${error} retry=${reload} />`;
  if (!data) return html`<${Loading} />`;
  if (data.some((each) => each.binary)) return html`<p class="muted">These are no text files.</p>`;
  return html`<${TextDiff} before=${data[0].text} after=${data[1].text} names=${[one.name, other.name]} />`;
}
