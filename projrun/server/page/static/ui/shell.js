// @ts-check
/** What is around every view: the bar with the places, the switch between light and dark, the help of the keys. */

import { html, useEffect, useState } from "../lib/preact.js";
import { useKeys, activeKeys } from "../lib/keys.js";
import { recall, remember } from "../lib/remembered.js";
import { go, href } from "../lib/router.js";
import { Button } from "./button.js";
import { Dialog } from "./dialog.js";
import { Toasts } from "./toast.js";

/** What the bar shows at its right; the view that signs in adds the user. @type {{ extras: (() => any)[] }} */
export const bar = { extras: [] };

const system = matchMedia("(prefers-color-scheme: dark)");

/** Put the theme on the page: the chosen one, else the system's. Whatever draws on a canvas listens to `projrun:theme`. */
export function applyTheme() {
  const chosen = recall("theme", "");
  document.documentElement.dataset.theme = chosen || (system.matches ? "dark" : "light");
  dispatchEvent(new Event("projrun:theme"));
}

/** Whether the page is dark now. */
function isDark() {
  return document.documentElement.dataset.theme === "dark";
}

system.addEventListener("change", applyTheme);

/**
 * @param {{ route: import("../lib/router.js").Route, sections: readonly { name: string, text: string, path: string, keys: string, places: readonly string[] }[], children?: any }} props
 */
export function Shell({ route, sections, children }) {
  const [help, setHelp] = useState(false);
  useKeys([
    { keys: "?", does: "Show these keys", call: () => setHelp(true) },
    ...sections.map(({ text, path, keys }) => ({ keys, does: `Go to ${text.toLowerCase()}`, call: () => go(href(path)) })),
  ]);
  return html`<a class="skip" href="#content">Skip to the content</a>
    <header class="bar">
      <a class="name" href=${href("/experiments")}>projrun</a>
      <nav aria-label="Places">
        ${sections.map(
          (section) =>
            html`<a key=${section.name} href=${href(section.path)} aria-current=${section.places.includes(route.name) ? "page" : undefined}>${section.text}</a>`,
        )}
      </nav>
      <span class="space"></span>
      ${bar.extras.map((Extra, index) => html`<${Extra} key=${index} />`)}
      <${ThemeSwitch} />
      <${Button} kind="quiet" icon="help" label="Keys" onClick=${() => setHelp(true)} />
    </header>
    <main id="content" tabindex="-1">${children}</main>
    <${Toasts} />
    ${help && html`<${KeyHelp} onClose=${() => setHelp(false)} />`}`;
}

function ThemeSwitch() {
  const [dark, setDark] = useState(isDark);
  useEffect(() => {
    const changed = () => setDark(isDark());
    addEventListener("projrun:theme", changed);
    return () => removeEventListener("projrun:theme", changed);
  }, []);
  const change = () => {
    // The system's own is not written down, so that the page goes on following it.
    remember("theme", dark === system.matches ? (dark ? "light" : "dark") : null);
    applyTheme();
  };
  return html`<${Button} kind="quiet" icon=${dark ? "light" : "dark"} label=${dark ? "Light colours" : "Dark colours"} onClick=${change} />`;
}

/** What stands on keys, where browsers call them by other names. @type {Map<string, string>} */
const SIGNS = new Map(Object.entries({ ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc" }));

/** @param {{ onClose: () => void }} props */
function KeyHelp({ onClose }) {
  const shown = new Map(activeKeys().map((each) => [each.keys, each.does]));
  return html`<${Dialog} title="Keys" onClose=${onClose}>
    <dl class="keys">
      ${[...shown].map(
        ([keys, does]) =>
          html`<div key=${keys}>
            <dt>${keys.split(" ").map((key) => (key === "or" ? " or " : html`<kbd>${SIGNS.get(key) ?? key}</kbd>`))}</dt>
            <dd>${does}</dd>
          </div>`,
      )}
    </dl>
  </${Dialog}>`;
}
