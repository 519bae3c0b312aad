// @ts-check
/** Differences: of two texts, and a patch that git wrote. */

import { difference, hunks, patchLines, patchSummary } from "../lib/diff.js";
import { counted } from "../lib/format.js";
import { html, useMemo } from "../lib/preact.js";
import { addSheet } from "./sheet.js";

addSheet("ui/content.css");

const MOST_LINES = 4000;
const SIGNS = { added: "+", removed: "−", same: " " };

/** @param {{ before: string, after: string, names: [string, string] }} props */
export function TextDiff({ before, after, names }) {
  const parts = useMemo(() => hunks(difference(before, after)), [before, after]);
  if (!parts.length) return html`<p class="muted">No difference.</p>`;
  return html`<div class="diff" role="region" tabindex="0" aria-label=${`Differences between ${names[0]} and ${names[1]}`}>
    <div class="diff-names"><span class="diff-removed">− ${names[0]}</span><span class="diff-added">+ ${names[1]}</span></div>
    <table>
      <tbody>
        ${parts.map(
          (part) => html`${part.skipped > 0 && html`<tr class="diff-skipped"><td colspan="3">${counted(part.skipped, "equal line")}</td></tr>`}
          ${part.lines.map(
            (line) => html`<tr class=${`diff-${line.kind}`}>
              <td class="diff-number" data-number=${line.before ?? ""}></td>
              <td class="diff-number" data-number=${line.after ?? ""}></td>
              <td class="diff-text"><span class="diff-sign">${SIGNS[line.kind]}</span>${line.text}</td>
            </tr>`,
          )}`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** A patch as git writes it, coloured. @param {{ text: string }} props */
export function Patch({ text }) {
  const lines = useMemo(() => patchLines(text), [text]);
  const { files, added, removed } = useMemo(() => patchSummary(lines), [lines]);
  return html`<div class="diff" role="region" tabindex="0" aria-label="Uncommitted changes">
    <p class="diff-summary">
      ${counted(files.length, "file")}, <span class="diff-added">+${added}</span> <span class="diff-removed">−${removed}</span>
      ${lines.length > MOST_LINES && html`<span class="muted">, the first ${MOST_LINES} of ${lines.length} lines</span>`}
    </p>
    <pre class="code">${lines.slice(0, MOST_LINES).map((line) => html`<span class=${`code-line patch-${line.kind}`}>${line.text}${"\n"}</span>`)}</pre>
  </div>`;
}
