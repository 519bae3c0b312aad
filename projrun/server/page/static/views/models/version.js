// @ts-check
/** One version of a model: what it is, where it came from, what it takes and gives, how to load and serve it. */

import { useData } from "../../lib/api.js";
import { ago, exactDate } from "../../lib/format.js";
import { html, useEffect, useState } from "../../lib/preact.js";
import { go, href, path } from "../../lib/router.js";
import { useMay } from "../../lib/session.js";
import { Button, CopyButton } from "../../ui/button.js";
import { Menu } from "../../ui/menu.js";
import { useSheet } from "../../ui/sheet.js";
import { Failed, Loading } from "../../ui/states.js";
import { say } from "../../ui/toast.js";
import { describe, read, readVersion, removeTag, setTag, versions } from "./calls.js";
import { AliasDialog, DeleteVersion, StageDialog } from "./dialogs.js";
import { Files } from "./files.js";
import { Lineage } from "./lineage.js";
import { Alias, Description, dropAlias, Fact, Stage, Tags } from "./parts.js";
import { Usage } from "./usage.js";

/** @typedef {import("./calls.js").Model} Model */
/** @typedef {import("./calls.js").Version} Version */

/** @param {{ route: import("../../lib/router.js").Route }} props */
export function View({ route }) {
  useSheet("views/models/style.css");
  const { name = "", version = "" } = route.params;
  const { data, error, reload } = useData(JSON.stringify([name, version]), async (how) => {
    const [model, one, all] = await Promise.all([read(name, how), readVersion(name, version, how), versions(name, how)]);
    const aliases = model.aliases.filter((each) => each.version === one.version).map((each) => each.alias);
    return { model, version: { ...one, aliases }, others: all.versions };
  });
  useEffect(() => {
    document.title = `${name} v${version} · Models · projrun`;
  }, [name, version]);
  if (error && !data) return html`<${Failed} error=${error} retry=${reload} />`;
  if (!data) return html`<${Loading} />`;
  return html`<${Shown} ...${data} reload=${reload} />`;
}

/** @param {{ model: Model, version: Version, others: Version[], reload: () => void }} props */
function Shown({ model, version, others, reload }) {
  const may = useMay("models", version.name);
  const [asking, setAsking] = useState(/** @type {"stage" | "alias" | "delete" | null} */ (null));
  const { name, version: number } = version;
  const drop = (/** @type {string} */ alias) => dropAlias(version, alias, reload);
  return html`<div class="view registry">
    <nav class="crumbs" aria-label="Above"><a href=${href("/models")}>Models</a> / <a href=${href(path("models", name))}>${name}</a></nav>
    <div class="head">
      <h1>Version ${number}</h1>
      <span class="marks">
        <${Stage} stage=${version.stage} />
        ${version.aliases.map((alias) => html`<${Alias} key=${alias} bare name=${name} alias=${alias} version=${number} onRemove=${may("MANAGE") ? () => drop(alias) : undefined} />`)}
      </span>
      <span class="space"></span>
      <span class="actions">
        ${may("EDIT") && html`<${Button} icon="tag" onClick=${() => setAsking("alias")}>Alias</${Button}><${Button} onClick=${() => setAsking("stage")}>Stage</${Button}>`}
        ${may("MANAGE") && html`<${Menu} icon="more" label="More actions" align="end" items=${[{ label: "Delete", icon: "trash", danger: true, call: () => setAsking("delete") }]} />`}
      </span>
    </div>
    <${Facts} version=${version} />
    <${Tags}
      tags=${version.tags}
      may=${may("EDIT")}
      mayRemove=${may("MANAGE")}
      onSet=${async (/** @type {string} */ key, /** @type {string} */ value) => (await setTag(name, number, key, value), reload())}
      onRemove=${async (/** @type {string} */ key) => (await removeTag(name, number, key), reload())}
    />
    <${Description} text=${version.note} may=${may("EDIT")} onSave=${async (/** @type {string} */ text) => (await describe(version, text), reload())} onRead=${async () => (await readVersion(name, number)).note} />
    <${Lineage} version=${version} />
    <${Usage} version=${version} />
    <${Files} version=${version} />
    <${Asked} asking=${asking} model=${model} version=${version} others=${others} onClose=${() => setAsking(null)} reload=${reload} />
  </div>`;
}

/** @param {{ version: Version }} props */
function Facts({ version }) {
  return html`<dl class="details">
    <${Fact} name="Registered"><span title=${exactDate(version.created)}>${ago(version.created)}</span></${Fact}>
    <${Fact} name="Changed">${version.updated !== version.created && html`<span title=${exactDate(version.updated)}>${ago(version.updated)}</span>`}</${Fact}>
    <${Fact} name="By">${version.user}</${Fact}>
    <${Fact} name="Status">${version.status !== "READY" && version.status.toLowerCase().replaceAll("_", " ")}</${Fact}>
    <${Fact} name="Source">${version.source && html`<span class="copied"><code>${version.source}</code><${CopyButton} text=${version.source} label="Copy the source" /></span>`}</${Fact}>
  </dl>`;
}

/**
 * @param {{ asking: "stage" | "alias" | "delete" | null, model: Model, version: Version, others: Version[], onClose: () => void, reload: () => void }} props
 */
function Asked({ asking, model, version, others, onClose, reload }) {
  const done = (/** @type {string} */ text) => {
    say(text);
    reload();
  };
  const gone = () => {
    say(`Deleted version ${version.version}`);
    go(href(path("models", version.name)));
  };
  if (asking === "stage") return html`<${StageDialog} version=${version} others=${others} onClose=${onClose} onDone=${() => done("Moved")} />`;
  if (asking === "alias") return html`<${AliasDialog} version=${version} known=${model.aliases} onClose=${onClose} onDone=${() => done("Alias set")} />`;
  if (asking === "delete") return html`<${DeleteVersion} version=${version} onClose=${onClose} onDone=${gone} />`;
  return null;
}
