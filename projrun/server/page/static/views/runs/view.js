// @ts-check
/** The runs of an experiment: a table of any size, live. */

import { html, useEffect, useState } from "../../lib/preact.js";
import { useData } from "../../lib/api.js";
import { shellWord, TRACKING } from "../../lib/commands.js";
import { useCursor } from "../../lib/cursor.js";
import { counted } from "../../lib/format.js";
import { useMay } from "../../lib/session.js";
import { go, href, path, setQuery } from "../../lib/router.js";
import { pathsText } from "../../lib/run_items.js";
import { Button, Command } from "../../ui/button.js";
import { Markdown } from "../../ui/markdown.js";
import { addSheet } from "../../ui/sheet.js";
import { Empty, Failed, Loading } from "../../ui/states.js";
import { attempt } from "../../ui/toast.js";
import { read as readExperiment } from "../experiments/calls.js";
import { ExperimentDialog } from "../experiments/dialogs.js";
import { Actions } from "./actions.js";
import { ColumnsDialog } from "./columns_dialog.js";
import { saveRuns } from "./saving.js";
import { useSelected } from "./selection.js";
import { useTable } from "./state.js";
import { Table } from "./table.js";
import { Tools } from "./tools.js";

addSheet("views/runs/runs.css");

/** @param {{ route: import("../../lib/router.js").Route }} props */
export function View({ route }) {
  const experiment = route.params.experiment ?? "";
  const { query } = route;
  const table = useTable(experiment, query);
  const { selected, select, toggle, here } = useSelected(experiment, query.select ?? "", table);
  const [choosing, setChoosing] = useState(false);
  const about = useData(experiment, (how) => readExperiment(experiment, how));
  const may = useMay("experiments", experiment);
  const { items, found, cells } = table;
  const fold = (/** @type {number} */ index) => foldAt(table, index);
  const [at] = useCursor(items.length, {
    what: "run",
    toggle,
    open: (index) => {
      const item = items[index];
      if (item?.kind === "group") fold(index);
      else if (item) void cells.runIds([item.row]).then(([run]) => run && go(href(path("experiments", experiment, "runs", run))));
    },
  });
  useEffect(() => {
    document.title = `${about.data?.name ?? "Runs"} · projrun`;
  }, [about.data?.name]);

  if (about.error && !about.data) return html`<${Failed} error=${about.error} retry=${about.reload} />`;
  return html`<div class="view full runs">
    <${Title} about=${about} editable=${may("EDIT")} total=${found.data?.total} />
    <${Tools} table=${table} query=${query} onColumns=${() => setChoosing(true)}
      onSave=${() => attempt(() => saveRuns(about.data?.name ?? experiment, experiment, found.data?.rows ?? [], table.columns))} />
    ${found.error && !table.problem && html`<${Failed} error=${found.error} retry=${found.reload} />`}
    ${!found.data && !found.error && html`<${Loading} rows=${16} />`}
    ${found.data && !items.length && !found.error && html`<${Nothing} filtered=${Boolean(table.filter)} deleted=${table.deleted} name=${about.data?.name ?? ""} />`}
    ${items.length > 0 &&
    html`<${Table} experiment=${experiment} table=${table} selected=${selected} at=${at} onToggle=${toggle} onFold=${fold}
      onAll=${() => select(selected.size ? [] : (found.data?.rows ?? []))} />`}
    <${Actions} selected=${[...selected]} here=${here} may=${may} deleted=${table.deleted} runIds=${(/** @type {readonly number[]} */ wanted) => cells.runIds(wanted)} onClear=${() => select([])} onDone=${table.reload} />
    ${choosing &&
    html`<${ColumnsDialog} columns=${table.columns} known=${table.known} pinned=${table.pins} onChange=${table.setColumns} onReset=${table.resetColumns} onClose=${() => setChoosing(false)} />`}
  </div>`;
}

/** Open or close the group or the parent of a line. @param {ReturnType<typeof useTable>} table @param {number} index */
function foldAt({ items, groups, open, closed }, index) {
  const item = items[index];
  if (item?.kind === "group") setQuery({ open: pathsText(flipped(open, groups.data[item.at].path)) });
  else if (item) setQuery({ closed: [...flipped(closed, item.row)].filter(Boolean).join(",") });
}

/** @template T @param {ReadonlySet<T>} set @param {T} value @returns {Set<T>} */
function flipped(set, value) {
  const next = new Set(set);
  if (!next.delete(value)) next.add(value);
  return next;
}

/** @param {{ about: import("../../lib/api.js").Loaded<import("../experiments/calls.js").Experiment>, editable: boolean, total: number | undefined }} props */
function Title({ about, editable, total }) {
  const [editing, setEditing] = useState(false);
  const { data } = about;
  return html`<div class="crumbs"><a href=${href("/experiments")}>Experiments</a></div>
    <div class="head">
      <h1>${data?.name ?? " "}</h1>
      ${total !== undefined && html`<span class="muted" aria-live="polite">${counted(total, "run")}</span>`}
      ${data && editable && html`<${Button} kind="quiet" icon="edit" label="Edit name and description" onClick=${() => setEditing(true)} />`}
    </div>
    ${data?.note && html`<details class="about"><summary class="muted clip">${data.note.split("\n", 1)[0]}</summary><${Markdown} text=${data.note} /></details>`}
    ${editing && data && html`<${ExperimentDialog} experiment=${data} onClose=${() => setEditing(false)} onDone=${about.reload} />`}`;
}

/** @param {{ filtered: boolean, deleted: boolean, name: string }} props */
function Nothing({ filtered, deleted, name }) {
  if (filtered) return html`<${Empty} title="No run matches"><p><${Button} onClick=${() => setQuery({ filter: null }, { push: true })}>Remove the filter</${Button}></p></${Empty}>`;
  if (deleted) return html`<${Empty} title="Nothing is deleted"><p>Deleted runs appear here and can be restored.</p></${Empty}>`;
  return html`<${Empty} title="No runs yet">
    <p>Record the first one:</p>
    <${Command}>${TRACKING}</${Command}>
    <${Command}>${`projrun run . --experiment-name ${shellWord(name)}`}</${Command}>
  </${Empty}>`;
}

