// @ts-check
/** Dialogs: the browser's own, which keep the keyboard inside and end with Escape. */

import { html, useId, useLayoutEffect, useRef, useState } from "../lib/preact.js";
import { Button } from "./button.js";

/**
 * @param {{ title: string, onClose: () => void, children?: any, class?: string }} props
 */
export function Dialog({ title, onClose, children, class: more = "" }) {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const name = useId();
  const pressed = useRef(false);
  // Before a key can be pressed: Escape closes what was shown as a modal.
  useLayoutEffect(() => {
    const focused = document.activeElement;
    element.current?.showModal();
    return () => focused instanceof HTMLElement && focused.focus();
  }, []);
  return html`<dialog
    ref=${element}
    class=${more}
    aria-labelledby=${name}
    onClose=${onClose}
    onPointerDown=${(/** @type {Event} */ event) => (pressed.current = event.target === element.current)}
    onClick=${(/** @type {MouseEvent} */ event) => pressed.current && event.target === element.current && onClose()}
  >
    <div class="dialog">
      <header>
        <h2 id=${name}>${title}</h2>
        <${Button} kind="quiet" icon="close" label="Close" onClick=${onClose} />
      </header>
      ${children}
    </div>
  </dialog>`;
}

/**
 * A dialog that asks for something and does it: stays open, and says why, where that fails.
 * @param {{ title: string, action: string, onClose: () => void, onSubmit: () => Promise<unknown>, danger?: boolean,
 *   disabled?: boolean, children?: any }} props
 */
export function FormDialog({ title, action, onClose, onSubmit, danger = false, disabled = false, children }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      await onSubmit();
      onClose();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <form onSubmit=${submit}>
      ${children} ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      <footer>
        <${Button} onClick=${onClose}>Cancel</${Button}>
        <${Button} type="submit" kind=${danger ? "danger" : "primary"} disabled=${busy || disabled}>${action}</${Button}>
      </footer>
    </form>
  </${Dialog}>`;
}

/** A named field of a form.
 * @param {{ label: string, hint?: string, children?: any }} props */
export function Field({ label, hint, children }) {
  return html`<label class="field"><span>${label}</span>${children}${hint && html`<small>${hint}</small>`}</label>`;
}
