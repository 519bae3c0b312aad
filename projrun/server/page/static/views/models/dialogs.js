// @ts-check
/** What is asked about models and versions: created, renamed, deleted, moved to a stage, given an alias. */

import { html, useState } from "../../lib/preact.js";
import { Field, FormDialog } from "../../ui/dialog.js";
import { STAGES, create, removeModel, removeVersion, setAlias, setStage, update } from "./calls.js";

/** @typedef {import("./calls.js").Model} Model */
/** @typedef {import("./calls.js").Version} Version */

/** @param {{ model?: Model, onClose: () => void, onDone: (name: string) => void }} props without a model, for a new one */
export function ModelDialog({ model, onClose, onDone }) {
  const [name, setName] = useState(model?.name ?? "");
  const [note, setNote] = useState(model?.note ?? "");
  const submit = async () => {
    const wanted = name.trim();
    if (model) await update(model, wanted, model.note);
    else await create(wanted, note);
    onDone(wanted);
  };
  return html`<${FormDialog} title=${model ? "Rename model" : "New model"} action=${model ? "Rename" : "Create"} disabled=${!name.trim()} onClose=${onClose} onSubmit=${submit}>
    <${Field} label="Name" hint=${model ? "Versions, aliases and tags stay. Programs that load it by its old name no longer find it." : undefined}>
      <input value=${name} autofocus required onInput=${(/** @type {any} */ event) => setName(event.target.value)} />
    </${Field}>
    ${!model &&
    html`<${Field} label="Description" hint="Markdown">
      <textarea rows="6" value=${note} onInput=${(/** @type {any} */ event) => setNote(event.target.value)}></textarea>
    </${Field}>`}
  </${FormDialog}>`;
}

/** @param {{ model: Model, count: number, onClose: () => void, onDone: () => void }} props */
export function DeleteModel({ model, count, onClose, onDone }) {
  const [typed, setTyped] = useState("");
  const submit = async () => {
    await removeModel(model.name);
    onDone();
  };
  const words = count === 1 ? "its version" : `its ${count} versions`;
  return html`<${FormDialog} title=${`Delete ${model.name}?`} action="Delete" danger disabled=${typed !== model.name} onClose=${onClose} onSubmit=${submit}>
    <p>This cannot be undone. The model${count ? ` and ${words}` : ""} will be gone; runs and their artifacts stay.</p>
    <${Field} label="Type the model's name">
      <input value=${typed} autofocus autocomplete="off" onInput=${(/** @type {any} */ event) => setTyped(event.target.value)} />
    </${Field}>
  </${FormDialog}>`;
}

/** @param {{ version: Version, onClose: () => void, onDone: () => void }} props */
export function DeleteVersion({ version, onClose, onDone }) {
  const submit = async () => {
    await removeVersion(version);
    onDone();
  };
  return html`<${FormDialog} title=${`Delete version ${version.version}?`} action="Delete" danger onClose=${onClose} onSubmit=${submit}>
    <p>This cannot be undone. The run and its artifacts stay; the number is not used again.</p>
    ${version.aliases.length > 0 && html`<p>These aliases will be gone: ${version.aliases.map((alias) => `@${alias}`).join(", ")}</p>`}
  </${FormDialog}>`;
}

/** @param {{ version: Version, others: readonly Version[], onClose: () => void, onDone: () => void }} props */
export function StageDialog({ version, others, onClose, onDone }) {
  const [stage, setStageTo] = useState(version.stage === "Production" ? "Archived" : version.stage === "Staging" ? "Production" : "Staging");
  const [archive, setArchive] = useState(true);
  const there = others.filter((each) => each.stage === stage && each.version !== version.version);
  const offers = there.length > 0 && (stage === "Staging" || stage === "Production");
  const submit = async () => {
    await setStage(version, stage, offers && archive);
    onDone();
  };
  return html`<${FormDialog} title=${`Move version ${version.version} to a stage`} action="Move" disabled=${stage === version.stage} onClose=${onClose} onSubmit=${submit}>
    <p class="muted">It is in ${version.stage === "None" ? "no stage" : version.stage} now.</p>
    <fieldset class="choices">
      <legend class="unseen">Stage</legend>
      ${STAGES.map(
        (each) => html`<label key=${each}>
          <input type="radio" name="stage" value=${each} checked=${each === stage} disabled=${each === version.stage} onChange=${() => setStageTo(each)} />
          ${each === "None" ? "No stage" : each}
        </label>`,
      )}
    </fieldset>
    ${offers &&
    html`<label class="check">
      <input type="checkbox" checked=${archive} onChange=${(/** @type {any} */ event) => setArchive(event.target.checked)} />
      Archive ${there.map((each) => `version ${each.version}`).join(", ")}, now in ${stage}
    </label>`}
  </${FormDialog}>`;
}

/** @param {{ version: Version, known: readonly { alias: string, version: string }[], onClose: () => void, onDone: () => void }} props */
export function AliasDialog({ version, known, onClose, onDone }) {
  const [alias, setAliasTo] = useState("");
  const taken = known.find((each) => each.alias === alias.trim() && each.version !== version.version);
  const submit = async () => {
    await setAlias(version.name, version.version, alias.trim());
    onDone();
  };
  return html`<${FormDialog} title=${`Give version ${version.version} an alias`} action="Set" disabled=${!alias.trim()} onClose=${onClose} onSubmit=${submit}>
    <${Field} label="Alias" hint=${taken ? `It names version ${taken.version} now, and will name this one.` : `Programs load models:/${version.name}@${alias.trim() || "ALIAS"}`}>
      <input value=${alias} autofocus required placeholder="champion" list="aliases" onInput=${(/** @type {any} */ event) => setAliasTo(event.target.value)} />
    </${Field}>
    <datalist id="aliases">${known.map((each) => html`<option value=${each.alias} />`)}</datalist>
  </${FormDialog}>`;
}
