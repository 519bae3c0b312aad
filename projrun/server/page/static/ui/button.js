// @ts-check
/** Buttons. Links to other places are plain `<a href=${href(…)}>`. */

import { html, useEffect, useRef, useState } from "../lib/preact.js";
import { Icon } from "./icon.js";

/**
 * @param {{ onClick?: (event: MouseEvent) => unknown, kind?: "plain" | "primary" | "danger" | "quiet", icon?: import("./icon.js").IconName,
 *   label?: string, disabled?: boolean, type?: string, pressed?: boolean, title?: string, children?: any, class?: string }} props
 * `label` names a button that has no text.
 */
export function Button({ kind = "plain", icon, label, pressed, children, type = "button", class: more = "", ...rest }) {
  return html`<button
    type=${type}
    class=${`button ${kind} ${more}`}
    aria-label=${label}
    title=${rest.title ?? label}
    aria-pressed=${pressed}
    ...${rest}
  >
    ${icon && html`<${Icon} name=${icon} />`}${children}
  </button>`;
}

/** Copies a text, and says so.
 * @param {{ text: string, label?: string, children?: any }} props */
export function CopyButton({ text, label = "Copy", children }) {
  const [copied, setCopied] = useState(false);
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async () => {
    await copyText(text);
    setCopied(true);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setCopied(false), 1500);
  };
  return html`<${Button} kind="quiet" icon=${copied ? "check" : "copy"} label=${copied ? "Copied" : label} onClick=${copy}>${children}</${Button}>`;
}

/** @param {string} text */
async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Over plain http from another machine a browser offers no clipboard.
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
  return undefined;
}

/** A line to copy into a terminal.
 * @param {{ children: string }} props */
export function Command({ children }) {
  const text = [children].flat().join("");
  return html`<div class="command"><code tabindex="0">${text}</code><${CopyButton} text=${text} label="Copy the command" /></div>`;
}
