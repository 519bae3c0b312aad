// @ts-check
/** Markdown that others wrote, as nodes: no HTML of theirs, links to http, https and mailto, images of the run alone. */

import { parse } from "../lib/markdown.js";
import { html, useMemo } from "../lib/preact.js";
import { Code } from "./code.js";
import { addSheet } from "./sheet.js";

addSheet("ui/content.css");

/** @typedef {import("../lib/markdown.js").Child} Child */
/** @typedef {(source: string) => string} ImageOf the address of an image, "" where it is not shown */

/** @param {{ text: string, imageOf?: ImageOf }} props */
export function Markdown({ text, imageOf = () => "" }) {
  const nodes = useMemo(() => parse(text), [text]);
  return html`<div class="markdown">${nodes.map((node) => shown(node, imageOf))}</div>`;
}

/** @param {Child} node @param {ImageOf} imageOf @returns {any} */
function shown(node, imageOf) {
  if (typeof node === "string") return node;
  const children = node.children.map((child) => shown(child, imageOf));
  if (node.tag === "a") return html`<a href=${node.href} target="_blank" rel="noopener noreferrer nofollow">${children}</a>`;
  if (node.tag === "pre") return html`<${Code} text=${String(node.children[0] ?? "")} name=${node.language || ""} />`;
  if (node.tag === "img") {
    const address = imageOf(node.src ?? "");
    return address ? html`<img src=${address} alt=${node.alt} loading="lazy" />` : html`<span class="muted">[image: ${node.alt || node.src}]</span>`;
  }
  if (node.tag === "li" && node.checked !== undefined) {
    return html`<li class="task"><input type="checkbox" disabled checked=${node.checked} aria-label=${node.checked ? "done" : "to do"} /> ${children}</li>`;
  }
  if (node.tag === "table") return html`<div class="scroll" tabindex="0" role="region" aria-label="Table"><table class="table">${children}</table></div>`;
  // The page has headings of its own above these.
  const heading = /^h([1-6])$/.exec(node.tag);
  const tag = heading ? `h${Math.min(6, Number(heading[1]) + 2)}` : node.tag;
  return html`<${tag} class=${heading ? `heading-${heading[1]}` : node.align ? `align-${node.align}` : undefined} start=${node.start}>${children}</${tag}>`;
}
