// @ts-check
/** An MLmodel file: flavours, signature, versions. */

import { readYaml, signatureFields } from "../lib/mlmodel.js";
import { html, useMemo } from "../lib/preact.js";
import { addSheet } from "./sheet.js";

addSheet("ui/content.css");

/** @typedef {import("../lib/mlmodel.js").Field} Field */

const FACTS = /** @type {const} */ ([
  ["model_id", "Model id"],
  ["run_id", "Run"],
  ["utc_time_created", "Created (UTC)"],
  ["mlflow_version", "MLflow"],
  ["model_size_bytes", "Bytes"],
]);

/** @param {{ text: string }} props */
export function MLmodel({ text }) {
  const model = useMemo(() => /** @type {any} */ (readYaml(text)) ?? {}, [text]);
  const fields = useMemo(() => signatureFields(model.signature), [model]);
  const flavors = Object.entries(model.flavors ?? {});
  return html`<div class="mlmodel">
    <dl class="facts">
      ${FACTS.map(([key, label]) => typeof model[key] === "string" && html`<div><dt>${label}</dt><dd>${model[key]}</dd></div>`)}
    </dl>
    <h3>Signature</h3>
    ${fields.length ? html`<${Signature} fields=${fields} />` : html`<p class="muted">The model has no signature.</p>`}
    <h3>Flavors</h3>
    ${flavors.map(
      ([name, parts]) => html`<h4>${name}</h4>
        <dl class="facts">${Object.entries(typeof parts === "string" ? { "": parts } : (parts ?? {})).map(([key, value]) => html`<div><dt>${key}</dt><dd>${typeof value === "string" ? value : JSON.stringify(value)}</dd></div>`)}</dl>`,
    )}
  </div>`;
}

/** @param {{ fields: Field[] }} props */
export function Signature({ fields }) {
  return html`<table class="table signature">
    <thead>
      <tr><th>Part</th><th>Name</th><th>Type</th><td></td></tr>
    </thead>
    <tbody>
      ${fields.map(
        (field) => html`<tr>
          <td class="muted">${field.group}</td>
          <td><code>${field.name}</code></td>
          <td>${field.type}</td>
          <td class="muted">${[field.required ? "" : "optional", field.extra].filter(Boolean).join(", ")}</td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}
