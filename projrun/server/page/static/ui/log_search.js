// @ts-check
/** Finding text in a log: looks through all of it, and steps from match to match. */

import { count } from "../lib/format.js";
import { html, useEffect, useRef, useState } from "../lib/preact.js";
import { Button } from "./button.js";
import { Search } from "./search.js";

/** @typedef {import("../lib/log_source.js").LogSource} LogSource */
/** @typedef {import("../lib/log_source.js").Match} Match */

/** @type {Match[]} */
const NONE = [];

/** @param {LogSource} source @param {(match: Match) => void} goTo */
export function useLogSearch(source, goTo) {
  const [text, setText] = useState("");
  const { matches, share } = useMatches(source, text);
  const [at, setAt] = useState(-1);
  // The step that was asked for before anything was found.
  const asked = useRef(0);
  const look = (/** @type {string} */ wanted) => {
    setText(wanted);
    setAt(-1);
    asked.current = 0;
  };
  useEffect(() => setAt(-1), [source]);
  const step = (/** @type {number} */ by) => {
    asked.current = matches.length ? 0 : by;
    if (!matches.length) return;
    const next = (at + by + matches.length) % matches.length;
    setAt(next);
    goTo(matches[next]);
  };
  useEffect(() => {
    if (asked.current) step(asked.current);
  }, [matches]);
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    step(event.shiftKey || at < 0 ? (at < 0 ? 1 : -1) : 1);
  };
  const found = matches.length ? `${at < 0 ? "" : `${count(at + 1)} of `}${count(matches.length)}` : share < 1 ? "" : "none";
  const field = html`<${Search} label="Find in the log" value=${text} onChange=${look} onKeyDown=${keys} />
    ${text &&
    html`<span class="muted" role="status">${found}${share < 1 ? ` (${Math.round(share * 100)} %)` : ""}</span>
      <${Button} kind="quiet" icon="up" label="Match before" onClick=${() => step(-1)} />
      <${Button} kind="quiet" icon="down" label="Next match" onClick=${() => step(1)} />`}`;
  return { field, text, current: matches[at] };
}

/** What is found of a text while a log is looked through, and what share of it was. @param {LogSource} source @param {string} text */
function useMatches(source, text) {
  const [found, setFound] = useState({ text: "", matches: NONE, share: 1 });
  useEffect(() => {
    setFound({ text, matches: NONE, share: 0 });
    if (!text) return undefined;
    const ending = new AbortController();
    const onProgress = (/** @type {number} */ share, /** @type {Match[]} */ matches) => {
      if (!ending.signal.aborted) setFound({ text, matches: [...matches], share });
    };
    const timer = setTimeout(() => source.search(text, { signal: ending.signal, onProgress }), 200);
    return () => {
      clearTimeout(timer);
      ending.abort();
    };
  }, [text, source]);
  return found.text === text ? found : { matches: NONE, share: 0 };
}
