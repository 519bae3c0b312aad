// @ts-check
/** Text of a file, with its lines numbered and its language coloured where it is one of ours. */

import { byLine, languageOf, tokens } from "../lib/highlight.js";
import { html, useMemo } from "../lib/preact.js";
import { addSheet } from "./sheet.js";

addSheet("ui/content.css");

const MOST_LINES = 5000;

/** @param {{ text: string, name: string, numbered?: boolean }} props `name` of the file or of the language */
export function Code({ text, name, numbered = false }) {
  const lines = useMemo(() => byLine(tokens(text.replace(/\r\n/g, "\n").replace(/\n$/, ""), languageOf(name))), [text, name]);
  const shown = lines.slice(0, MOST_LINES);
  const label = name ? `Text of ${name}` : "Text";
  return html`<pre class=${`code ${numbered ? "numbered" : ""}`} tabindex="0" role="region" aria-label=${label}>${shown.map(
      (line, index) =>
        html`<span class="code-line" data-number=${numbered ? index + 1 : undefined}>${line.map((token) =>
            token.kind ? html`<span class=${`code-${token.kind}`}>${token.text}</span>` : token.text,
          )}${"\n"}</span>`,
    )}${lines.length > MOST_LINES && html`<span class="muted">… ${lines.length - MOST_LINES} more lines</span>`}</pre>`;
}
