// @ts-check
/** Style sheets of single views, loaded when the view is. */

import { useState } from "../lib/preact.js";

const files = new URL("../", import.meta.url);
const asked = new Set();

/** The style sheet of a view or component, below `static/`. @param {string} name */
export function useSheet(name) {
  // Once, and before the component is drawn.
  useState(() => addSheet(name));
}

/** @param {string} name */
export function addSheet(name) {
  if (asked.has(name)) return;
  asked.add(name);
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL(name, files).href;
  document.head.append(link);
}
