// @ts-check
/** The files of a run: a tree at the left, the chosen one beside it. */

import { artifactAddress, useData } from "../../lib/api.js";
import { shellWord } from "../../lib/commands.js";
import { bytes } from "../../lib/format.js";
import { html, useEffect, useRef, useState } from "../../lib/preact.js";
import { setQuery } from "../../lib/router.js";
import { isLive } from "../../lib/runs.js";
import { useMayCreate } from "../../lib/session.js";
import { Button, Command, CopyButton } from "../../ui/button.js";
import { Icon } from "../../ui/icon.js";
import { Preview } from "../../ui/preview.js";
import { Empty, Failed, Loading } from "../../ui/states.js";
import { firstRows, listFiles, zipAddress } from "./calls.js";
import { RegisterDialog } from "./dialogs.js";

/** @typedef {import("../../lib/runs.js").Run} Run */
/** @typedef {import("./calls.js").FileInfo} FileInfo */

/** @param {{ run: Run, route: import("../../lib/router.js").Route }} props */
export function Artifacts({ run, route }) {
  const chosen = route.query.path ?? "";
  const { data, error, reload } = useData(run.id, (how) => listFiles(run.id, "", how), { every: isLive(run) ? 10_000 : 0 });
  if (error && !data) return html`<${Failed} error=${error} retry=${reload} />`;
  if (!data) return html`<${Loading} />`;
  if (!data.length) return html`<${Empty} title="No artifacts"><p>A script keeps files with <code>mlflow.log_artifact("plot.png")</code>.</p></${Empty}>`;
  return html`<div class="files">
    <div class="tree" role="tree" aria-label="Artifacts">
      ${data.map((file) => html`<${Entry} key=${file.path} run=${run} file=${file} chosen=${chosen} depth=${0} />`)}
    </div>
    <div class="file">${chosen ? html`<${Chosen} key=${chosen} run=${run} path=${chosen} />` : html`<${Folder} run=${run} path="" />`}</div>
  </div>`;
}

/** @param {{ run: Run, file: FileInfo, chosen: string, depth: number }} props */
function Entry({ run, file, chosen, depth }) {
  const within = chosen.startsWith(`${file.path}/`);
  const [open, setOpen] = useState(within);
  useEffect(() => {
    if (within) setOpen(true);
  }, [within]);
  const { data, error, reload } = useData(file.folder && open ? file.path : "", (how) => (file.folder && open ? listFiles(run.id, file.path, how) : Promise.resolve(/** @type {FileInfo[]} */ ([]))));
  const line = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (chosen === file.path) line.current?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  const choose = () => {
    if (file.folder) setOpen(!open || chosen !== file.path);
    setQuery({ path: file.path }, { push: true });
  };
  return html`<div role="none">
    <button
      type="button"
      ref=${line}
      class=${`item ${chosen === file.path ? "current" : ""}`}
      role="treeitem"
      aria-selected=${chosen === file.path}
      aria-expanded=${file.folder ? open : undefined}
      style=${{ paddingLeft: `${8 + depth * 14}px` }}
      onClick=${choose}
    >
      <span class="tree-mark">${file.folder && html`<${Icon} name="chevron" />`}</span>
      <span class="clip">${nameOf(file.path)}</span>
      ${!file.folder && html`<span class="muted">${bytes(file.size)}</span>`}
    </button>
    ${open && error && html`<p class="problem" role="alert">${error.message} <${Button} kind="quiet" onClick=${reload}>Try again</${Button}></p>`}
    ${open && data?.map((each) => html`<${Entry} key=${each.path} run=${run} file=${each} chosen=${chosen} depth=${depth + 1} />`)}
  </div>`;
}

/** @param {{ run: Run, path: string }} props */
function Chosen({ run, path }) {
  const parent = path.split("/").slice(0, -1).join("/");
  const { data, error, reload } = useData(`in ${parent}`, (how) => listFiles(run.id, parent, how));
  if (error) return html`<${Failed} error=${error} retry=${reload} />`;
  if (!data) return html`<${Loading} />`;
  const file = data.find((each) => each.path === path);
  if (!file) return html`<${Empty} title="There is no such file"><p>${path}</p></${Empty}>`;
  if (file.folder) return html`<${Folder} run=${run} path=${path} />`;
  const address = artifactAddress(run.id, path);
  const artifact = { path, address, framed: `${address}&framed=true`, size: file.size, live: isLive(run), table: () => firstRows(run.id, path), sibling: (/** @type {string} */ other) => other && artifactAddress(run.id, other) };
  return html`<${FileHead} run=${run} path=${path} note=${bytes(file.size)} />
    <${Preview} artifact=${artifact} />`;
}

/** @param {{ run: Run, path: string, note?: string, children?: any }} props */
function FileHead({ run, path, note, children }) {
  return html`<div class="file-head">
    <strong class="clip" title=${path}>${path || "All artifacts"}</strong>
    <span class="muted">${note}</span>
    <span class="space"></span>
    ${path && html`<${CopyButton} text=${path} label="Copy the path" />`}
    <${CopyButton} text=${`runs:/${run.id}/${path}`.replace(/\/$/, "")} label="Copy the URI">URI</${CopyButton}>
    ${children}
    ${note && html`<a class="button" href=${artifactAddress(run.id, path)} download aria-label=${`Download ${path}`}><${Icon} name="download" /></a>`}
  </div>`;
}

/** @param {{ run: Run, path: string }} props */
function Folder({ run, path }) {
  const { data, error, reload } = useData(`in ${path}`, (how) => listFiles(run.id, path, how));
  const [registering, setRegistering] = useState(false);
  const mayRegister = useMayCreate();
  if (error && !data) return html`<${Failed} error=${error} retry=${reload} />`;
  if (!data) return html`<${Loading} />`;
  const model = data.find((file) => file.path === (path ? `${path}/MLmodel` : "MLmodel"));
  const uri = `runs:/${run.id}/${path}`;
  return html`<${FileHead} run=${run} path=${path}><a class="button" href=${zipAddress(run.id, path)} download><${Icon} name="download" />zip</a>${model && mayRegister && html`<${Button} kind="primary" onClick=${() => setRegistering(true)}>Register</${Button}>`}</${FileHead}>
    ${model &&
    html`<p class="muted">A model. From Python, and as a server:</p><${Command}>${`mlflow.pyfunc.load_model(${JSON.stringify(uri)})`}</${Command}><${Command}>${`projrun models serve -m ${shellWord(uri)} -p 1234`}</${Command}>
      <${Preview} artifact=${{ path: model.path, address: artifactAddress(run.id, model.path), size: model.size }} />`}
    <table class="table">
      <thead><tr><th>Name</th><th class="number">Size</th></tr></thead>
      <tbody>
        ${data.map(
          (file) => html`<tr key=${file.path}>
            <td class="name-cell"><button type="button" class="link" onClick=${() => setQuery({ path: file.path }, { push: true })}>${nameOf(file.path)}${file.folder ? "/" : ""}</button></td>
            <td class="number muted">${file.folder ? "" : bytes(file.size)}</td>
          </tr>`,
        )}
      </tbody>
    </table>
    ${registering && html`<${RegisterDialog} source=${`${run.artifacts}/${path}`} run=${run.id} onClose=${() => setRegistering(false)} onDone=${() => setRegistering(false)} />`}`;
}

/** @param {string} path */
function nameOf(path) {
  return path.split("/").pop() ?? path;
}
