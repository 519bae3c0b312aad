// @ts-check
/** What the views of models share: aliases, stages, tags, descriptions. */

import { unchanged } from "../../lib/edits.js";
import { html, useState } from "../../lib/preact.js";
import { href, path } from "../../lib/router.js";
import { isInternal } from "../../lib/runs.js";
import { Button } from "../../ui/button.js";
import { Icon } from "../../ui/icon.js";
import { Markdown } from "../../ui/markdown.js";
import { attempt, takeAway } from "../../ui/toast.js";
import { removeAlias, setAlias } from "./calls.js";

/** An alias, which leads to its version.
 * @param {{ name: string, alias: string, version: string, bare?: boolean, onRemove?: () => void }} props `bare` where the version is plain */
export function Alias({ name, alias, version, bare = false, onRemove }) {
  return html`<span class="chip alias">
    <a href=${href(path("models", name, "versions", version))} title=${`models:/${name}@${alias}`}>@${alias}</a>
    ${!bare && html`<span class="muted">v${version}</span>`}
    ${onRemove && html`<button type="button" class="remove" aria-label=${`Remove the alias ${alias}`} onClick=${onRemove}><${Icon} name="close" /></button>`}
  </span>`;
}

/** @param {{ name: string, version: string }} version @param {string} alias @param {() => void} reload */
export function dropAlias({ name, version }, alias, reload) {
  return takeAway(`Removed @${alias}`, () => removeAlias(name, alias), () => setAlias(name, version, alias), reload);
}

/** @param {{ stage: string, version?: string }} props */
export function Stage({ stage, version }) {
  if (!stage || stage === "None") return null;
  return html`<span class=${`chip stage ${stage.toLowerCase()}`}>${stage}${version && html` <span>v${version}</span>`}</span>`;
}

/** A description with a way to write it. @param {{ text: string, may: boolean, onSave: (text: string) => Promise<unknown>, onRead: () => Promise<string> }} props `onRead` is what it is now */
export function Description({ text, may, onSave, onRead }) {
  const [draft, setDraft] = useState(/** @type {string | null} */ (null));
  const [before, setBefore] = useState(""); // as it was when the writing began
  const [busy, setBusy] = useState(false);
  const edit = () => {
    setBefore(text);
    setDraft(text);
  };
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    if (await attempt(async () => (await unchanged(before, onRead), await onSave(draft ?? "")))) setDraft(null);
    setBusy(false);
  };
  if (draft !== null) {
    return html`<form class="describe" onSubmit=${save}>
      <textarea rows="8" aria-label="Description in Markdown" autofocus value=${draft} onInput=${(/** @type {any} */ event) => setDraft(event.target.value)}></textarea>
      <div class="tools">
        <${Button} type="submit" kind="primary" disabled=${busy}>Save</${Button}>
        <${Button} onClick=${() => setDraft(null)}>Cancel</${Button}>
        <small class="muted">Markdown</small>
      </div>
    </form>`;
  }
  if (!text) return may && html`<p><${Button} kind="quiet" icon="edit" onClick=${edit}>Add a description</${Button}></p>`;
  return html`<div class="description">
    <${Markdown} text=${text} />
    ${may && html`<${Button} kind="quiet" icon="edit" label="Edit the description" onClick=${edit} />`}
  </div>`;
}

/** Tags, changed in place.
 * @param {{ tags: Record<string, string>, may: boolean, mayRemove: boolean, onSet: (key: string, value: string) => Promise<unknown>, onRemove: (key: string) => Promise<unknown> }} props */
export function Tags({ tags, may, mayRemove, onSet, onRemove }) {
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const [open, setOpen] = useState(false);
  const shown = Object.entries(tags).filter(([name]) => !isInternal(name));
  const add = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!(await attempt(() => onSet(key.trim(), value)))) return;
    setKey("");
    setValue("");
    setOpen(false);
  };
  if (!shown.length && !may) return null;
  return html`<div class="tags">
    ${shown.map(
      ([name, text]) => html`<span key=${name} class="chip"><span class="muted">${name}</span>${text && html`<span class="clip">${text}</span>`}
        ${mayRemove && html`<button type="button" class="remove" aria-label=${`Remove the tag ${name}`} onClick=${() => takeAway(`Removed the tag ${name}`, () => onRemove(name), () => onSet(name, text), () => {})}><${Icon} name="close" /></button>`}
      </span>`,
    )}
    ${may && !open && html`<${Button} kind="quiet" icon="plus" onClick=${() => setOpen(true)}>Tag</${Button}>`}
    ${may &&
    open &&
    html`<form onSubmit=${add}>
      <input aria-label="Key of the tag" placeholder="key" autofocus required maxlength="250" value=${key} onInput=${(/** @type {any} */ event) => setKey(event.target.value)} />
      <input aria-label="Value of the tag" placeholder="value" value=${value} onInput=${(/** @type {any} */ event) => setValue(event.target.value)} />
      <${Button} type="submit" disabled=${!key.trim()}>Add</${Button}>
      <${Button} kind="quiet" icon="close" label="Cancel" onClick=${() => setOpen(false)} />
    </form>`}
  </div>`;
}

/** The first line of a description, without the signs of Markdown. @param {string} text */
export function firstLine(text) {
  return (text.trim().split("\n", 1)[0] ?? "").replace(/^#+\s*|[*`]+|!?\[|\]\([^)]*\)/g, "");
}

/** A fact beside the others; nothing where it is not known. @param {{ name: string, children?: any }} props */
export function Fact({ name, children }) {
  const values = [children].flat().filter((each) => each !== undefined && each !== null && each !== false && each !== "");
  return values.length ? html`<div><dt>${name}</dt><dd>${values}</dd></div>` : null;
}
