// @ts-check
/** One registered model with its versions. */

import { useData } from "../../lib/api.js";
import { shellWord } from "../../lib/commands.js";
import { keepInSight, useCursor } from "../../lib/cursor.js";
import { ago, exactDate } from "../../lib/format.js";
import { html, useEffect, useState } from "../../lib/preact.js";
import { go, href, path } from "../../lib/router.js";
import { useMay } from "../../lib/session.js";
import { Command } from "../../ui/button.js";
import { Menu } from "../../ui/menu.js";
import { useSheet } from "../../ui/sheet.js";
import { Empty, Failed, Loading } from "../../ui/states.js";
import { say } from "../../ui/toast.js";
import { read, removeTag, setTag, update, versions } from "./calls.js";
import { AliasDialog, DeleteModel, DeleteVersion, ModelDialog, StageDialog } from "./dialogs.js";
import { Alias, Description, dropAlias, Fact, firstLine, Stage, Tags } from "./parts.js";

/** @typedef {import("./calls.js").Model} Model */
/** @typedef {import("./calls.js").Version} Version */
/** @typedef {{ kind: "rename" | "delete" } | { kind: "stage" | "alias" | "deleteVersion", version: Version }} Asking */

/** @param {{ route: import("../../lib/router.js").Route }} props */
export function View({ route }) {
  useSheet("views/models/style.css");
  const name = route.params.name ?? "";
  const { data, error, reload } = useData(
    name,
    async (how) => {
      const [model, found] = await Promise.all([read(name, how), versions(name, how)]);
      return { model, ...found };
    },
    { every: 15_000 },
  );
  useEffect(() => {
    document.title = `${name} · Models · projrun`;
  }, [name]);
  if (error && !data) return html`<${Failed} error=${error} retry=${reload} />`;
  if (!data) return html`<${Loading} />`;
  return html`<${Shown} model=${data.model} versions=${data.versions} more=${data.more} reload=${reload} />`;
}

/** @param {{ model: Model, versions: Version[], more: boolean, reload: () => void }} props */
function Shown({ model, versions: found, more, reload }) {
  const may = useMay("models", model.name);
  const [asking, setAsking] = useState(/** @type {Asking | null} */ (null));
  const done = (/** @type {string} */ text) => {
    say(text);
    reload();
  };
  return html`<div class="view registry">
    <nav class="crumbs" aria-label="Above"><a href=${href("/models")}>Models</a></nav>
    <div class="head">
      <h1>${model.name}</h1>
      <span class="space"></span>
      <${Actions} may=${may} onAsk=${setAsking} />
    </div>
    <dl class="details">
      <${Fact} name="Created"><span title=${exactDate(model.created)}>${ago(model.created)}</span></${Fact}>
      <${Fact} name="Changed"><span title=${exactDate(model.updated)}>${ago(model.updated)}</span></${Fact}>
      <${Fact} name="Author">${authorOf(found)}</${Fact}>
      <${Fact} name="Aliases">${model.aliases.map(({ alias, version }) => html`<${Alias} key=${alias} name=${model.name} alias=${alias} version=${version} />`)}</${Fact}>
    </dl>
    <${Tags}
      tags=${model.tags}
      may=${may("EDIT")}
      mayRemove=${may("EDIT")}
      onSet=${async (/** @type {string} */ key, /** @type {string} */ value) => (await setTag(model.name, null, key, value), reload())}
      onRemove=${async (/** @type {string} */ key) => (await removeTag(model.name, null, key), reload())}
    />
    <${Description} text=${model.note} may=${may("EDIT")} onSave=${async (/** @type {string} */ text) => (await update(model, model.name, text), reload())} onRead=${async () => (await read(model.name)).note} />
    <h2>Versions</h2>
    ${!found.length && html`<${Empty} title="No versions yet"><p>Register the model that a run has logged:</p><${Command}>${`projrun models register runs:/latest/model ${shellWord(model.name)}`}</${Command}></${Empty}>`}
    ${found.length > 0 && html`<${Versions} versions=${withAliases(found, model)} may=${may} onAsk=${setAsking} reload=${reload} />`}
    ${more && html`<p class="muted">The newest ${found.length} versions are shown. All: <code>projrun models versions ${shellWord(model.name)}</code></p>`}
    <${Asked} asking=${asking} model=${model} versions=${found} onClose=${() => setAsking(null)} onDone=${done} />
  </div>`;
}

/** @param {{ may: ReturnType<typeof useMay>, onAsk: (asking: Asking) => void }} props */
function Actions({ may, onAsk }) {
  /** @type {import("../../ui/menu.js").Item[]} */
  const items = [];
  if (may("EDIT")) items.push({ label: "Rename", icon: "edit", call: () => onAsk({ kind: "rename" }) });
  if (may("MANAGE")) items.push({ label: "Delete", icon: "trash", danger: true, call: () => onAsk({ kind: "delete" }) });
  return items.length ? html`<${Menu} icon="more" label="Actions for this model" align="end" items=${items} />` : null;
}

/** The dialog that is open. @param {{ asking: Asking | null, model: Model, versions: Version[], onClose: () => void, onDone: (text: string) => void }} props */
function Asked({ asking, model, versions: found, onClose, onDone }) {
  if (!asking) return null;
  if (asking.kind === "rename") {
    const renamed = (/** @type {string} */ name) => go(href(path("models", name)), { replace: true });
    return html`<${ModelDialog} model=${model} onClose=${onClose} onDone=${renamed} />`;
  }
  if (asking.kind === "delete") {
    const gone = () => {
      say(`Deleted ${model.name}`);
      go(href("/models"));
    };
    return html`<${DeleteModel} model=${model} count=${found.length} onClose=${onClose} onDone=${gone} />`;
  }
  if (!("version" in asking)) return null;
  const { kind, version } = asking;
  const words = `version ${version.version}`;
  if (kind === "stage") return html`<${StageDialog} version=${version} others=${found} onClose=${onClose} onDone=${() => onDone(`Moved ${words}`)} />`;
  if (kind === "alias") return html`<${AliasDialog} version=${version} known=${model.aliases} onClose=${onClose} onDone=${() => onDone(`Gave ${words} an alias`)} />`;
  return html`<${DeleteVersion} version=${version} onClose=${onClose} onDone=${() => onDone(`Deleted ${words}`)} />`;
}

/** @param {{ versions: Version[], may: ReturnType<typeof useMay>, onAsk: (asking: Asking) => void, reload: () => void }} props */
function Versions({ versions: found, may, onAsk, reload }) {
  const open = (/** @type {number} */ index) => found[index] && go(placeOf(found[index]));
  const [at, setAt] = useCursor(found.length, { what: "version", open });
  return html`<table class="table versions">
    <thead>
      <tr>
        <th>Version</th>
        <th class="first">Aliases and stage</th>
        <th>Registered</th>
        <th class="by">By</th>
        <th class="run">Run</th>
        <th><span class="unseen">Actions</span></th>
      </tr>
    </thead>
    <tbody>
      ${found.map(
        (version, index) => html`<tr key=${version.version} class=${index === at ? "current" : ""} ref=${index === at ? keepInSight : null} onClick=${() => setAt(index)}>
          <td><a href=${placeOf(version)}>v${version.version}</a></td>
          <td class="first">
            <${Marks} version=${version} may=${may} reload=${reload} />
            ${version.note && html`<div class="muted clip">${firstLine(version.note)}</div>`}
          </td>
          <td class="time" title=${exactDate(version.created)}>${ago(version.created)}</td>
          <td class="by time">${version.user}</td>
          <td class="run">${version.run && html`<a href=${href(path("runs", version.run))}><code>${version.run.slice(0, 8)}</code></a>`}</td>
          <td class="number"><${VersionActions} version=${version} may=${may} onAsk=${onAsk} /></td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}

/** @param {{ version: Version, may: ReturnType<typeof useMay>, reload: () => void }} props */
function Marks({ version, may, reload }) {
  const drop = (/** @type {string} */ alias) => dropAlias(version, alias, reload);
  return html`<span class="marks">
    <${Stage} stage=${version.stage} />
    ${version.aliases.map((alias) => html`<${Alias} key=${alias} bare name=${version.name} alias=${alias} version=${version.version} onRemove=${may("MANAGE") ? () => drop(alias) : undefined} />`)}
    ${version.status !== "READY" && html`<span class="chip">${version.status.toLowerCase().replaceAll("_", " ")}</span>`}
  </span>`;
}

/** @param {{ version: Version, may: ReturnType<typeof useMay>, onAsk: (asking: Asking) => void }} props */
function VersionActions({ version, may, onAsk }) {
  /** @type {import("../../ui/menu.js").Item[]} */
  const items = [];
  if (may("EDIT")) {
    items.push({ label: "Set an alias", icon: "tag", call: () => onAsk({ kind: "alias", version }) });
    items.push({ label: "Move to a stage", icon: "model", call: () => onAsk({ kind: "stage", version }) });
  }
  if (may("MANAGE")) items.push({ label: "Delete", icon: "trash", danger: true, call: () => onAsk({ kind: "deleteVersion", version }) });
  return items.length ? html`<${Menu} kind="quiet" icon="more" label=${`Actions for version ${version.version}`} align="end" items=${items} />` : null;
}

/** @param {Version} version */
function placeOf({ name, version }) {
  return href(path("models", name, "versions", version));
}

/** Searches of versions may not say which aliases they have; the model does.
 * @param {Version[]} found @param {Model} model @returns {Version[]} */
function withAliases(found, model) {
  return found.map((version) => ({
    ...version,
    aliases: model.aliases.filter((each) => each.version === version.version).map((each) => each.alias),
  }));
}

/** Who registered the first version. @param {Version[]} found */
function authorOf(found) {
  return found.at(-1)?.user ?? "";
}
