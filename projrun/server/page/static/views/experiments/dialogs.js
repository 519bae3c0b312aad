// @ts-check
/** What is asked when an experiment is created or changed. */

import { html, useState } from "../../lib/preact.js";
import { Field, FormDialog } from "../../ui/dialog.js";
import { create, update } from "./calls.js";

/** @typedef {import("./calls.js").Experiment} Experiment */

/**
 * @param {{ experiment?: Experiment, onClose: () => void, onDone: (id: string) => void }} props without an experiment, for a new one
 */
export function ExperimentDialog({ experiment, onClose, onDone }) {
  const [name, setName] = useState(experiment?.name ?? "");
  const [note, setNote] = useState(experiment?.note ?? "");
  const submit = async () => {
    if (experiment) await update(experiment, name.trim(), note);
    onDone(experiment ? experiment.id : await create(name.trim(), note));
  };
  return html`<${FormDialog}
    title=${experiment ? "Edit experiment" : "New experiment"}
    action=${experiment ? "Save" : "Create"}
    disabled=${!name.trim()}
    onClose=${onClose}
    onSubmit=${submit}
  >
    <${Field} label="Name">
      <input value=${name} autofocus required onInput=${(/** @type {any} */ event) => setName(event.target.value)} />
    </${Field}>
    <${Field} label="Description" hint="Markdown">
      <textarea rows="6" value=${note} onInput=${(/** @type {any} */ event) => setNote(event.target.value)}></textarea>
    </${Field}>
  </${FormDialog}>`;
}
