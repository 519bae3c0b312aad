// @ts-check
/** Dialogs of a run: its name, its description, a tag, a version of a registered model. */

import { useData } from "../../lib/api.js";
import { unchanged } from "../../lib/edits.js";
import { html, useState } from "../../lib/preact.js";
import { href, path } from "../../lib/router.js";
import { NOTE } from "../../lib/runs.js";
import { Field, FormDialog } from "../../ui/dialog.js";
import { say } from "../../ui/toast.js";
import { loadRun, modelNames, register, rename, setTag } from "./calls.js";

/** @typedef {import("../../lib/runs.js").Run} Run */

const valueOf = (/** @type {Event} */ event) => /** @type {HTMLInputElement} */ (event.target).value;

/** @param {{ run: Run, onClose: () => void, onDone: () => void }} props */
export function RenameDialog({ run, onClose, onDone }) {
  const [name, setName] = useState(run.name);
  const submit = async () => {
    await rename(run.id, name.trim());
    onDone();
  };
  return html`<${FormDialog} title="Rename the run" action="Rename" onClose=${onClose} onSubmit=${submit} disabled=${!name.trim()}>
    <${Field} label="Name"><input value=${name} onInput=${(/** @type {Event} */ event) => setName(valueOf(event))} required autofocus /></${Field}>
  </${FormDialog}>`;
}

/** @param {{ run: Run, onClose: () => void, onDone: () => void }} props */
export function NoteDialog({ run, onClose, onDone }) {
  const [before] = useState(run.tags.get(NOTE) ?? ""); // a run that goes on is read again and again
  const [text, setText] = useState(before);
  const submit = async () => {
    await unchanged(before, async () => (await loadRun(run.id)).tags.get(NOTE) ?? "");
    await setTag(run.id, NOTE, text);
    onDone();
  };
  return html`<${FormDialog} title="Description" action="Save" onClose=${onClose} onSubmit=${submit}>
    <${Field} label="Markdown"><textarea rows="12" value=${text} onInput=${(/** @type {Event} */ event) => setText(valueOf(event))}></textarea></${Field}>
  </${FormDialog}>`;
}

/** @param {{ run: Run, tag?: string, onClose: () => void, onDone: () => void }} props `tag` is one to change */
export function TagDialog({ run, tag, onClose, onDone }) {
  const [key, setKey] = useState(tag ?? "");
  const [before] = useState(tag === undefined ? "" : run.tags.get(tag) ?? "");
  const [value, setValue] = useState(before);
  const submit = async () => {
    if (tag !== undefined) await unchanged(before, async () => (await loadRun(run.id)).tags.get(tag) ?? "");
    await setTag(run.id, key.trim(), value);
    onDone();
  };
  return html`<${FormDialog} title=${tag === undefined ? "New tag" : "Change the tag"} action="Save" onClose=${onClose} onSubmit=${submit} disabled=${!key.trim()}>
    <${Field} label="Key"><input value=${key} disabled=${tag !== undefined} onInput=${(/** @type {Event} */ event) => setKey(valueOf(event))} /></${Field}>
    <${Field} label="Value"><textarea rows="3" value=${value} onInput=${(/** @type {Event} */ event) => setValue(valueOf(event))}></textarea></${Field}>
  </${FormDialog}>`;
}

/** @param {{ source: string, run: string, model?: string, onClose: () => void, onDone: () => void }} props */
export function RegisterDialog({ source, run, model, onClose, onDone }) {
  const [name, setName] = useState("");
  const { data: names = [] } = useData("names", modelNames);
  const known = names.includes(name.trim());
  const submit = async () => {
    const version = await register({ name: name.trim(), source, run, model });
    say(`Registered ${name.trim()}, version ${version}`);
    onDone();
  };
  return html`<${FormDialog} title="Register the model" action="Register" onClose=${onClose} onSubmit=${submit} disabled=${!name.trim()}>
    <${Field} label="Registered model" hint=${name.trim() ? (known ? "A new version of this model" : "A new model, version 1") : "A new name, or one that exists"}>
      <input list="registered-models" value=${name} onInput=${(/** @type {Event} */ event) => setName(valueOf(event))} required />
      <datalist id="registered-models">${names.map((each) => html`<option value=${each}></option>`)}</datalist>
    </${Field}>
  </${FormDialog}>`;
}

/** @param {import("./calls.js").Version} version */
export function versionLink({ name, version }) {
  return html`<a href=${href(path("models", name, "versions", version))}>${name} v${version}</a>`;
}
