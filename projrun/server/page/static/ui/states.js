// @ts-check
/** What a view shows in place of its content: nothing there yet, still loading, failed. And the status of a run. */

import { html } from "../lib/preact.js";
import { ApiError } from "../lib/api.js";
import { Button } from "./button.js";

/** Nothing there: says what to do next.
 * @param {{ title: string, children?: any }} props */
export function Empty({ title, children }) {
  return html`<section class="state"><h2>${title}</h2>${children}</section>`;
}

/** @param {{ error: Error, retry?: () => void }} props */
export function Failed({ error, retry }) {
  return html`<section class="state" role="alert">
    <h2>${heading(error)}</h2>
    <p>${error.message}</p>
    ${retry && html`<p><${Button} icon="refresh" onClick=${retry}>Try again</${Button}></p>`}
  </section>`;
}

/** @param {Error} error */
function heading(error) {
  if (!(error instanceof ApiError)) return "This page has a bug";
  if (error.status === 0) return "The server cannot be reached";
  if (error.status === 403) return "Not permitted";
  if (error.status === 404) return "Not found";
  if (error.status === 501) return "Not supported here";
  return error.status >= 500 ? "The server has a problem" : "The server refused this";
}

/** Lines of the height of what will be there, so that nothing jumps.
 * @param {{ rows?: number }} props */
export function Loading({ rows = 8 }) {
  return html`<div class="loading" role="status" aria-label="Loading">${Array.from({ length: rows }, (_, index) => html`<i key=${index} />`)}</div>`;
}

const STATUSES = new Map(
  Object.entries({
    RUNNING: "running",
    SCHEDULED: "scheduled",
    FINISHED: "finished",
    FAILED: "failed",
    KILLED: "killed",
  }),
);

/** @param {{ status: string, bare?: boolean }} props `bare` shows the mark alone */
export function Status({ status, bare = false }) {
  const word = STATUSES.get(status) ?? String(status).toLowerCase();
  return html`<span class=${`status ${word}`} title=${bare ? word : undefined}><i aria-hidden=${!bare} aria-label=${bare ? word : undefined} role=${bare ? "img" : undefined} />${!bare && word}</span>`;
}
