// @ts-check
/** Several runs beside each other: values, curves, relations, images, files. */

import { useData } from "../../lib/api.js";
import { cssColour, looks } from "../../lib/colours.js";
import { columnsOf } from "../../lib/comparison.js";
import { counted } from "../../lib/format.js";
import { newHub } from "../../lib/hub.js";
import { html, useEffect, useMemo } from "../../lib/preact.js";
import { isLong, listOf, listText } from "../../lib/long_lists.js";
import { href, path, setQuery } from "../../lib/router.js";
import { isLive } from "../../lib/runs.js";
import { loadAhead, MetricCharts } from "../../ui/metric_charts.js";
import { Empty, Failed, Loading, Status } from "../../ui/states.js";
import { Tabs } from "../../ui/tabs.js";
import { Button, Command } from "../../ui/button.js";
import { Icon } from "../../ui/icon.js";
import { experimentName } from "../run/calls.js";
import { loadRuns } from "./calls.js";
import { Files } from "./files.js";
import { Images } from "./images.js";
import { Boxes, Coordinates, Points } from "./relations.js";
import { Values } from "./values.js";
import { addSheet } from "../../ui/sheet.js";

addSheet("views/run/run.css"); // heads of sections
addSheet("views/compare/compare.css");

/** @typedef {import("../../lib/runs.js").Run} Run */

const TABS = [
  ["values", "Values"],
  ["curves", "Curves"],
  ["scatter", "Scatter"],
  ["parallel", "Parallel coordinates"],
  ["box", "Box plot"],
  ["images", "Images"],
  ["files", "Files"],
];

/** @param {{ route: import("../../lib/router.js").Route }} props */
export function View({ route }) {
  const text = route.query.runs ?? "";
  const listed = useMemo(() => listOf("compare", text), [text]);
  const ids = useMemo(() => [...new Set(listed)], [listed]);
  useMemo(() => {
    const hidden = hiddenOf(route.query);
    if (route.query.tab === "curves") loadAhead(ids.filter((id) => !hidden.has(id)), route.query);
  }, []);
  const { data, error, reload } = useData(ids.join(), (how) => loadRuns(ids, how), { every: 15_000 });
  useEffect(() => {
    document.title = `Compare ${counted(ids.length, "run")} · projrun`;
  }, [ids.length]);
  if (!listed) {
    return html`<${Empty} title="These runs are known in another tab only">
      <p>They are too many for an address. Open the table of their experiment, filter and select them, then Compare.</p>
      <p><a href=${href("/experiments")}>To the experiments</a></p>
    </${Empty}>`;
  }
  if (!ids.length) {
    return html`<${Empty} title="No runs to compare">
      <p>Choose some in the table of an experiment, then Compare. From a terminal:</p>
      <${Command}>projrun runs list</${Command}>
    </${Empty}>`;
  }
  if (error && !data) return html`<div class="view"><${Failed} error=${error} retry=${reload} /></div>`;
  if (!data) return html`<div class="view"><${Loading} /></div>`;
  return html`<${Shown} runs=${data.runs} missing=${data.missing} route=${route} />`;
}

/** The runs that are not shown. @param {Readonly<Record<string, string>>} query @returns {Set<string>} */
function hiddenOf(query) {
  return new Set(listOf("compare.hidden", query.hide ?? ""));
}

/** @param {{ runs: Run[], missing: string[], route: import("../../lib/router.js").Route }} props */
function Shown({ runs, missing, route }) {
  const { query } = route;
  const tab = TABS.some(([name]) => name === query.tab) ? query.tab : "values";
  const hidden = useMemo(() => hiddenOf(query), [query.hide]);
  const shown = useMemo(() => runs.filter((run) => !hidden.has(run.id)), [runs, hidden]);
  const columns = useMemo(() => columnsOf(shown), [shown]);
  const hub = useMemo(newHub, []);
  // The same element is not drawn again: a zoom changes the address, not the list of a hundred runs.
  const legend = useMemo(() => html`<${Legend} runs=${runs} hidden=${hidden} hub=${hub} />`, [runs, hidden, hub]);
  const keys = columns.filter((column) => column.kind === "metric").map((column) => column.key);
  const tabs = TABS.map(([name, text]) => ({ name, text, href: href("/compare", { runs: query.runs, hide: query.hide, tab: name === "values" ? null : name }) }));
  return html`<div class="view compare">
    <nav class="crumbs" aria-label="Where these runs are">
      <a href=${href("/experiments")}>Experiments</a>
      ${[...new Set(runs.map((run) => run.experiment))].slice(0, 3).map((id) => html`<span aria-hidden="true">/</span><${ExperimentLink} key=${id} id=${id} />`)}
    </nav>
    <div class="head"><h1>Compare ${counted(runs.length, "run")}</h1>${missing.length > 0 && html`<span class="muted">${counted(missing.length, "run")} not found</span>`}${isLong(query.runs) && html`<span class="muted">in this tab only: too many for the address</span>`}</div>
    <div class="compare-body">
      ${legend}
      <div class="compare-main">
        <${Tabs} label="Ways to compare" tabs=${tabs} current=${tab} />
        <div class="run-part">
          ${tab === "values" && html`<${Values} runs=${shown} columns=${columns} query=${query} />`}
          ${tab === "curves" && html`<${MetricCharts} runs=${runs} keys=${keys} hidden=${hidden} hub=${hub} live=${runs.some(isLive)} />`}
          ${tab === "scatter" && html`<${Points} runs=${shown} columns=${columns} query=${query} />`}
          ${tab === "parallel" && html`<${Coordinates} runs=${shown} columns=${columns} query=${query} />`}
          ${tab === "box" && html`<${Boxes} columns=${columns} query=${query} />`}
          ${tab === "images" && html`<${Images} runs=${shown} query=${query} />`}
          ${tab === "files" && html`<${Files} runs=${shown} query=${query} />`}
        </div>
      </div>
    </div>
  </div>`;
}

/** @param {{ id: string }} props */
function ExperimentLink({ id }) {
  const { data } = useData(id, (how) => experimentName(id, how));
  return html`<a href=${href(path("experiments", id))}>${data ?? id}</a>`;
}

/** The runs with their colours: a click hides or shows one, the pointer over one brings its curves to the front.
 * @param {{ runs: Run[], hidden: Set<string>, hub: import("../../lib/hub.js").Hub }} props */
function Legend({ runs, hidden, hub }) {
  const colours = useMemo(() => looks(runs.map((run) => run.id)), [runs]);
  const hide = (/** @type {Iterable<string>} */ ids) => setQuery({ hide: listText("compare.hidden", [...ids]) });
  const toggle = (/** @type {string} */ id) => {
    const next = new Set(hidden);
    if (!next.delete(id)) next.add(id);
    hide(next);
  };
  const others = (/** @type {Run} */ run) => runs.filter((each) => each !== run).map((each) => each.id);
  const without = (/** @type {Run} */ run) => setQuery({ runs: listText("compare", others(run)) }, { push: true });
  return html`<aside class="legend" aria-label="Runs">
    <div class="section-head">
      <h2>Runs</h2>
      <span class="space"></span>
      <${Button} kind="quiet" onClick=${() => hide(hidden.size ? [] : others(runs[0]))}>${hidden.size ? "Show all" : "Hide all but one"}</${Button}>
    </div>
    <ul>
      ${runs.map((run) => {
        const look = colours.get(run.id);
        return html`<li key=${run.id} class=${hidden.has(run.id) ? "off" : ""} onPointerEnter=${() => hub.set({ run: run.id })} onPointerLeave=${() => hub.set({ run: "" })}>
          <${Status} status=${run.status} bare />
          <button type="button" class="legend-toggle" aria-pressed=${!hidden.has(run.id)} aria-label=${`${hidden.has(run.id) ? "Show" : "Hide"} ${run.name}`} onClick=${() => toggle(run.id)} onFocus=${() => hub.set({ run: run.id })} onBlur=${() => hub.set({ run: "" })}>
            <svg width="20" height="8" aria-hidden="true"><path d="M0 4H20" stroke-width="3" stroke-dasharray=${look?.dash.join(" ")} style=${{ stroke: cssColour(look) }} /></svg>
            <span class="clip" title=${run.name}>${run.name}</span>
          </button>
          <a class="button quiet" href=${href(path("experiments", run.experiment, "runs", run.id))} aria-label=${`Open ${run.name}`} title="Open the run"><${Icon} name="out" /></a>
          ${runs.length > 1 && html`<${Button} kind="quiet" icon="close" label=${`Remove ${run.name}`} onClick=${() => without(run)} />`}
        </li>`;
      })}
    </ul>
  </aside>`;
}
