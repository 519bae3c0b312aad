// @ts-check
/** A button that opens a list of things to do, or a panel of anything. */

import { html, useEffect, useLayoutEffect, useRef, useState } from "../lib/preact.js";
import { Button } from "./button.js";
import { Icon } from "./icon.js";

/** @typedef {{ label: string, icon?: import("./icon.js").IconName, call?: () => void, href?: string, danger?: boolean, disabled?: boolean }} Item */

/**
 * @param {{ label: string, icon?: import("./icon.js").IconName, text?: any, kind?: string, items: readonly Item[], align?: "start" | "end" }} props
 */
export function Menu({ items, ...rest }) {
  return html`<${Popover} ...${rest} role="menu">
    ${(/** @type {() => void} */ close) =>
      items.map((item) => {
        const inside = html`${item.icon && html`<${Icon} name=${item.icon} />`}<span>${item.label}</span>`;
        const look = `item ${item.danger ? "danger" : ""}`;
        if (item.href) return html`<a role="menuitem" class=${look} href=${item.href} onClick=${close}>${inside}</a>`;
        const call = () => {
          close();
          item.call?.();
        };
        return html`<button type="button" role="menuitem" class=${look} disabled=${item.disabled} onClick=${call}>${inside}</button>`;
      })}
  </${Popover}>`;
}

/**
 * What opens below a button, and closes with Escape, a click elsewhere, or by the function that its children are given.
 * @param {{ label: string, icon?: import("./icon.js").IconName, text?: any, kind?: string, align?: "start" | "end",
 *   role?: string, class?: string, children: (close: () => void) => any }} props
 */
export function Popover({ label, icon, text, kind = "plain", align = "start", role, class: more = "", children }) {
  const [open, setOpen] = useState(false);
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const panel = useRef(/** @type {HTMLElement | null} */ (null));
  const close = () => {
    setOpen(false);
    place.current?.querySelector("button")?.focus();
  };
  useOutside(place, open, () => setOpen(false));
  useLayoutEffect(() => {
    if (!open || !panel.current || !place.current) return;
    showBelow(panel.current, place.current, align);
    focusable(panel.current)[0]?.focus();
  }, [open]);
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (role === "menu" && panel.current && ["ArrowDown", "ArrowUp"].includes(event.key)) {
      event.preventDefault();
      step(focusable(panel.current), event.key === "ArrowDown" ? 1 : -1);
    }
  };
  return html`<span class="popover" ref=${place} onKeyDown=${open ? keys : undefined}>
    <${Button}
      kind=${kind}
      icon=${icon}
      label=${text ? undefined : label}
      title=${label}
      aria-expanded=${open}
      aria-haspopup=${role === "menu" ? "menu" : "dialog"}
      onClick=${() => setOpen(!open)}
      >${text}</${Button}
    >
    ${open && html`<div ref=${panel} popover="manual" class=${`panel ${more}`} role=${role ?? "dialog"} aria-label=${label}>${children(close)}</div>`}
  </span>`;
}

/** @param {{ current: HTMLElement | null }} place @param {boolean} open @param {() => void} close */
function useOutside(place, open, close) {
  useEffect(() => {
    if (!open) return undefined;
    const outside = (/** @type {Event} */ event) => {
      if (event.target instanceof Node && !place.current?.contains(event.target)) close();
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("focusin", outside);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("focusin", outside);
    };
  }, [open]);
}

/** Above everything, so that nothing that scrolls cuts it off. @param {HTMLElement} panel @param {HTMLElement} place @param {"start" | "end"} align */
function showBelow(panel, place, align) {
  panel.showPopover();
  const button = place.getBoundingClientRect();
  const { width, height } = panel.getBoundingClientRect();
  const left = align === "end" ? button.right - width : button.left;
  const below = button.bottom + 4;
  const top = below + height > innerHeight - 8 && button.top - 4 - height > 0 ? button.top - 4 - height : below;
  panel.style.left = `${Math.max(8, Math.min(left, innerWidth - 8 - width))}px`;
  panel.style.top = `${top}px`;
  panel.style.maxHeight = `${innerHeight - top - 8}px`;
}

/** @param {HTMLElement} panel @returns {HTMLElement[]} */
function focusable(panel) {
  return [...panel.querySelectorAll(/** @type {"button"} */ ("input, select, textarea, button:not([disabled]), a[href]"))];
}

/** @param {HTMLElement[]} found @param {number} by */
function step(found, by) {
  const at = found.findIndex((each) => each === document.activeElement);
  found[(at + by + found.length) % found.length]?.focus();
}
