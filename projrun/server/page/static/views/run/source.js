// @ts-check
/** What a run was made of: uncommitted changes, and the lock of its environment. */

import { artifactAddress, useData } from "../../lib/api.js";
import { html } from "../../lib/preact.js";
import { Code } from "../../ui/code.js";
import { Patch } from "../../ui/diff.js";
import { readText } from "../../ui/preview.js";
import { CopyButton } from "../../ui/button.js";
import { Empty, Failed, Loading } from "../../ui/states.js";
import { listFiles } from "./calls.js";

/** @typedef {import("../../lib/runs.js").Run} Run */

const PATCH = "source/dirty.patch";

/** @param {{ run: Run }} props */
export function Source({ run }) {
  const { data, error, reload } = useData(run.id, (how) => sourcesOf(run.id, how));
  if (error) return html`<${Failed} error=${error} retry=${reload} />`;
  if (!data) return html`<${Loading} />`;
  if (!data.patch && !data.locks.length) {
    return html`<${Empty} title="Nothing but the commit"><p>The run had no uncommitted changes and recorded no environment.</p></${Empty}>`;
  }
  const note = run.tags.get("projrun.source.patch") ?? "";
  return html`${data.patch !== null &&
    html`<section aria-label="Uncommitted changes">
      <div class="section-head"><h2>Uncommitted changes</h2>${note && note !== "complete" && html`<span class="muted">${note}</span>`}<span class="space"></span><a class="button" href=${artifactAddress(run.id, PATCH)} download>Download</a></div>
      <${Patch} text=${data.patch} />
    </section>`}
    ${data.locks.map(
      ({ path, text }) => html`<section key=${path} aria-label=${path}>
        <div class="section-head"><h2>${path}</h2><span class="space"></span><${CopyButton} text=${text} label=${`Copy ${path}`} /></div>
        <${Code} text=${text} name=${path} numbered />
      </section>`,
    )}`;
}

/** @param {string} run @param {import("../../lib/api.js").How} how */
async function sourcesOf(run, how) {
  const [sources, environment] = await Promise.all(["source", "environment"].map((folder) => listFiles(run, folder, how).catch(() => [])));
  const text = async (/** @type {string} */ path) => (await readText(artifactAddress(run, path))).text;
  const locks = environment.filter(({ path, folder }) => !folder && !path.endsWith(".log"));
  return {
    patch: sources.some(({ path }) => path === PATCH) ? await text(PATCH) : null,
    locks: await Promise.all(locks.map(async ({ path }) => ({ path, text: await text(path) }))),
  };
}
