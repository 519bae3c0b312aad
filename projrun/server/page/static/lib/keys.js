// @ts-check
/** Keys that do something, each with the words that the help says of it. The view that was shown last counts first. */

import { useLayoutEffect, useRef } from "./preact.js";

/** @typedef {{ keys: string, does: string, call: (event: KeyboardEvent) => void }} Key `keys` is one key, `j`, or several, `g e`. */

/** @type {Set<{ current: readonly Key[] }>} */
const active = new Set();
let before = "";

/** Offer keys while the component is shown.
 * @param {readonly Key[]} keys */
export function useKeys(keys) {
  const held = useRef(keys);
  held.current = keys;
  // At once, not after the next frame: a key pressed as soon as the list is there counts.
  useLayoutEffect(() => {
    active.add(held);
    return () => void active.delete(held);
  }, []);
}

/** All keys that count now. @returns {Key[]} */
export function activeKeys() {
  return [...active].flatMap((each) => each.current);
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
  const key = event.key === " " ? "Space" : event.key;
  const both = before ? `${before} ${key}` : "";
  const known = activeKeys().reverse();
  const found = known.find((each) => both && each.keys === both) ?? known.find((each) => each.keys.split(" or ").includes(key));
  before = !found && known.some((each) => each.keys.startsWith(`${key} `)) ? key : "";
  if (!found) return;
  event.preventDefault();
  found.call(event);
}

/** @param {KeyboardEvent} event */
function isTyping({ target, key }) {
  if (!(target instanceof HTMLElement)) return false;
  if (document.querySelector("dialog[open]")) return true;
  // A button or a link has its own use of these.
  if ((key === "Enter" || key === " ") && target.closest("a, button, summary")) return true;
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

addEventListener("keydown", pressed);
