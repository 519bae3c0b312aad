// @ts-check
/** The registry: registered models, searched, sorted and created. */

import { keepInSight, useCursor } from "../../lib/cursor.js";
import { ago, exactDate } from "../../lib/format.js";
import { useKeys } from "../../lib/keys.js";
import { usePages } from "../../lib/pages.js";
import { html, useEffect, useRef, useState } from "../../lib/preact.js";
import { go, href, path, useQuery } from "../../lib/router.js";
import { useMayCreate } from "../../lib/session.js";
import { Button, Command } from "../../ui/button.js";
import { Search } from "../../ui/search.js";
import { useSheet } from "../../ui/sheet.js";
import { SortHead } from "../../ui/sort_head.js";
import { Empty, Failed, Loading } from "../../ui/states.js";
import { search } from "./calls.js";
import { ModelDialog } from "./dialogs.js";
import { Alias, firstLine, Stage } from "./parts.js";

/** @typedef {import("./calls.js").Model} Model */

export function View() {
  useSheet("views/models/style.css");
  const [text, setText] = useQuery("q");
  const [order, setOrder] = useQuery("order", "name ASC");
  const [creating, setCreating] = useState(false);
  const may = useMayCreate();
  const box = useRef(/** @type {HTMLInputElement | null} */ (null));
  const { found, error, loading, reload, more } = usePages({ text, order }, search);
  const models = found ?? [];
  const [at, setAt] = useCursor(models.length, { what: "model", open: (index) => models[index] && go(href(path("models", models[index].name))) });
  useEffect(() => {
    document.title = "Models · projrun";
  }, []);
  useKeys([
    { keys: "/", does: "Search", call: () => box.current?.select() },
    ...(may ? [{ keys: "n", does: "New model", call: () => setCreating(true) }] : []),
  ]);
  return html`<div class="view registry">
    <div class="head">
      <h1>Models</h1>
      <span class="space"></span>
      ${may && html`<${Button} kind="primary" icon="plus" onClick=${() => setCreating(true)}>New model</${Button}>`}
    </div>
    <div class="tools">
      <${Search} label="Search models by name" placeholder="Search by name" value=${text} onChange=${setText} box=${box} />
    </div>
    ${error && !found && html`<${Failed} error=${error} retry=${reload} />`} ${!found && loading && html`<${Loading} />`}
    ${found && !models.length && html`<${Nothing} text=${text} />`}
    ${models.length > 0 && html`<${List} models=${models} at=${at} setAt=${setAt} order=${order} setOrder=${setOrder} />`}
    ${more && html`<p class="tools"><${Button} disabled=${loading} onClick=${more}>Show more</${Button}></p>`}
    ${creating &&
    html`<${ModelDialog} onClose=${() => setCreating(false)} onDone=${(/** @type {string} */ name) => go(href(path("models", name)))} />`}
  </div>`;
}

/** @param {{ models: Model[], at: number, setAt: (at: number) => void, order: string, setOrder: (order: string) => void }} props */
function List({ models, at, setAt, order, setOrder }) {
  return html`<table class="table models">
    <thead>
      <tr>
        <${SortHead} text="Name" column="name" order=${order} setOrder=${setOrder} />
        <th class="latest">Latest</th>
        <th>Aliases</th>
        <${SortHead} text="Changed" column="last_updated_timestamp" order=${order} setOrder=${setOrder} class="time" />
      </tr>
    </thead>
    <tbody>
      ${models.map(
        (model, index) =>
          html`<tr key=${model.name} class=${index === at ? "current" : ""} ref=${index === at ? keepInSight : null} onClick=${() => setAt(index)}>
            <td>
              <a href=${href(path("models", model.name))}>${model.name}</a>
              ${model.note && html`<div class="muted clip">${firstLine(model.note)}</div>`}
            </td>
            <td class="latest"><${Latest} model=${model} /></td>
            <td class="aliases">${model.aliases.map(({ alias, version }) => html`<${Alias} key=${alias} name=${model.name} alias=${alias} version=${version} />`)}</td>
            <td class="time" title=${exactDate(model.updated)}>${ago(model.updated)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** The newest version, and which are in a stage. @param {{ model: Model }} props */
function Latest({ model }) {
  const newest = model.latest.reduce((most, each) => Math.max(most, Number(each.version)), 0);
  if (!newest) return html`<span class="muted">no versions</span>`;
  const staged = model.latest.filter((each) => each.stage === "Production" || each.stage === "Staging");
  return html`<a href=${href(path("models", model.name, "versions", String(newest)))}>v${newest}</a>
    ${staged.map((each) => html`<${Stage} key=${each.stage} stage=${each.stage} version=${each.version} />`)}`;
}

/** @param {{ text: string }} props */
function Nothing({ text }) {
  if (text) return html`<${Empty} title="No model matches"><p>No name has “${text}” in it.</p></${Empty}>`;
  return html`<${Empty} title="No models yet">
    <p>Register the model that a run has logged:</p>
    <${Command}>projrun models register runs:/latest/model my-model</${Command}>
  </${Empty}>`;
}
