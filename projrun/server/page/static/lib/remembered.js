// @ts-check
/** What this browser remembers of a person's choices; views keep everything that others should see in the address. */

import { useCallback, useState } from "./preact.js";

/** Where something is kept: for good, or as long as the tab. A browser may refuse even to name them. */
const EVER = () => localStorage;
export const TAB = () => sessionStorage;

/** @template T @param {string} key @param {T} fallback @param {() => Storage} [place] @returns {T} */
export function recall(key, fallback, place = EVER) {
  try {
    const text = place().getItem(`projrun.${key}`);
    return text === null ? fallback : JSON.parse(text);
  } catch {
    return fallback; // no storage, or something else has written there
  }
}

/** @param {string} key @param {unknown} value nothing forgets it @param {() => Storage} [place] */
export function remember(key, value, place = EVER) {
  try {
    if (value === undefined || value === null) place().removeItem(`projrun.${key}`);
    else place().setItem(`projrun.${key}`, JSON.stringify(value));
  } catch {
    // Without storage a choice lasts as long as the page.
  }
}

/** State that is remembered. @template T @param {string} key @param {T} fallback @returns {[T, (value: T) => void]} */
export function useRemembered(key, fallback) {
  const [value, set] = useState(() => recall(key, fallback));
  const change = useCallback(
    (/** @type {T} */ next) => {
      remember(key, next);
      set(() => next);
    },
    [key],
  );
  return [value, change];
}
