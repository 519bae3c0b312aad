// Texts that others wrote: Markdown, logs, differences, tables, code, MLmodel files.
import assert from "node:assert/strict";
import test from "node:test";
import { pieces, plainStyle, withoutEscapes } from "../../../../projrun/server/page/static/lib/ansi.js";
import { readCsv, writeCsv } from "../../../../projrun/server/page/static/lib/csv.js";
import { difference, hunks, patchLines, patchSummary } from "../../../../projrun/server/page/static/lib/diff.js";
import { byLine, languageOf, tokens } from "../../../../projrun/server/page/static/lib/highlight.js";
import { parse } from "../../../../projrun/server/page/static/lib/markdown.js";
import { safeAddress } from "../../../../projrun/server/page/static/lib/markdown_inline.js";
import { readYaml, signatureFields } from "../../../../projrun/server/page/static/lib/mlmodel.js";

/** The tree as short text: tag(child child). */
const shown = (node) => (typeof node === "string" ? node : `${node.tag}${node.href ? `[${node.href}]` : ""}(${node.children.map(shown).join("|")})`);
const markdown = (text) => parse(text).map(shown).join(" ");

test("Markdown", () => {
  const cases = [
    ["# A *b* `c`", "h1(A |em(b)| |code(c))"],
    ["a\n===\n\nb\n---", "h1(a) h2(b)"],
    ["**a _b_** ~~c~~ snake_case_name 2*3*4", "p(strong(a |em(b))| |del(c)| snake_case_name 2*3*4)"],
    ["- a\n- b\n  - c\n\n1. x\n2. y", "ul(li(a)|li(b|ul(li(c)))) ol(li(x)|li(y))"],
    ["- a\n\n  b\n- c", "ul(li(p(a)|p(b))|li(c))"],
    ["```py\nx *y*\n```", "pre(x *y*)"],
    ["    code", "pre(code)"],
    ["> a\n> b", "blockquote(p(a\nb))"],
    ["|a|b|\n|-|-:|\n|1|`2`|", "table(thead(tr(th(a)|th(b)))|tbody(tr(td(1)|td(code(2)))))"],
    ["a  \nb", "p(a|br()|b)"],
    ["[a](https://x.y/z) <https://q.r> https://s.t/u.", "p(a[https://x.y/z](a)| |a[https://q.r/](https://q.r)| |a[https://s.t/u](https://s.t/u)|.)"],
    ["---", "hr()"],
    ["\\*a\\*", "p(*|a|*)"],
  ];
  for (const [text, wanted] of cases) assert.equal(markdown(text), wanted, text);
});

test("nothing in Markdown is a script", () => {
  const texts = ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[a](javascript:alert(1))", "[a](JaVaScRiPt:alert(1))", "[a](data:text/html,x)", "[a](\u0001javascript:x)", "<javascript:alert(1)>", "[a](vbscript:x)", "[a](//evil.example)"];
  for (const text of texts) assert.ok(!markdown(text).includes("a["), text);
  for (const text of ["javascript:x", " javascript:x", "java\nscript:x", "file:///etc", "/a", "x"]) assert.equal(safeAddress(text), "", text);
  assert.equal(safeAddress("mailto:a@b.c"), "mailto:a@b.c");
});

test("hostile Markdown takes no time and no stack", () => {
  const begin = performance.now();
  for (const part of ["*", "[", "`", "> ", "- ", "**a", "[a](", "_a", "![", "http://a", "|-", "\n- "]) parse(part.repeat(40_000));
  assert.ok(performance.now() - begin < 20_000);
});

test("escapes of a log", () => {
  assert.deepEqual(pieces("a \u001b[1;31mred\u001b[0m b"), [{ text: "a ", classes: "" }, { text: "red", classes: "ansi-bold ansi-red" }, { text: " b", classes: "" }]);
  const style = plainStyle();
  pieces("\u001b[32mgreen", style);
  assert.deepEqual(pieces("still\u001b[39m not", style).map((piece) => piece.classes), ["ansi-green", ""]);
  assert.equal(pieces("\u001b[38;5;196mx")[0].classes, "ansi-red");
  assert.equal(pieces("\u001b[48;2;0;0;255mx")[0].classes, "ansi-on-blue");
  assert.equal(withoutEscapes("\u001b]0;title\u0007a\u001b[2Kb\u001b]8;;http://x\u001b\\c\u0000"), "abc");
  assert.equal(withoutEscapes("10 %\r50 %\r100 %\r"), "100 %");
  assert.deepEqual(pieces("<b>\u001b[31m"), [{ text: "<b>", classes: "" }]);
});

test("differences are as few as they can be", () => {
  let seed = 7;
  const random = (below) => ((seed = (seed * 1103515245 + 12345) % 2147483648), seed % below);
  const lines = () => Array.from({ length: random(9) }, () => "abc"[random(3)]);
  for (let round = 0; round < 500; round += 1) {
    const [one, other] = [lines(), lines()];
    const found = difference(one.join("\n"), other.join("\n"));
    const side = (left) => found.filter((line) => line.kind !== left).map((line) => line.text);
    assert.deepEqual([side("added"), side("removed")], [one, other]);
    assert.equal(found.filter((line) => line.kind !== "same").length, one.length + other.length - 2 * common(one, other));
  }
});

/** The length of the longest common subsequence. */
function common(one, other) {
  const row = new Array(other.length + 1).fill(0);
  for (const text of one) {
    let corner = 0;
    other.forEach((each, at) => {
      const above = row[at + 1];
      row[at + 1] = text === each ? corner + 1 : Math.max(above, row[at]);
      corner = above;
    });
  }
  return row[other.length];
}

test("hunks have three lines around a change", () => {
  const before = Array.from({ length: 40 }, (_, index) => `line ${index}`);
  const after = before.with(10, "changed").with(30, "changed");
  const found = hunks(difference(before.join("\n"), after.join("\n")));
  assert.deepEqual(found.map((hunk) => [hunk.skipped, hunk.lines.length]), [[7, 8], [13, 8]]);
  assert.deepEqual(hunks(difference("a", "a")), []);
  const many = (name) => Array.from({ length: 20_000 }, (_, index) => name + index).join("\n");
  assert.equal(difference(many("a"), many("b")).length, 40_000);
});

test("a patch of git", () => {
  const patch = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n same\n--- removed\n++ added\n\\ No newline";
  const lines = patchLines(patch);
  assert.deepEqual(lines.map((line) => line.kind), ["file", "note", "note", "hunk", "same", "removed", "added", "note"]);
  assert.deepEqual(patchSummary(lines), { files: ["x"], added: 1, removed: 1 });
});

test("CSV", () => {
  assert.deepEqual(readCsv('a,b\r\n1,"x, ""y""\n2"\r\n,\n3').rows, [["a", "b"], ["1", 'x, "y"\n2'], ["", ""], ["3"]]);
  assert.deepEqual(readCsv("a;b\n1,5;2").rows[1], ["1,5", "2"]);
  assert.deepEqual(readCsv('\ufeff"a,b,c";d\r\n1;2').rows, [["a,b,c", "d"], ["1", "2"]]);
  assert.deepEqual(readCsv("").rows, []);
  assert.deepEqual(readCsv("a\nb\nc", { most: 2 }), { rows: [["a"], ["b"]], complete: false });
  assert.equal(writeCsv([["=1+1", "a,b", 'q"', -1, null, "-1.5", "@x"]]), `'=1+1,"a,b","q""",-1,,-1.5,'@x\r\n`);
});

test("code", () => {
  const kinds = (text, name) => tokens(text, languageOf(name)).filter((token) => token.kind).map((token) => `${token.kind}:${token.text}`);
  assert.deepEqual(kinds('def f(x="#"): # no\n  return 1.5e3', "a/b.py"), ["word:def", 'string:"#"', "comment:# no", "word:return", "number:1.5e3"]);
  assert.deepEqual(kinds("key: true # c", "conda.yaml"), ["name:key", "word:true", "comment:# c"]);
  assert.deepEqual(kinds('{"a": [1, null]}', "x.json"), ['string:"a"', "number:1", "word:null"]);
  assert.deepEqual(kinds("def", "notes.txt"), []);
  assert.equal(byLine(tokens('"""a\nb"""\nc', "python")).length, 3);
});

test("MLmodel files", () => {
  const model = readYaml(`flavors:
  python_function:
    env:
      conda: conda.yaml
    loader_module: mlflow.sklearn
  onnx: {}
resources:
- uri: a
  api: '1'
- b
signature:
  inputs: '[{"type": "double", "name": "x''s", "required": true},
    {"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 3]}}]'
  outputs: "[{\\"type\\": \\"array\\", \\"items\\": {\\"type\\": \\"long\\"}}]"
  params: null
`);
  assert.equal(model.flavors.python_function.env.conda, "conda.yaml");
  assert.deepEqual(model.resources.map((each) => each.uri ?? each), ["a", "b"]);
  assert.deepEqual(signatureFields(model.signature).map((field) => [field.group, field.name, field.type, field.extra]), [
    ["inputs", "x's", "double", ""],
    ["inputs", "1", "float32 tensor", "shape (-1, 3)"],
    ["outputs", "0", "array of long", ""],
  ]);
  assert.deepEqual(signatureFields(readYaml("inputs: '[nonsense'")), []);
  readYaml("a: ".repeat(10_000));
  readYaml(Array.from({ length: 3000 }, (_, index) => `${" ".repeat(index)}a:`).join("\n"));
});
