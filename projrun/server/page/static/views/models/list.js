// @ts-check
/** The registry: registered models, searched, sorted and created. */

import { useData } from "../../lib/api.js";
import { keepInSight, useCursor } from "../../lib/cursor.js";
import { ago, exactDate } from "../../lib/format.js";
import { useKeys } from "../../lib/keys.js";
import { html, useEffect, useRef, useState } from "../../lib/preact.js";
import { go, href, path, useQuery } from "../../lib/router.js";
import { useMayCreate } from "../../lib/session.js";
import { Button, Command } from "../../ui/button.js";
import { Icon } from "../../ui/icon.js";
import { useSheet } from "../../ui/sheet.js";
import { Empty, Failed, Loading } from "../../ui/states.js";
import { search } from "./calls.js";
import { ModelDialog } from "./dialogs.js";
import { Alias, firstLine, Stage } from "./parts.js";

/** @typedef {import("./calls.js").Model} Model */

export function View() {
  useSheet("views/models/style.css");
  const [text, setText] = useQuery("q");
  const [order, setOrder] = useQuery("order", "name ASC");
  const [pages, setPages] = useState(1);
  const [creating, setCreating] = useState(false);
  const may = useMayCreate();
  const box = useRef(/** @type {HTMLInputElement | null} */ (null));
  const { data, error, loading, reload } = useData(JSON.stringify([text, order, pages]), (how) => load(text, order, pages, how), { every: 15_000 });
  const models = data?.models ?? [];
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
      <div class="search">
        <${Icon} name="search" />
        <input ref=${box} type="search" aria-label="Search models by name" placeholder="Search by name" value=${text}
          onInput=${(/** @type {any} */ event) => setText(event.target.value)} />
      </div>
    </div>
    ${error && !data && html`<${Failed} error=${error} retry=${reload} />`} ${!data && loading && html`<${Loading} />`}
    ${data && !models.length && html`<${Nothing} text=${text} />`}
    ${models.length > 0 && html`<${List} models=${models} at=${at} setAt=${setAt} order=${order} setOrder=${setOrder} />`}
    ${data?.token && html`<p class="tools"><${Button} disabled=${loading} onClick=${() => setPages(pages + 1)}>Show more</${Button}></p>`}
    ${creating &&
    html`<${ModelDialog} onClose=${() => setCreating(false)} onDone=${(/** @type {string} */ name) => go(href(path("models", name)))} />`}
  </div>`;
}

/** @param {string} text @param {string} order @param {number} pages @param {import("./calls.js").How} how */
async function load(text, order, pages, how) {
  /** @type {Model[]} */
  const models = [];
  let token = "";
  for (let page = 0; page < pages && (page === 0 || token); page += 1) {
    const found = await search({ text, order, token }, how);
    models.push(...found.models);
    ({ token } = found);
  }
  return { models, token };
}

/** @param {{ models: Model[], at: number, setAt: (at: number) => void, order: string, setOrder: (order: string) => void }} props */
function List({ models, at, setAt, order, setOrder }) {
  return html`<table class="table models">
    <thead>
      <tr>
        <${Head} text="Name" column="name" order=${order} setOrder=${setOrder} />
        <th class="latest">Latest</th>
        <th>Aliases</th>
        <${Head} text="Changed" column="last_updated_timestamp" order=${order} setOrder=${setOrder} />
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

/** @param {{ text: string, column: string, order: string, setOrder: (order: string) => void }} props */
function Head({ text, column, order, setOrder }) {
  const [active, direction] = order.split(" ");
  const mine = active === column;
  const next = mine ? (direction === "ASC" ? "DESC" : "ASC") : column === "name" ? "ASC" : "DESC";
  return html`<th class=${column === "name" ? "" : "time"} aria-sort=${mine ? (direction === "ASC" ? "ascending" : "descending") : undefined}>
    <button type="button" class="sort" onClick=${() => setOrder(`${column} ${next}`)}>${text}${mine && html`<${Icon} name=${direction === "ASC" ? "up" : "down"} />`}</button>
  </th>`;
}

/** @param {{ text: string }} props */
function Nothing({ text }) {
  if (text) return html`<${Empty} title="No model matches"><p>No name has “${text}” in it.</p></${Empty}>`;
  return html`<${Empty} title="No models yet">
    <p>Register the model that a run has logged:</p>
    <${Command}>projrun models register runs:/latest/model my-model</${Command}>
  </${Empty}>`;
}
