// @ts-check
/** What is above the table: the filter, how the runs are put together, which columns are shown. */

import { html } from "../../lib/preact.js";
import { column, title } from "../../lib/columns.js";
import { setQuery } from "../../lib/router.js";
import { Button } from "../../ui/button.js";
import { Menu } from "../../ui/menu.js";
import { FilterBox } from "./filter_box.js";

/** @param {{ table: ReturnType<typeof import("./state.js").useTable>, query: Readonly<Record<string, string>>, onColumns: () => void }} props */
export function Tools({ table, query, onColumns }) {
  const differ = query.differ === "1";
  return html`<div class="tools">
    <${FilterBox} value=${query.filter ?? ""} known=${table.known} problem=${table.problem} filter=${table.filter} onChange=${(/** @type {string} */ filter) => setQuery({ filter }, { push: true })} />
    <${Menu} icon="group" label="Group the runs" text=${table.by ? `Group: ${query.group === "parent" ? "parent" : title(table.by)}` : "Group"} items=${groupings(table.known)} />
    <${Button} icon="columns" onClick=${onColumns}>Columns</${Button}>
    <${Button} pressed=${differ} title="Show only columns in which the runs differ" onClick=${() => setQuery({ differ: !differ && "1" })}>Differing</${Button}>
    ${!table.by && html`<${Button} pressed=${table.nest} title="Show children under their parents" onClick=${() => setQuery({ nest: table.nest ? "0" : "1" })}>Nested</${Button}>`}
    <${Button} pressed=${table.deleted} title="Show deleted runs" onClick=${() => setQuery({ show: table.deleted ? null : "deleted", select: null }, { push: true })}>Deleted</${Button}>
  </div>`;
}

/** @param {readonly import("../../lib/columns.js").Known[]} known @returns {import("../../ui/menu.js").Item[]} */
function groupings(known) {
  const group = (/** @type {string | null} */ next) => () => setQuery({ group: next, open: null }, { push: true });
  const params = known.filter(({ kind, differs }) => kind === "param" && differs).sort((one, other) => one.key.localeCompare(other.key));
  return [
    { label: "No groups", call: group(null) },
    { label: "By parent", call: group("parent") },
    { label: "By status", call: group(column("attribute", "status").id) },
    ...params.slice(0, 30).map(({ key }) => ({ label: `By ${key}`, call: group(column("param", key).id) })),
  ];
}
