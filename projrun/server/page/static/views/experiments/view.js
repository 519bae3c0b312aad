// @ts-check
/** The list of experiments: search, create, rename, describe, delete, restore. */

import { html, useEffect, useRef, useState } from "../../lib/preact.js";
import { TRACKING } from "../../lib/commands.js";
import { keepInSight, useCursor } from "../../lib/cursor.js";
import { ago, exactDate } from "../../lib/format.js";
import { useKeys } from "../../lib/keys.js";
import { usePages } from "../../lib/pages.js";
import { go, href, path, useQuery } from "../../lib/router.js";
import { useMayCreate, useMayEach } from "../../lib/session.js";
import { Button, Command } from "../../ui/button.js";
import { Menu } from "../../ui/menu.js";
import { Search } from "../../ui/search.js";
import { SortHead } from "../../ui/sort_head.js";
import { Empty, Failed, Loading } from "../../ui/states.js";
import { attempt, say } from "../../ui/toast.js";
import { search, setDeleted } from "./calls.js";
import { ExperimentDialog } from "./dialogs.js";

/** @typedef {import("./calls.js").Experiment} Experiment */

export function View() {
  const [text, setText] = useQuery("q");
  const [shown, setShown] = useQuery("show", "active");
  const [order, setOrder] = useQuery("order", "last_update_time DESC");
  const [editing, setEditing] = useState(/** @type {Experiment | "new" | null} */ (null));
  const deleted = shown === "deleted";
  const { found, error, loading, reload, more } = usePages({ text, order, deleted }, search);
  const box = useSearchBox();
  const mayCreate = useMayCreate();
  const [at, setAt] = useCursor(found?.length ?? 0, {
    what: "experiment",
    open: (index) => found?.[index] && go(href(path("experiments", found[index].id))),
  });
  useEffect(() => {
    document.title = "Experiments · projrun";
  }, []);
  useKeys(mayCreate ? [{ keys: "n", does: "New experiment", call: () => setEditing("new") }] : []);
  // From the box to what it found: from there on keys are keys again.
  const leave = (/** @type {KeyboardEvent} */ event) => {
    if (!["Enter", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    box.current?.blur();
    setAt(0);
  };
  const change = async (/** @type {Experiment} */ experiment, /** @type {boolean} */ gone) => {
    if (!(await attempt(() => setDeleted(experiment.id, gone)))) return;
    reload();
    say(`${gone ? "Deleted" : "Restored"} ${experiment.name}`, gone ? { action: "Undo", call: () => change(experiment, false) } : {});
  };
  return html`<div class="view">
    <div class="head">
      <h1>Experiments</h1>
      <span class="space"></span>
      ${mayCreate && html`<${Button} kind="primary" icon="plus" onClick=${() => setEditing("new")}>New experiment</${Button}>`}
    </div>
    <div class="tools">
      <${Search} label="Search experiments by name" placeholder="Search by name" value=${text} onChange=${setText} box=${box} onKeyDown=${leave} />
      <${Button} pressed=${deleted} onClick=${() => setShown(deleted ? "active" : "deleted")}>Deleted</${Button}>
    </div>
    ${error && !found && html`<${Failed} error=${error} retry=${reload} />`}
    ${!found && loading && html`<${Loading} />`}
    ${found && !found.length && html`<${Nothing} text=${text} deleted=${deleted} />`}
    ${found && found.length > 0 && html`<${List} experiments=${found} at=${at} setAt=${setAt} order=${order} setOrder=${setOrder} onEdit=${setEditing} onChange=${change} />`}
    ${more && html`<p class="tools"><${Button} onClick=${more} disabled=${loading}>Show more</${Button}></p>`}
    ${editing &&
    html`<${ExperimentDialog}
      experiment=${editing === "new" ? undefined : editing}
      onClose=${() => setEditing(null)}
      onDone=${(/** @type {string} */ id) => (editing === "new" ? go(href(path("experiments", id))) : reload())}
    />`}
  </div>`;
}

/** The search box, which `/` goes to. */
function useSearchBox() {
  const box = useRef(/** @type {HTMLInputElement | null} */ (null));
  useKeys([{ keys: "/", does: "Search", call: () => box.current?.select() }]);
  return box;
}

const COLUMNS = [
  { text: "Name", column: "name" },
  { text: "Changed", column: "last_update_time" },
  { text: "Created", column: "creation_time", class: "created" },
];

/**
 * @param {{ experiments: Experiment[], at: number, setAt: (at: number) => void, order: string, setOrder: (order: string) => void,
 *   onEdit: (experiment: Experiment) => void, onChange: (experiment: Experiment, deleted: boolean) => void }} props
 */
function List({ experiments, at, setAt, order, setOrder, onEdit, onChange }) {
  const may = useMayEach(
    "experiments",
    experiments.map((each) => each.id),
  );
  return html`<table class="table experiments">
    <thead>
      <tr>
        ${COLUMNS.map((each) => html`<${SortHead} key=${each.column} ...${each} order=${order} setOrder=${setOrder} />`)}
        <th><span class="unseen">Actions</span></th>
      </tr>
    </thead>
    <tbody>
      ${experiments.map(
        (experiment, index) =>
          html`<tr key=${experiment.id} class=${index === at ? "current" : ""} ref=${index === at ? keepInSight : null} onClick=${() => setAt(index)}>
            <td>
              <a href=${href(path("experiments", experiment.id))}>${experiment.name}</a>
              ${experiment.note && html`<div class="note muted clip">${experiment.note.split("\n", 1)[0]}</div>`}
            </td>
            <td class="time" title=${exactDate(experiment.updated)}>${ago(experiment.updated)}</td>
            <td class="time created" title=${exactDate(experiment.created)}>${ago(experiment.created)}</td>
            <td class="number"><${Actions} experiment=${experiment} may=${may} onEdit=${onEdit} onChange=${onChange} /></td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** @param {{ experiment: Experiment, may: ReturnType<typeof useMayEach>, onEdit: (experiment: Experiment) => void, onChange: (experiment: Experiment, deleted: boolean) => void }} props */
function Actions({ experiment, may, onEdit, onChange }) {
  /** @type {import("../../ui/menu.js").Item[]} */
  const items = [];
  const { deleted, id } = experiment;
  if (deleted && may(id, "MANAGE")) items.push({ label: "Restore", icon: "restore", call: () => onChange(experiment, false) });
  if (!deleted && may(id, "EDIT")) items.push({ label: "Edit name and description", icon: "edit", call: () => onEdit(experiment) });
  if (!deleted && may(id, "MANAGE")) items.push({ label: "Delete", icon: "trash", danger: true, call: () => onChange(experiment, true) });
  if (!items.length) return null;
  return html`<${Menu} kind="quiet" icon="more" label=${`Actions for ${experiment.name}`} align="end" items=${items} />`;
}

/** @param {{ text: string, deleted: boolean }} props */
function Nothing({ text, deleted }) {
  if (text) return html`<${Empty} title="No experiment matches"><p>No name has “${text}” in it.</p></${Empty}>`;
  if (deleted) return html`<${Empty} title="Nothing is deleted"><p>Deleted experiments appear here and can be restored.</p></${Empty}>`;
  return html`<${Empty} title="No experiments yet">
    <p>Record the first run here:</p>
    <${Command}>${TRACKING}</${Command}>
    <${Command}>projrun run .</${Command}>
  </${Empty}>`;
}
