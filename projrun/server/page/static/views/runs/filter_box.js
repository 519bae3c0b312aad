// @ts-check
/** Where a filter is written: completed while one types, with the place of a mistake marked. */

import { html, useEffect, useId, useRef, useState } from "../../lib/preact.js";
import { complete, problemOf } from "../../lib/filter_words.js";
import { useKeys } from "../../lib/keys.js";
import { Button } from "../../ui/button.js";
import { Icon } from "../../ui/icon.js";

/**
 * @param {{ value: string, onChange: (value: string) => void, known: readonly { kind: string, key: string }[], problem?: string, filter: string }} props
 * `filter` is what was sent, which the place of a mistake counts in
 */
export function FilterBox({ value, onChange, known, problem, filter }) {
  const [text, setText] = useState(value);
  const [offer, setOffer] = useState(/** @type {{ from: number, words: string[], at: number } | null} */ (null));
  const box = useRef(/** @type {HTMLInputElement | null} */ (null));
  const list = useId();
  useEffect(() => setText(value), [value]);
  useKeys([{ keys: "/", does: "Filter the runs", call: () => box.current?.select() }]);
  const suggest = () => {
    const { value: written = "", selectionStart } = box.current ?? {};
    const found = complete(written, selectionStart ?? written.length, known);
    setOffer(found.words.length ? { ...found, at: -1 } : null);
  };
  const take = (/** @type {string} */ word) => {
    const caret = box.current?.selectionStart ?? text.length;
    const next = `${text.slice(0, offer?.from ?? caret)}${word} `;
    setText(next + text.slice(caret).trimStart());
    setOffer(null);
    requestAnimationFrame(() => {
      box.current?.focus();
      box.current?.setSelectionRange(next.length, next.length);
      suggest();
    });
  };
  const commit = (/** @type {string} */ next) => {
    setOffer(null);
    onChange(next.trim());
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (offer && ["ArrowDown", "ArrowUp"].includes(event.key)) {
      event.preventDefault();
      const by = event.key === "ArrowDown" ? 1 : -1;
      setOffer({ ...offer, at: (offer.at + by + offer.words.length) % offer.words.length });
    } else if (offer && ((event.key === "Enter" && offer.at >= 0) || event.key === "Tab") && text.trim()) {
      event.preventDefault();
      take(/** @type {string} */ (offer.words[Math.max(0, offer.at)]));
    } else if (event.key === "Enter") {
      commit(text);
    } else if (event.key === "Escape") {
      if (offer) setOffer(null);
      else box.current?.blur();
    }
  };
  const mistake = problem ? problemOf(problem) : null;
  return html`<div class="filter search">
    <${Icon} name="filter" />
    <input
      ref=${box}
      role="combobox"
      aria-label="Filter runs"
      aria-expanded=${Boolean(offer)}
      aria-controls=${offer ? list : undefined}
      aria-autocomplete="list"
      aria-activedescendant=${offer && offer.at >= 0 ? `${list}-${offer.at}` : undefined}
      aria-invalid=${Boolean(mistake)}
      autocomplete="off"
      spellcheck=${false}
      placeholder="Name, or metrics.rmse < 0.8 AND params.alpha = '0.5'"
      value=${text}
      onInput=${(/** @type {any} */ event) => {
        setText(event.target.value);
        suggest();
      }}
      onKeyDown=${keys}
      onBlur=${() => commit(text)}
    />
    ${text && html`<${Button} kind="quiet" icon="close" label="Remove the filter" class="clear" onClick=${() => (setText(""), commit(""))} />`}
    ${offer && html`<${Offers} id=${list} words=${offer.words} at=${offer.at} onTake=${take} />`}
    ${mistake && html`<${Mistake} filter=${filter} ...${mistake} />`}
  </div>`;
}

/** @param {{ id: string, words: readonly string[], at: number, onTake: (word: string) => void }} props */
function Offers({ id, words, at, onTake }) {
  // Not a click: the box would lose the focus first.
  const take = (/** @type {Event} */ event, /** @type {string} */ word) => {
    event.preventDefault();
    onTake(word);
  };
  return html`<ul class="offers" id=${id} role="listbox" aria-label="Completions">
    ${words.map((word, index) => html`<li key=${word} id=${`${id}-${index}`} role="option" aria-selected=${index === at} onMouseDown=${(/** @type {Event} */ event) => take(event, word)}>${word}</li>`)}
  </ul>`;
}

/** @param {{ filter: string } & ReturnType<typeof problemOf>} props */
function Mistake({ filter, at, reason }) {
  const place = at !== null && html`<code>${filter.slice(Math.max(0, at - 24), at)}<mark>${filter.slice(at, at + 24) || "␣"}</mark></code>`;
  return html`<p class="mistake" role="alert">${place}${reason}</p>`;
}
