// @ts-check
/** Light highlighting of code: comments, strings, numbers and words of the language. Pieces of text, never HTML. */

/** @typedef {{text: string, kind: "" | "comment" | "string" | "number" | "word" | "name"}} Token */

const PYTHON =
  "and as assert async await break class continue def del elif else except False finally for from global if import in is lambda None nonlocal not or pass raise return True try while with yield match case self";
const SCRIPT =
  "async await break case catch class const continue default delete do else export extends false finally for function if import in instanceof let new null of return static super switch this throw true try typeof undefined var void while yield";
const SHELL =
  "case do done elif else esac export fi for function if in local return set then until while echo exit cd source";
const SQL =
  "select from where and or not insert into values update set delete create table index join left right inner outer on group by order limit as null is in with union all distinct";
const DATA = "true false null yes no True False None";
const C =
  "auto bool break case catch char class const continue default delete do double else enum extern false float for fn func go if impl import int let long match mod mut namespace new nullptr package private protected public pub return self short sizeof static struct switch template this throw true try type typedef union unsigned use using virtual void volatile while";

const HASH = "#[^\\n]*";
const SLASHES = "//[^\\n]*|/\\*[^]*?(?:\\*/|$)";
const TRIPLE = '"""[^]*?(?:"""|$)|\'\'\'[^]*?(?:\'\'\'|$)';
const QUOTED = '"(?:[^"\\\\\\n]|\\\\[^])*"?|\'(?:[^\'\\\\\\n]|\\\\[^])*\'?';

/** @type {Record<string, {comment: string, string: string, words: string}>} */
const LANGUAGES = {
  python: { comment: HASH, string: `${TRIPLE}|${QUOTED}`, words: PYTHON },
  javascript: { comment: SLASHES, string: `\`(?:[^\`\\\\]|\\\\[^])*\`?|${QUOTED}`, words: SCRIPT },
  shell: { comment: `(?<![^\\s])${HASH}`, string: QUOTED, words: SHELL },
  yaml: { comment: `(?<![^\\s])${HASH}`, string: '"(?:[^"\\\\\\n]|\\\\[^])*"|\'[^\'\\n]*\'', words: DATA },
  json: { comment: "(?!)", string: QUOTED, words: DATA },
  sql: { comment: "--[^\\n]*|/\\*[^]*?(?:\\*/|$)", string: QUOTED, words: `${SQL} ${SQL.toUpperCase()}` },
  c: { comment: SLASHES, string: QUOTED, words: C },
};
const ENDINGS = new Map(Object.entries({ // names of files may be anything
  py: "python", pyi: "python", python: "python", toml: "yaml", cfg: "yaml", ini: "yaml", r: "python", rb: "python",
  js: "javascript", mjs: "javascript", ts: "javascript", tsx: "javascript", jsx: "javascript", javascript: "javascript",
  sh: "shell", bash: "shell", shell: "shell", console: "shell", dockerfile: "shell", yaml: "yaml", yml: "yaml", mlproject: "yaml", mlmodel: "yaml",
  json: "json", jsonl: "json", ndjson: "json", sql: "sql",
  c: "c", h: "c", cc: "c", cpp: "c", hpp: "c", java: "c", go: "c", rs: "c", rust: "c", cu: "c", scala: "c", kt: "c",
}));
const LONGEST = 200_000;
/** @type {Map<string, {pattern: RegExp, words: Set<string>}>} */
const compiled = new Map();

/**
 * The language of a file by its name, or of a fenced block by its word; "" where it is not one of ours.
 * @param {string} name
 * @returns {string}
 */
export function languageOf(name) {
  const last = name.split("/").pop() ?? "";
  return ENDINGS.get((last.split(".").pop() ?? "").toLowerCase()) ?? "";
}

/**
 * @param {string} text
 * @param {string} language as languageOf gives it
 * @returns {Token[]}
 */
export function tokens(text, language) {
  const rules = language && text.length <= LONGEST ? rulesOf(language) : null;
  if (!rules) return [{ text, kind: "" }];
  /** @type {Token[]} */
  const answer = [];
  let from = 0;
  for (const match of text.matchAll(rules.pattern)) {
    const kind = kindOf(match, rules.words);
    if (!kind) continue;
    if (match.index > from) answer.push({ text: text.slice(from, match.index), kind: "" });
    answer.push({ text: match[0], kind });
    from = match.index + match[0].length;
  }
  if (from < text.length) answer.push({ text: text.slice(from), kind: "" });
  return answer;
}

/**
 * Tokens by line, for views that number lines.
 * @param {Token[]} all
 * @returns {Token[][]}
 */
export function byLine(all) {
  /** @type {Token[][]} */
  const answer = [[]];
  for (const token of all) {
    token.text.split("\n").forEach((text, index) => {
      if (index) answer.push([]);
      if (text) answer[answer.length - 1].push({ text, kind: token.kind });
    });
  }
  return answer;
}

/**
 * @param {RegExpMatchArray} match
 * @param {Set<string>} words
 * @returns {Token["kind"]}
 */
function kindOf(match, words) {
  const [, comment, key, string, number, word] = match;
  if (comment) return "comment";
  if (key) return "name";
  if (string) return "string";
  if (number) return "number";
  return word && words.has(word) ? "word" : "";
}

/**
 * @param {string} language
 * @returns {{pattern: RegExp, words: Set<string>} | null}
 */
function rulesOf(language) {
  const known = compiled.get(language);
  if (known) return known;
  const rules = LANGUAGES[language];
  if (!rules) return null;
  const number = "(?<![\\w.])[+-]?(?:0[xX][\\da-fA-F]+|\\d[\\d_]*\\.?\\d*(?:[eE][+-]?\\d+)?)(?![\\w])";
  const key = language === "yaml" ? "(?<=^[ \\t-]*)[\\w.\\-/]+(?=[ \\t]*[:=](?:[ \\t]|$))" : "(?!)";
  const pattern = new RegExp(`(${rules.comment})|(${key})|(${rules.string})|(${number})|([A-Za-z_]\\w*)(?![\\w])`, "gm");
  const found = { pattern, words: new Set(rules.words.split(" ")) };
  compiled.set(language, found);
  return found;
}
