// The colours of runs: stable, seen on both backgrounds, and told apart also by people who do not see red or green.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { COLOURS, looks } from "../../../../projrun/server/page/static/lib/colours.js";

const sheet = readFileSync(new URL("../../../../projrun/server/page/static/style.css", import.meta.url), "utf8");
const [light, dark] = [":root {", ':root[data-theme="dark"] {'].map((head) => {
  const block = sheet.slice(sheet.indexOf(head), sheet.indexOf("}", sheet.indexOf(head)));
  return Object.fromEntries([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map(([, name, value]) => [name, value]));
});
/** Machado, Oliveira, Fernandes (2009), severity 1, on linear RGB. */
const KINDS = {
  usual: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protanopia: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deuteranopia: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
};

const linear = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
const luminance = (hex) => linear(hex).reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
function contrast(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}
function seen(hex, m) {
  const [r, g, b] = linear(hex);
  const [x, y, z] = [0, 3, 6].map((row) => Math.min(1, Math.max(0, m[row] * r + m[row + 1] * g + m[row + 2] * b)));
  const [l, s, t] = [0.4122214708 * x + 0.5363325363 * y + 0.0514459929 * z, 0.2119034982 * x + 0.6806995451 * y + 0.1073969566 * z, 0.0883024619 * x + 0.2817188376 * y + 0.6299787005 * z].map(Math.cbrt);
  return [0.2104542553 * l + 0.793617785 * s - 0.0040720468 * t, 1.9779984951 * l - 2.428592205 * s + 0.4505937099 * t, 0.0259040371 * l + 0.7827717662 * s - 0.808675766 * t];
}

for (const [name, theme] of Object.entries({ light, dark })) {
  const colours = Array.from({ length: COLOURS }, (_, index) => theme[`series-${index + 1}`]);
  test(`lines are seen on the ${name} page`, () => {
    for (const colour of colours) assert.ok(contrast(colour, theme.page) >= 3, `${colour} on ${theme.page}`);
  });
  for (const [kind, matrix] of Object.entries(KINDS)) {
    test(`lines are told apart on the ${name} page: ${kind}`, () => {
      const least = kind === "usual" ? 0.065 : 0.045;
      colours.forEach((one, at) => {
        for (const other of colours.slice(at + 1)) {
          const [a, b] = [seen(one, matrix), seen(other, matrix)];
          const distance = Math.hypot(...a.map((part, index) => part - b[index]));
          assert.ok(distance >= least, `${one} and ${other}: ${distance.toFixed(3)}`);
        }
      });
    });
  }
}

test("a run keeps its colour, and its neighbours have others", () => {
  const runs = Array.from({ length: 40 }, (_, index) => `run${index * 7919}`);
  const found = looks(runs);
  assert.deepEqual(looks([runs[3]]).get(runs[3]).dash, []);
  assert.equal(new Set([...found.values()].map((look) => JSON.stringify(look))).size, 40);
  assert.deepEqual(looks(runs.slice(0, 5)).get(runs[0]), found.get(runs[0]));
  assert.equal(looks([...runs, "one", "more"]).size, 42);
});
