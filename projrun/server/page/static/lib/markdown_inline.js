// @ts-check
/** The inside of a Markdown paragraph: code, emphasis, links. */

/** @typedef {import("./markdown.js").Child} Child */

const DEEPEST = 8;
/** One alternative for each kind of thing; what matches none is text. */
const PARTS = new RegExp(
  [
    "\\\\([\\\\`*_{}\\[\\]()#+\\-.!|~<>])", // 1: an escaped character
    "(?<!`)(`+)(?!`)([^]*?[^`])\\2(?!`)", // 2, 3: code
    "(!?)\\[((?:[^\\[\\]\\\\]|\\\\.|\\[[^\\[\\]]{0,200}\\]){0,1000})\\]\\(\\s*<?([^\\s<>()]{0,2000}(?:\\([^\\s<>()]{0,200}\\)[^\\s<>()]{0,2000})?)>?(?:\\s+[\"'(][^\"')]{0,200}[\"')])?\\s*\\)", // 4, 5, 6: image or link
    "<((?:https?://|mailto:)[^\\s<>]{1,2000})>", // 7: an address in angle brackets
    "(https?://[^\\s<>\"'`\\]]{0,2000}[^\\s<>\"'`\\].,:;!?)*_~])", // 8: a bare address
    "(\\*\\*|__)(?=\\S)([^]{0,2000}?\\S)\\9(?![*_])", // 9, 10: strong
    "(?<![A-Za-z0-9_*])([*_])(?=[^\\s*_])([^]{0,2000}?[^\\s*_])\\11(?![A-Za-z0-9_*])", // 11, 12: emphasis
    "~~(?=\\S)([^]{0,2000}?\\S)~~", // 13: struck out
    "( {2,}|\\\\)\\n", // 14: a hard line break
  ].join("|"),
  "g",
);

/**
 * @param {string} text
 * @param {number} [depth]
 * @returns {Child[]}
 */
export function inline(text, depth = 0) {
  if (depth > DEEPEST) return [text];
  /** @type {Child[]} */
  const answer = [];
  let from = 0;
  for (const match of text.matchAll(PARTS)) {
    if (match.index > from) answer.push(text.slice(from, match.index));
    answer.push(part(match, depth));
    from = match.index + match[0].length;
  }
  if (from < text.length) answer.push(text.slice(from));
  return answer;
}

/**
 * @param {RegExpMatchArray} match
 * @param {number} depth
 * @returns {Child}
 */
function part(match, depth) {
  const [whole, escaped, , code, bang, label, target, angle, bare, , strong, , emphasis, struck] = match;
  if (escaped !== undefined) return escaped;
  if (code !== undefined) return { tag: "code", children: [code.replace(/\n/g, " ").replace(/^ (.*\S.*) $/, "$1")] };
  if (target !== undefined && bang) return { tag: "img", children: [], src: target, alt: label };
  if (target !== undefined) return link(target, inline(label, depth + 1), whole);
  if (angle !== undefined) return link(angle, [angle.replace(/^mailto:/, "")], whole);
  if (bare !== undefined) return link(bare, [bare], whole);
  if (strong !== undefined) return { tag: "strong", children: inline(strong, depth + 1) };
  if (emphasis !== undefined) return { tag: "em", children: inline(emphasis, depth + 1) };
  if (struck !== undefined) return { tag: "del", children: inline(struck, depth + 1) };
  return { tag: "br", children: [] };
}

/**
 * @param {string} target
 * @param {Child[]} children
 * @param {string} whole what is shown where the address is not one to follow
 * @returns {Child}
 */
function link(target, children, whole) {
  const href = safeAddress(target);
  return href ? { tag: "a", href, children } : whole;
}

/**
 * An absolute address that a page may link to, else nothing. The URL parser decides, as the browser does on a click.
 * @param {string} text
 * @returns {string}
 */
export function safeAddress(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    return "";
  }
  return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : "";
}
