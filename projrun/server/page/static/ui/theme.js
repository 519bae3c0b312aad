// @ts-check
/** Colours of the style sheet for what is drawn on a canvas, and when they change. */

import { colourName } from "../lib/colours.js";
import { useEffect, useState } from "../lib/preact.js";

/** @typedef {import("../lib/colours.js").Look} Look */

/** A colour as the browser computes it, so that canvas and files take it. @param {string} name of a CSS variable @returns {string} */
export function colourOf(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** The colours of lines, each computed once. @returns {(look: Look | undefined) => string} */
export function seriesColours() {
  /** @type {Map<number, string>} */
  const known = new Map();
  return (look) => {
    const index = look?.index ?? 0;
    const found = known.get(index) ?? colourOf(colourName(look));
    known.set(index, found);
    return found;
  };
}

/** A number that changes whenever the page becomes light or dark. @returns {number} */
export function useTheme() {
  const [count, set] = useState(0);
  useEffect(() => {
    const change = () => set((old) => old + 1);
    addEventListener("projrun:theme", change);
    return () => removeEventListener("projrun:theme", change);
  }, []);
  return count;
}
