// @ts-check
/** Params, metrics and more of several runs in one table: what differs is marked, the rest can be left out. */

import { extremes, usual } from "../../lib/comparison.js";
import { writeCsv } from "../../lib/csv.js";
import { counted, number } from "../../lib/format.js";
import { html, useState } from "../../lib/preact.js";
import { href, path, setQuery } from "../../lib/router.js";
import { Button } from "../../ui/button.js";
import { saveText } from "../../ui/download.js";
import { Search } from "../../ui/search.js";

/** @typedef {import("../../lib/comparison.js").Column} Column */
/** @typedef {import("../../lib/runs.js").Run} Run */

const GROUPS = /** @type {const} */ ([
  ["param", "Params"],
  ["metric", "Metrics"],
  ["attribute", "Run"],
  ["tag", "Tags"],
]);
const MOST_RUNS = 100;

/** @param {{ runs: Run[], columns: Column[], query: Readonly<Record<string, string>> }} props */
export function Values({ runs, columns, query }) {
  const [most, setMost] = useState(MOST_RUNS);
  const all = query.all === "1";
  const filter = (query.q ?? "").toLowerCase();
  const shownRuns = runs.slice(0, most);
  const shown = columns.filter((column) => (all || column.differs || runs.length < 2) && column.key.toLowerCase().includes(filter));
  const equal = columns.filter((column) => !column.differs).length;
  const save = () => {
    const rows = [["run_id", "run", ...columns.map((column) => column.key)], ...runs.map((run, index) => [run.id, run.name, ...columns.map((column) => column.cells[index])])];
    saveText("runs.csv", writeCsv(rows), "text/csv");
  };
  return html`<div class="tools">
      <${Search} label="Filter rows" value=${query.q ?? ""} onChange=${(/** @type {string} */ q) => setQuery({ q })} />
      <${Button} pressed=${!all} onClick=${() => setQuery({ all: all ? null : "1" })}>Only differences</${Button}>
      ${!all && equal > 0 && html`<span class="muted">${counted(equal, "row")} equal in all runs</span>`}
      <span class="space"></span>
      <${Button} icon="download" onClick=${save}>CSV</${Button}>
    </div>
    ${!shown.length && html`<p class="muted">${filter ? "No row has such a name." : "These runs do not differ."}</p>`}
    ${shown.length > 0 &&
    html`<div class="boxed values" tabindex="0" role="region" aria-label="Values of the runs">
      <table>
        <thead>
          <tr>
            <th scope="col"><span class="unseen">Name</span></th>
            ${shownRuns.map((run) => html`<th key=${run.id} scope="col"><a href=${href(path("experiments", run.experiment, "runs", run.id))} title=${run.name}>${run.name}</a></th>`)}
          </tr>
        </thead>
        ${GROUPS.map(([kind, title]) => {
          const rows = shown.filter((column) => column.kind === kind);
          return (
            rows.length > 0 &&
            html`<tbody key=${kind}>
              <tr class="group"><th colspan=${shownRuns.length + 1} scope="rowgroup"><span>${title}</span></th></tr>
              ${rows.map((column) => html`<${Row} key=${column.key} column=${column} many=${shownRuns.length} />`)}
            </tbody>`
          );
        })}
      </table>
    </div>`}
    ${runs.length > most && html`<p><${Button} onClick=${() => setMost(most + MOST_RUNS)}>Show more of ${runs.length} runs</${Button}></p>`}`;
}

/** @param {{ column: Column, many: number }} props */
function Row({ column, many }) {
  const common = usual(column.cells);
  const ends = column.kind === "metric" ? extremes(column.cells) : null;
  return html`<tr class=${column.differs ? "differs" : ""}>
    <th scope="row" title=${column.key}>${column.key}</th>
    ${column.cells.slice(0, many).map((cell) => {
      const numeric = typeof cell === "number";
      const odd = column.differs && column.kind !== "metric" && common !== undefined && !Object.is(cell, common);
      const mark = ends && cell === ends.greatest ? "greatest" : ends && cell === ends.least ? "least" : "";
      const text = numeric ? number(cell) : cell ?? "";
      return html`<td class=${`${numeric ? "number" : ""} ${odd ? "odd" : ""}`} title=${String(cell ?? "none")}>
        ${mark && html`<span class="end" title=${mark} role="img" aria-label=${mark}>${mark === "greatest" ? "▲" : "▼"}</span>`}${text === "" ? html`<span class="muted">–</span>` : text}
      </td>`;
    })}
  </tr>`;
}
