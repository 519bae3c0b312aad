// @ts-check
/** A row that the keyboard is at: `j` and `k` go down and up, `Enter` opens, `x` selects. */

import { useCallback, useEffect, useState } from "./preact.js";
import { useKeys } from "./keys.js";

/**
 * @param {number} length of the list
 * @param {{ open?: (index: number) => void, toggle?: (index: number) => void, what: string }} does
 * @returns {[number, (index: number) => void]} the index, -1 before the first key, and how to set it
 */
export function useCursor(length, { open, toggle, what }) {
  const [at, setAt] = useState(-1);
  useEffect(() => setAt((old) => Math.min(old, length - 1)), [length]);
  const step = (/** @type {number} */ by) => length > 0 && setAt((old) => Math.max(0, Math.min(length - 1, old + by)));
  useKeys([
    { keys: "j or ArrowDown", does: `Next ${what}`, call: () => step(1) },
    { keys: "k or ArrowUp", does: `Previous ${what}`, call: () => step(-1) },
    ...(open ? [{ keys: "Enter", does: `Open the ${what}`, call: () => at >= 0 && open(at) }] : []),
    ...(toggle ? [{ keys: "x", does: `Select the ${what}`, call: () => at >= 0 && toggle(at) }] : []),
  ]);
  return [at, useCallback(setAt, [])];
}

/** Keeps the element of the current row in sight: a ref for that row. @param {Element | null} element */
export function keepInSight(element) {
  element?.scrollIntoView({ block: "nearest" });
}
