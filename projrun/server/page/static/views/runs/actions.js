// @ts-check
/** What is done with the runs that are selected. */

import { html, useRef, useState } from "../../lib/preact.js";
import { counted } from "../../lib/format.js";
import { useKeys } from "../../lib/keys.js";
import { listText } from "../../lib/long_lists.js";
import { go, href } from "../../lib/router.js";
import { Button } from "../../ui/button.js";
import { Field, FormDialog } from "../../ui/dialog.js";
import { attempt, say } from "../../ui/toast.js";
import { setDeleted, setTag } from "./source.js";

/**
 * @param {{ selected: readonly number[], here: boolean, may: (level: import("../../lib/session.js").Level) => boolean, deleted: boolean, runIds: (rows: readonly number[]) => Promise<string[]>, onClear: () => void, onDone: (rows: readonly number[]) => void }} props
 */
export function Actions({ selected, here, may, deleted, runIds, onClear, onDone }) {
  const [tagging, setTagging] = useState(false);
  const busy = useRef(false); // a second click is not another change
  const compare = () =>
    attempt(async () => {
      go(href("/compare", { runs: listText("compare", await runIds(selected)) }));
    });
  const change = (/** @type {boolean} */ gone) =>
    attempt(async () => {
      if (busy.current) return;
      busy.current = true;
      try {
        const runs = await runIds(selected);
        // Also where some of them failed: what was done is shown.
        await all(runs, (run) => setDeleted(run, gone)).finally(() => onDone(selected));
        onClear();
        const undo = () => attempt(() => all(runs, (run) => setDeleted(run, false)).finally(() => onDone(selected)));
        say(`${gone ? "Deleted" : "Restored"} ${counted(runs.length, "run")}`, gone ? { action: "Undo", call: undo } : {});
      } finally {
        busy.current = false;
      }
    });
  const some = selected.length > 0;
  useKeys([
    { keys: "c", does: "Compare the selected runs", call: () => some && compare() },
    { keys: "Escape", does: "Select nothing", call: () => some && onClear() },
  ]);
  if (!some) return null;
  return html`<div class="selected" role="toolbar" aria-label="Selected runs">
    <strong>${counted(selected.length, "run")} selected</strong>
    ${here && html`<span class="muted">in this tab only: too many for the address</span>`}
    <${Button} icon="compare" kind="primary" onClick=${compare}>Compare</${Button}>
    ${may("EDIT") && html`<${Button} icon="tag" onClick=${() => setTagging(true)}>Tag</${Button}>`}
    ${may("MANAGE") &&
    (deleted
      ? html`<${Button} icon="restore" onClick=${() => change(false)}>Restore</${Button}>`
      : html`<${Button} icon="trash" kind="danger" onClick=${() => change(true)}>Delete</${Button}>`)}
    <${Button} kind="quiet" icon="close" label="Select nothing" onClick=${onClear} />
    ${tagging && html`<${TagDialog} selected=${selected} runIds=${runIds} onClose=${() => setTagging(false)} onDone=${onDone} />`}
  </div>`;
}

/** @param {{ selected: readonly number[], runIds: (rows: readonly number[]) => Promise<string[]>, onClose: () => void, onDone: (rows: readonly number[]) => void }} props */
function TagDialog({ selected, runIds, onClose, onDone }) {
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const submit = async () => {
    await all(await runIds(selected), (run) => setTag(run, key.trim(), value)).finally(() => onDone(selected));
    say(`Tagged ${counted(selected.length, "run")}`);
  };
  return html`<${FormDialog} title=${`Tag ${counted(selected.length, "run")}`} action="Tag" disabled=${!key.trim()} onClose=${onClose} onSubmit=${submit}>
    <${Field} label="Tag"><input value=${key} autofocus required onInput=${(/** @type {any} */ event) => setKey(event.target.value)} /></${Field}>
    <${Field} label="Value"><input value=${value} onInput=${(/** @type {any} */ event) => setValue(event.target.value)} /></${Field}>
  </${FormDialog}>`;
}

/** Some calls at a time, each of them whatever becomes of the others; how many failed, and why the first did.
 * @template T @param {readonly T[]} list @param {(each: T) => Promise<unknown>} call */
async function all(list, call) {
  const waiting = [...list];
  /** @type {unknown[]} */
  const failures = [];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await call(next).catch((error) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: 6 }, worker));
  if (!failures.length) return;
  const reason = failures[0] instanceof Error ? failures[0].message : String(failures[0]);
  throw new Error(list.length === 1 ? reason : `${counted(failures.length, "run")} of ${list.length} not changed: ${reason}`);
}
