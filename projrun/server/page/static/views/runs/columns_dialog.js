// @ts-check
/** Which columns are shown: chosen from all that the runs have, and put in order. */

import { html, useState } from "../../lib/preact.js";
import { ATTRIBUTE_KEYS, column, subtitle, title } from "../../lib/columns.js";
import { byName, count } from "../../lib/format.js";
import { Button } from "../../ui/button.js";
import { Dialog } from "../../ui/dialog.js";

/** @typedef {import("../../lib/columns.js").Column} Column */
/** @typedef {import("../../lib/columns.js").Known} Known */

const MOST = 200; // that are listed at once: the search finds the others

/**
 * @param {{ columns: readonly Column[], known: readonly Known[], pinned: number, onChange: (columns: readonly Column[], pinned: number) => void,
 *   onReset: () => void, onClose: () => void }} props
 */
export function ColumnsDialog({ columns, known, pinned, onChange, onReset, onClose }) {
  const [text, setText] = useState("");
  const all = candidates(known).filter(({ column: each }) => `${each.kind} ${title(each)}`.toLowerCase().includes(text.toLowerCase()));
  const shown = new Set(columns.map((each) => each.id));
  const toggle = (/** @type {Column} */ one) => {
    const place = columns.findIndex((each) => each.id === one.id);
    if (place < 0) onChange([...columns, one], pinned);
    else onChange(columns.filter((each) => each.id !== one.id), place < pinned ? pinned - 1 : pinned);
  };
  const move = (/** @type {number} */ from, /** @type {number} */ by) => onChange(moved(columns, from, from + by), pinned);
  return html`<${Dialog} title="Columns" class="wide" onClose=${onClose}>
    <div class="choose">
      <section>
        <div class="search">
          <input type="search" aria-label="Search columns" placeholder="Search columns" autofocus value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)} />
        </div>
        <ul class="choices">
          ${all.slice(0, MOST).map(
            ({ column: each, runs }) =>
              html`<li key=${each.id}>
                <label><input type="checkbox" checked=${shown.has(each.id)} onChange=${() => toggle(each)} /><span class="clip">${title(each)}</span><small class="muted">${subtitle(each) || each.kind}${runs ? ` · ${count(runs)}` : ""}</small></label>
              </li>`,
          )}
        </ul>
        ${all.length > MOST && html`<p class="muted">${count(all.length - MOST)} more: search for them.</p>`}
      </section>
      <section>
        <h3>Shown, from left to right</h3>
        <ol class="choices">
          ${columns.map(
            (each, index) =>
              html`<li key=${each.id}>
                <span class="clip">${title(each)} <small class="muted">${subtitle(each)}</small></span>
                <${Button} kind="quiet" icon="pin" pressed=${index < pinned} label=${`${index < pinned ? "Unpin" : "Pin"} ${title(each)}`} onClick=${() => pin(columns, index, pinned, onChange)} />
                <${Button} kind="quiet" icon="up" label=${`Move ${title(each)} to the left`} disabled=${!index} onClick=${() => move(index, -1)} />
                <${Button} kind="quiet" icon="down" label=${`Move ${title(each)} to the right`} disabled=${index === columns.length - 1} onClick=${() => move(index, 1)} />
                <${Button} kind="quiet" icon="close" label=${`Hide ${title(each)}`} onClick=${() => toggle(each)} />
              </li>`,
          )}
        </ol>
        <p><${Button} icon="restore" onClick=${onReset}>Choose for me</${Button}></p>
      </section>
    </div>
  </${Dialog}>`;
}

/** @param {readonly Column[]} columns @param {number} from @param {number} to @returns {Column[]} */
export function moved(columns, from, to) {
  const next = [...columns];
  next.splice(to, 0, ...next.splice(from, 1));
  return next;
}

/** Pinned columns are the first: one more goes to their end, one less to the beginning of the others.
 * @param {readonly Column[]} columns @param {number} index @param {number} pinned @param {(columns: readonly Column[], pinned: number) => void} onChange */
export function pin(columns, index, pinned, onChange) {
  if (index < pinned) onChange(moved(columns, index, pinned - 1), pinned - 1);
  else onChange(moved(columns, index, pinned), pinned + 1);
}

/** @param {readonly Known[]} known @returns {{ column: Column, runs: number }[]} */
function candidates(known) {
  const sorted = [...known].sort((one, other) => byName(one.kind, other.kind) || byName(one.key, other.key));
  return [
    ...ATTRIBUTE_KEYS.map((key) => ({ column: column("attribute", key), runs: 0 })),
    ...sorted.flatMap(({ kind, key, runs }) =>
      kind === "metric"
        ? [{ column: column("metric", key), runs }, { column: column("metric", key, "min"), runs }, { column: column("metric", key, "max"), runs }, { column: column("curve", key), runs }]
        : kind === "attribute"
          ? []
          : [{ column: column(kind, key), runs }],
    ),
  ];
}
