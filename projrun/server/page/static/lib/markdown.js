// @ts-check
/**
 * Markdown to a tree of plain records, which ui/markdown.js shows. HTML in it is text; links go to http, https and
 * mailto alone; an image is a record of its own, so that the view decides whether its address may be loaded.
 */
import { inline } from "./markdown_inline.js";

/**
 * @typedef {string | Node} Child
 * @typedef {{tag: string, children: Child[], href?: string, src?: string, alt?: string, language?: string, start?: number, align?: string, checked?: boolean}} Node
 */

const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/;
const FENCE = /^( {0,3})(`{3,}|~{3,})[ \t]*([^\s`]*)[^`]*$/;
const RULE = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])(?:([ \t]+)(.*)|[ \t]*)$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const DELIMITERS = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
/** Deeper nesting is text: a description is not a way to exhaust the browser's stack. */
const DEEPEST = 12;
const LONGEST = 200_000;

/**
 * @param {string} text
 * @returns {Node[]}
 */
export function parse(text) {
  const lines = text.slice(0, LONGEST).replace(/\r\n?/g, "\n").replace(/\t/g, "    ").split("\n");
  return blocks(lines, 0);
}

/**
 * @param {string[]} lines
 * @param {number} depth
 * @returns {Node[]}
 */
function blocks(lines, depth) {
  /** @type {Node[]} */
  const answer = [];
  let at = 0;
  while (at < lines.length) {
    if (!lines[at].trim()) {
      at += 1;
      continue;
    }
    const [node, next] = block(lines, at, depth);
    answer.push(node);
    at = next;
  }
  return answer;
}

/**
 * @param {string[]} lines
 * @param {number} at
 * @param {number} depth
 * @returns {[Node, number]}
 */
function block(lines, at, depth) {
  const line = lines[at];
  const heading = HEADING.exec(line);
  if (heading) return [{ tag: `h${heading[1].length}`, children: inline(heading[2] ?? "") }, at + 1];
  if (FENCE.test(line)) return fenced(lines, at);
  if (RULE.test(line)) return [{ tag: "hr", children: [] }, at + 1];
  if (depth < DEEPEST && QUOTE.test(line)) return quote(lines, at, depth);
  if (depth < DEEPEST && ITEM.test(line)) return list(lines, at, depth);
  if (line.startsWith("    ")) return indented(lines, at);
  if (line.includes("|") && DELIMITERS.test(lines[at + 1] ?? "")) return table(lines, at);
  return paragraph(lines, at, depth);
}

/**
 * @param {string[]} lines
 * @param {number} at
 * @returns {[Node, number]}
 */
function fenced(lines, at) {
  const [, indent, fence, language] = /** @type {RegExpExecArray} */ (FENCE.exec(lines[at]));
  const closing = new RegExp(`^ {0,3}${fence[0]}{${fence.length},}[ \\t]*$`);
  let end = at + 1;
  while (end < lines.length && !closing.test(lines[end])) end += 1;
  const margin = new RegExp(`^ {0,${indent.length}}`);
  const code = lines.slice(at + 1, end).map((line) => line.replace(margin, ""));
  return [{ tag: "pre", children: [code.join("\n")], language }, end + 1];
}

/**
 * @param {string[]} lines
 * @param {number} at
 * @returns {[Node, number]}
 */
function indented(lines, at) {
  let end = at;
  while (end < lines.length && (lines[end].startsWith("    ") || !lines[end].trim())) end += 1;
  const code = lines.slice(at, end).map((line) => line.slice(4));
  return [{ tag: "pre", children: [code.join("\n").trimEnd()], language: "" }, end];
}

/**
 * @param {string[]} lines
 * @param {number} at
 * @param {number} depth
 * @returns {[Node, number]}
 */
function quote(lines, at, depth) {
  const inner = [];
  let end = at;
  for (; end < lines.length && lines[end].trim(); end += 1) {
    const match = QUOTE.exec(lines[end]);
    if (!match && starts(lines, end)) break;
    inner.push(match ? match[1] : lines[end]);
  }
  return [{ tag: "blockquote", children: blocks(inner, depth + 1) }, end];
}

/**
 * @param {string[]} lines
 * @param {number} at
 * @param {number} depth
 * @returns {[Node, number]}
 */
function list(lines, at, depth) {
  const first = /** @type {RegExpExecArray} */ (ITEM.exec(lines[at]));
  const kind = first[2].slice(-1);
  const numbered = /\d/.test(first[2]);
  /** @type {Node[]} */
  const items = [];
  let next = at;
  while (next < lines.length) {
    const match = ITEM.exec(lines[next]);
    if (!match || match[2].slice(-1) !== kind || RULE.test(lines[next])) break;
    const [item, end] = listItem(lines, next, match, depth);
    items.push(item);
    next = end;
    let blank = next;
    while (blank < lines.length && !lines[blank].trim()) blank += 1;
    if (blank > next && ITEM.test(lines[blank] ?? "")) next = blank;
  }
  const node = { tag: numbered ? "ol" : "ul", children: items };
  return [numbered ? { ...node, start: Number.parseInt(first[2], 10) } : node, next];
}

/**
 * @param {string[]} lines
 * @param {number} at
 * @param {RegExpExecArray} match
 * @param {number} depth
 * @returns {[Node, number]}
 */
function listItem(lines, at, match, depth) {
  const space = match[3] ?? " ";
  const width = match[1].length + match[2].length + (space.length > 4 ? 1 : space.length);
  const inner = [match[4] ?? ""];
  let end = at + 1;
  let after = false; // after a blank line, only indented lines belong to the item
  for (; end < lines.length; end += 1) {
    const line = lines[end];
    const inside = line.slice(0, width).trim() === "" && line.trim() !== "";
    if (inside) inner.push(line.slice(width));
    else if (!line.trim()) inner.push("");
    else if (after || starts(lines, end)) break;
    else inner.push(line.trim());
    after = !line.trim();
  }
  while (inner.length > 1 && !inner[inner.length - 1].trim()) {
    inner.pop();
    end -= 1;
  }
  const box = /^\[([ xX])\] /.exec(inner[0]);
  if (box) inner[0] = inner[0].slice(4);
  const loose = inner.some((line) => !line.trim());
  const children = blocks(inner, depth + 1);
  const item = { tag: "li", children: loose ? children : children.flatMap(unwrapped) };
  return [box ? { ...item, checked: box[1] !== " " } : item, end];
}

/**
 * A tight list has no paragraphs in its items.
 * @param {Node} node
 * @returns {Child[]}
 */
function unwrapped(node) {
  return node.tag === "p" ? node.children : [node];
}

/**
 * @param {string[]} lines
 * @param {number} at
 * @returns {[Node, number]}
 */
function table(lines, at) {
  const head = cells(lines[at]);
  const aligns = cells(lines[at + 1]).map(alignment);
  const row = (/** @type {string[]} */ texts, /** @type {string} */ tag) => ({
    tag: "tr",
    children: head.map((_, index) => ({ tag, children: inline(texts[index] ?? ""), align: aligns[index] ?? "" })),
  });
  const body = [];
  let end = at + 2;
  for (; end < lines.length && lines[end].includes("|"); end += 1) body.push(row(cells(lines[end]), "td"));
  const parts = [{ tag: "thead", children: [row(head, "th")] }, { tag: "tbody", children: body }];
  return [{ tag: "table", children: parts }, end];
}

/**
 * @param {string} delimiter
 * @returns {string}
 */
function alignment(delimiter) {
  if (delimiter.endsWith(":")) return delimiter.startsWith(":") ? "center" : "right";
  return "";
}

/**
 * @param {string} line
 * @returns {string[]}
 */
function cells(line) {
  const inner = line.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/\\\|/g, "|"));
}

/**
 * @param {string[]} lines
 * @param {number} at
 * @param {number} depth
 * @returns {[Node, number]}
 */
function paragraph(lines, at, depth) {
  let end = at + 1;
  for (; end < lines.length && lines[end].trim(); end += 1) {
    const underline = /^ {0,3}(=+|-+)[ \t]*$/.exec(lines[end]);
    if (underline) {
      const tag = underline[1].startsWith("=") ? "h1" : "h2";
      return [{ tag, children: inline(joined(lines.slice(at, end))) }, end + 1];
    }
    if (depth < DEEPEST && starts(lines, end)) break;
  }
  return [{ tag: "p", children: inline(joined(lines.slice(at, end))) }, end];
}

/**
 * @param {string[]} lines
 * @returns {string}
 */
function joined(lines) {
  return lines.map((line) => line.trimStart()).join("\n").trimEnd();
}

/**
 * Whether a line ends the paragraph before it.
 * @param {string[]} lines
 * @param {number} at
 * @returns {boolean}
 */
function starts(lines, at) {
  const line = lines[at];
  return HEADING.test(line) || FENCE.test(line) || RULE.test(line) || QUOTE.test(line) || ITEM.test(line);
}
