// @ts-check
/** Lines to copy into a terminal. */

import { root } from "./router.js";

/** What programs call this server. */
export const SERVER = `${location.origin}${root.replace(/\/$/, "")}`;

/** The line after which programs record here. */
export const TRACKING = `export MLFLOW_TRACKING_URI=${SERVER}`;

/** A name as one word of a command, whatever signs it has. @param {string} text */
export function shellWord(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
