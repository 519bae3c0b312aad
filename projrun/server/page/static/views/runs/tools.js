// @ts-check
/** What is above the table: the filter, how the runs are put together, which columns are shown. */

import { html } from "../../lib/preact.js";
import { column } from "../../lib/columns.js";
import { byName } from "../../lib/format.js";
import { setQuery } from "../../lib/router.js";
import { Button } from "../../ui/button.js";
import { Menu } from "../../ui/menu.js";
import { FilterBox } from "./filter_box.js";
import { groupTitle, levelsText, PARENT } from "./groups.js";

/** @typedef {import("../../lib/columns.js").Column} Column */

const MOST_PARAMS = 30;

/** @param {{ table: ReturnType<typeof import("./state.js").useTable>, query: Readonly<Record<string, string>>, onColumns: () => void, onSave: () => void }} props */
export function Tools({ table, query, onColumns, onSave }) {
  const differ = query.differ === "1";
  return html`<div class="tools">
    <${FilterBox} value=${query.filter ?? ""} known=${table.known} problem=${table.problem} filter=${table.filter} onChange=${(/** @type {string} */ filter) => setQuery({ filter }, { push: true })} />
    <${Menu} icon="group" label="Group the runs" text=${table.by.length ? `Group: ${table.by.map(groupTitle).join(", ")}` : "Group"} items=${groupings(table.known, table.by)} />
    <${Button} icon="columns" onClick=${onColumns}>Columns</${Button}>
    <${Button} pressed=${differ} title="Show only columns in which the runs differ" onClick=${() => setQuery({ differ: !differ && "1" })}>Differing</${Button}>
    ${!table.by.length && html`<${Button} pressed=${table.nest} title="Show children under their parents" onClick=${() => setQuery({ nest: table.nest ? "0" : "1" })}>Nested</${Button}>`}
    <${Button} pressed=${table.deleted} title="Show deleted runs" onClick=${() => setQuery({ show: table.deleted ? null : "deleted", select: null }, { push: true })}>Deleted</${Button}>
    <${Button} icon="download" title="Save these runs and columns as a CSV file" disabled=${!table.found.data?.rows.length} onClick=${onSave}>CSV</${Button}>
  </div>`;
}

/** Within a sentence. @param {Column} level */
function nameOf(level) {
  return level.kind === "attribute" ? groupTitle(level).toLowerCase() : groupTitle(level);
}

/** @param {readonly import("../../lib/columns.js").Known[]} known @param {readonly Column[]} by @returns {import("../../ui/menu.js").Item[]} */
function groupings(known, by) {
  const group = (/** @type {readonly Column[]} */ levels) => () => setQuery({ group: levelsText(levels) || null, open: null }, { push: true });
  const params = known.filter(({ kind, differs }) => kind === "param" && differs).sort((one, other) => byName(one.key, other.key));
  const choices = [PARENT, column("attribute", "status"), ...params.slice(0, MOST_PARAMS).map(({ key }) => column("param", key))];
  const others = choices.filter((each) => by.every((level) => level.id !== each.id));
  return [
    { label: "No groups", call: group([]) },
    ...choices.map((each) => ({ label: `By ${nameOf(each)}`, call: group([each]) })),
    ...(by.length ? others.map((each) => ({ label: `Then by ${nameOf(each)}`, call: group([...by, each]) })) : []),
  ];
}
