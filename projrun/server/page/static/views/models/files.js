// @ts-check
/** What a version's files say of it: signature, input example, flavours; read from the model's own folder. */

import { ApiError, own, useData } from "../../lib/api.js";
import { html } from "../../lib/preact.js";
import { root } from "../../lib/router.js";
import { readYaml, signatureFields } from "../../lib/mlmodel.js";
import { Json } from "../../ui/json.js";
import { Signature } from "../../ui/mlmodel.js";
import { Loading } from "../../ui/states.js";

/** @typedef {import("./calls.js").Version} Version */

const LARGEST = 500_000;

/** @param {{ version: Version }} props */
export function Files({ version }) {
  const { data, error } = useData(JSON.stringify([version.name, version.version]), async (how) => {
    const { files } = await own("GET", "model-versions/files", { name: version.name, version: version.version }, how);
    const has = (/** @type {unknown} */ file) => files.some((/** @type {{ path: string }} */ each) => each.path === file);
    if (!has("MLmodel")) return { model: null, example: "" };
    const model = /** @type {any} */ (readYaml(await readFile(version, "MLmodel", how.signal))) ?? {};
    const example = model.saved_input_example_info?.artifact_path;
    return { model, example: has(example) ? await readFile(version, example, how.signal) : "" };
  });
  return html`<section aria-labelledby="schema">
    <h2 id="schema">Schema</h2>
    ${error && html`<p class="muted">The model's files cannot be read: ${error.message}</p>`} ${!data && !error && html`<${Loading} rows=${3} />`}
    ${data && (data.model ? html`<${Schema} model=${data.model} />` : html`<p class="muted">There is no MLmodel file at the source.</p>`)}
    ${data?.example && html`<h2>Input example</h2><${Json} text=${data.example} name="input_example.json" />`}
  </section>`;
}

/** @param {{ model: any }} props */
function Schema({ model }) {
  const fields = signatureFields(model.signature);
  const flavors = Object.keys(model.flavors ?? {});
  return html`${fields.length ? html`<${Signature} fields=${fields} />` : html`<p class="muted">The model has no signature: log it with <code>signature=</code> or <code>input_example=</code>.</p>`}
    ${flavors.length > 0 && html`<p class="flavors">${flavors.map((flavor) => html`<span key=${flavor} class="chip">${flavor}</span>`)}</p>`}`;
}

/** @param {Version} version @param {string} file @param {AbortSignal} [signal] */
async function readFile({ name, version }, file, signal) {
  const query = new URLSearchParams({ name, version, path: file });
  const answer = await fetch(`${root}model-versions/get-artifact?${query}`, { signal, headers: { range: `bytes=0-${LARGEST - 1}`, "x-projrun": "1" } });
  if (!answer.ok) throw new ApiError(answer.status, "", answer.status === 404 ? `${file} not found` : `the server answered ${answer.status}`);
  return answer.text();
}
