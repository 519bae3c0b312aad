// @ts-check
/** Short messages at the page's edge: what was done, with a way back, or why it was not. */

import { html, useEffect, useState } from "../lib/preact.js";
import { Button } from "./button.js";

/** @typedef {{ text: string, kind: "done" | "problem", action?: string, call?: () => void }} Message */

let show = (/** @type {Message} */ _message) => {};

/** Say what was done. @param {string} text @param {{ action?: string, call?: () => void }} [more] for example to undo it */
export function say(text, more = {}) {
  show({ text, kind: "done", ...more });
}

/** Say why something was not done. @param {unknown} error */
export function complain(error) {
  show({ text: error instanceof Error ? error.message : String(error), kind: "problem" });
}

/** Take something away, say so, and offer to put it back.
 * @param {string} text @param {() => Promise<unknown>} call @param {() => Promise<unknown>} back @param {() => void} after either */
export async function takeAway(text, call, back, after) {
  const undo = async () => (await attempt(back)) && after();
  if (!(await attempt(call))) return;
  after();
  say(text, { action: "Undo", call: undo });
}

/** Do something, and complain where it fails; whether it did. @param {() => Promise<unknown>} call */
export async function attempt(call) {
  try {
    await call();
    return true;
  } catch (error) {
    complain(error);
    return false;
  }
}

/** Where the messages appear: once a page. */
export function Toasts() {
  const [message, setMessage] = useState(/** @type {Message | null} */ (null));
  useEffect(() => {
    show = setMessage;
  }, []);
  useEffect(() => {
    if (!message) return undefined;
    const timer = setTimeout(() => setMessage(null), message.kind === "done" ? 6000 : 12000);
    return () => clearTimeout(timer);
  }, [message]);
  const act = () => {
    setMessage(null);
    message?.call?.();
  };
  return html`<div class="toasts" role="status" aria-live="polite">
    ${message &&
    html`<div class=${`toast ${message.kind}`}>
      <span>${message.text}</span>
      ${message.action && html`<${Button} kind="quiet" onClick=${act}>${message.action}</${Button}>`}
      <${Button} kind="quiet" icon="close" label="Dismiss" onClick=${() => setMessage(null)} />
    </div>`}
  </div>`;
}
