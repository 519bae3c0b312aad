// @ts-check
/** A file of a run, shown by its kind. Nothing of it runs: texts are text, pages and drawings have frames of their own. */

import { bytes as sizeText } from "../lib/format.js";
import { imageBeside, kindOf, looksBinary } from "../lib/media.js";
import { useData } from "../lib/api.js";
import { html, useEffect, useState } from "../lib/preact.js";
import { Button } from "./button.js";
import { Code } from "./code.js";
import { Patch } from "./diff.js";
import { Json } from "./json.js";
import { Log, reader } from "./log.js";
import { Markdown } from "./markdown.js";
import { MLmodel } from "./mlmodel.js";
import { CsvTable, ReadTable } from "./tables.js";
import { Failed, Loading } from "./states.js";
import { addSheet } from "./sheet.js";

addSheet("ui/content.css");

/** Texts are loaded up to this much; logs have no limit. */
const MOST = 2_000_000;

/**
 * @typedef {object} Artifact
 * @property {string} path
 * @property {string} address
 * @property {string} [framed] where the server gives a page of its own to be put into a frame
 * @property {number | undefined} size
 * @property {boolean} [live] more may be appended
 * @property {() => Promise<import("./tables.js").Beginning>} [table] its first rows, as the server reads them
 * @property {(path: string) => string} [sibling] the address of another file, by its path; "" for none
 */

/** @param {{ artifact: Artifact }} props */
export function Preview({ artifact }) {
  const { path, address } = artifact;
  const kind = kindOf(path);
  if (artifact.size === 0 && !artifact.live) return html`<${Nothing} />`;
  if (kind === "image") return html`<${Picture} path=${path} address=${address} />`;
  if (kind === "audio") return html`<audio controls preload="metadata" src=${address} aria-label=${path}></audio>`;
  if (kind === "video") return html`<video controls preload="metadata" src=${address} aria-label=${path}></video>`;
  if (kind === "html") return html`<${Page} key=${address} artifact=${artifact} />`;
  if (kind === "log") return html`<${Log} key=${address} name=${path} address=${address} live=${artifact.live ?? false} />`;
  if (kind === "parquet" && artifact.table) return html`<${ReadTable} key=${address} name=${path} load=${artifact.table} />`;
  if (kind === "none" || kind === "parquet" || kind === "pdf") return html`<${NoPreview} artifact=${artifact} />`;
  return html`<${TextFile} key=${address} artifact=${artifact} kind=${kind} />`;
}

/** @param {{ artifact: Artifact, kind: import("../lib/media.js").Kind }} props */
function TextFile({ artifact, kind }) {
  const { path, address, size } = artifact;
  const [asText, setAsText] = useState(false);
  const { data, error, reload } = useData(address, () => readText(address));
  if (error) return html`<${Failed} error=${error} retry=${reload} />`;
  if (!data) return html`<${Loading} />`;
  if (!data.text) return html`<${Nothing} />`;
  if (data.binary) return html`<${NoPreview} artifact=${artifact} />`;
  const part = data.size > MOST && html`<p class="muted">The first ${sizeText(MOST)} of ${sizeText(data.size || size)}.</p>`;
  const other = kind !== "text" && kind !== "patch" && html`<${Button} kind="quiet" onClick=${() => setAsText(!asText)}>${asText ? "Show it formatted" : "Show the text"}</${Button}>`;
  return html`${(part || other) && html`<div class="preview-tools">${other}${part}</div>`}
    ${asText ? html`<${Code} text=${data.text} name=${path} numbered />` : formatted(kind, data.text, artifact)}`;
}

/** @param {import("../lib/media.js").Kind} kind @param {string} text @param {Artifact} artifact */
function formatted(kind, text, { path, sibling }) {
  if (kind === "csv") return html`<${CsvTable} name=${path} text=${text} />`;
  if (kind === "json") return html`<${Json} text=${text} name=${path} />`;
  if (kind === "markdown") return html`<${Markdown} text=${text} imageOf=${(/** @type {string} */ source) => sibling?.(imageBeside(source, path)) ?? ""} />`;
  if (kind === "patch") return html`<${Patch} text=${text} />`;
  if (kind === "mlmodel") return html`<${MLmodel} text=${text} />`;
  return html`<${Code} text=${text} name=${path} numbered />`;
}

/** @param {string} address @param {number} [most] @returns {Promise<{ text: string, size: number, binary: boolean }>} */
export async function readText(address, most = MOST) {
  const { bytes, size } = await reader(address)(0, most);
  return { text: new TextDecoder().decode(bytes), size, binary: looksBinary(bytes) };
}

/** @param {{ path: string, address: string }} props */
function Picture({ path, address }) {
  const [failed, setFailed] = useState(false);
  const [full, setFull] = useState(false);
  useEffect(() => setFailed(false), [address]);
  if (failed) return html`<p class="muted">The browser cannot show this image.</p>`;
  return html`<button type="button" class=${`picture ${full ? "full" : ""}`} onClick=${() => setFull(!full)} aria-label=${full ? "Fit into the window" : "Show in full size"}>
    <img src=${address} alt=${path} onError=${() => setFailed(true)} />
  </button>`;
}

/** A page in a frame in which nothing runs and which may load nothing. @param {{ artifact: Artifact }} props */
function Page({ artifact }) {
  const [asText, setAsText] = useState(false);
  return html`<div class="preview-tools">
      <${Button} kind="quiet" onClick=${() => setAsText(!asText)}>${asText ? "Show the page" : "Show the text"}</${Button}>
      <span class="muted">Scripts of the page do not run here.</span>
    </div>
    ${asText || !artifact.framed
      ? html`<${TextFile} artifact=${artifact} kind="text" />`
      : html`<iframe class="page-frame" sandbox="" referrerpolicy="no-referrer" loading="lazy" title=${artifact.path} src=${artifact.framed}></iframe>`}`;
}

function Nothing() {
  return html`<p class="muted">The file is empty.</p>`;
}

/** @param {{ artifact: Artifact }} props */
function NoPreview({ artifact }) {
  return html`<section class="state">
    <p>There is no preview of this kind of file${artifact.size ? ` (${sizeText(artifact.size)})` : ""}.</p>
    <p><a class="button" href=${artifact.address} download>Download</a></p>
  </section>`;
}
