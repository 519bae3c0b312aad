// @ts-check
/** One run: how it ended first, then everything it recorded. */

import { withoutEscapes } from "../../lib/ansi.js";
import { artifactAddress, useData } from "../../lib/api.js";
import { ago, byName, duration, exactDate } from "../../lib/format.js";
import { useKeys } from "../../lib/keys.js";
import { html, useEffect, useState } from "../../lib/preact.js";
import { go, href, path } from "../../lib/router.js";
import { failureOf, isLive, isSystem } from "../../lib/runs.js";
import { useMay } from "../../lib/session.js";
import { Command, CopyButton } from "../../ui/button.js";
import { Menu } from "../../ui/menu.js";
import { reader } from "../../ui/log.js";
import { MetricCharts } from "../../ui/metric_charts.js";
import { Failed, Loading, Status } from "../../ui/states.js";
import { Tabs } from "../../ui/tabs.js";
import { attempt, say } from "../../ui/toast.js";
import { Artifacts } from "./artifacts.js";
import { experimentName, listFiles, loadRun, setDeleted } from "./calls.js";
import { RenameDialog } from "./dialogs.js";
import { FIRST, Logs } from "./logs.js";
import { Overview } from "./overview.js";
import { Source } from "./source.js";
import { addSheet } from "../../ui/sheet.js";

addSheet("ui/content.css"); // facts and code
addSheet("views/run/run.css");

/** @typedef {import("../../lib/runs.js").Run} Run */

const TABS = /** @type {const} */ ([
  ["overview", "Overview"],
  ["metrics", "Metrics"],
  ["system", "System"],
  ["log", "Log"],
  ["artifacts", "Artifacts"],
  ["source", "Source"],
]);
const EVERY = 3000;

/** @param {{ route: import("../../lib/router.js").Route }} props */
export function View({ route }) {
  const id = route.params.run;
  const [live, setLive] = useState(false);
  const { data: run, error, reload } = useData(id, (how) => loadRun(id, how), { every: live ? EVERY : 0 });
  useEffect(() => {
    if (run) setLive(isLive(run));
    document.title = `${run?.name ?? "Run"} · projrun`;
  }, [run]);
  if (error && !run) return html`<div class="view"><${Failed} error=${error} retry=${reload} /></div>`;
  if (!run) return html`<div class="view"><${Loading} /></div>`;
  return html`<${Shown} run=${run} route=${route} reload=${reload} />`;
}

/** @param {{ run: Run, route: import("../../lib/router.js").Route, reload: () => void }} props */
function Shown({ run, route, reload }) {
  const keys = [...run.metrics.keys()].sort(byName);
  const [system, own] = [keys.filter(isSystem), keys.filter((key) => !isSystem(key))];
  const counts = /** @type {Record<string, number | undefined>} */ ({ metrics: own.length, system: system.length });
  const known = TABS.filter(([name]) => name !== "system" || system.length);
  const tab = known.some(([name]) => name === route.query.tab) ? route.query.tab : "overview";
  const here = path("experiments", run.experiment, "runs", run.id);
  const tabs = known.map(([name, text]) => ({ name, text, href: href(here, name === "overview" ? {} : { tab: name }), count: counts[name] }));
  useKeys(known.map(([name, text], index) => ({ keys: String(index + 1), does: text, call: () => go(tabs[index].href) })));
  return html`<div class="view run">
    <${Head} run=${run} reload=${reload} />
    <${Failure} run=${run} log=${href(here, { tab: "log", at: "end" })} tail=${tab === "overview"} />
    <${Tabs} label="Parts of the run" tabs=${tabs} current=${tab} />
    <div class="run-part">
      ${tab === "overview" && html`<${Overview} run=${run} reload=${reload} />`}
      ${tab === "metrics" && html`<${MetricCharts} key="own" runs=${[run]} keys=${own} live=${isLive(run)} />`}
      ${tab === "system" && html`<${MetricCharts} key="system" runs=${[run]} keys=${system} live=${isLive(run)} />`}
      ${tab === "log" && html`<${Logs} run=${run} route=${route} />`}
      ${tab === "artifacts" && html`<${Artifacts} run=${run} route=${route} />`}
      ${tab === "source" && html`<${Source} run=${run} />`}
    </div>
  </div>`;
}

/** @param {{ run: Run, reload: () => void }} props */
function Head({ run, reload }) {
  const [renaming, setRenaming] = useState(false);
  const { data: experiment } = useData(run.experiment, (how) => experimentName(run.experiment, how));
  const change = async (/** @type {boolean} */ gone) => {
    if (!(await attempt(() => setDeleted(run.id, gone)))) return;
    reload();
    say(gone ? `Deleted ${run.name}` : `Restored ${run.name}`, gone ? { action: "Undo", call: () => change(false) } : {});
  };
  const may = useMay("experiments", run.experiment);
  const items = [];
  if (may("EDIT")) items.push({ label: "Rename", icon: "edit", call: () => setRenaming(true) });
  if (may("MANAGE")) {
    items.push(
      run.deleted ? { label: "Restore", icon: "restore", call: () => change(false) } : { label: "Delete", icon: "trash", danger: true, call: () => change(true) },
    );
  }
  const parent = run.tags.get("mlflow.parentRunId");
  return html`<nav class="crumbs" aria-label="Where this run is">
      <a href=${href("/experiments")}>Experiments</a><span aria-hidden="true">/</span>
      <a href=${href(path("experiments", run.experiment))}>${experiment ?? run.experiment}</a>
      ${parent && html`<span aria-hidden="true">/</span><a href=${href(path("experiments", run.experiment, "runs", parent))}>parent run</a>`}
    </nav>
    <div class="head">
      <h1>${run.name}</h1>
      <${Status} status=${run.status} />
      ${run.deleted && html`<span class="chip">deleted</span>`}
      <span class="muted" title=${exactDate(run.start)}>${[ago(run.start), duration((run.end ?? Date.now()) - run.start), run.user].filter(Boolean).join(" · ")}</span>
      <span class="space"></span>
      <${CopyButton} text=${run.id} label="Copy the id of the run" />
      ${items.length > 0 && html`<${Menu} label="More" icon="more" align="end" items=${items} />`}
    </div>
    ${renaming && html`<${RenameDialog} run=${run} onClose=${() => setRenaming(false)} onDone=${reload} />`}`;
}

/** Why a run failed comes before all else. @param {{ run: Run, log: string, tail: boolean }} props */
function Failure({ run, log, tail }) {
  const failure = failureOf(run);
  if (!failure) return null;
  return html`<section class="failure" role="note" aria-label="Why the run ended">
    <div class="failure-head">
      <div>
        <strong>${run.status === "KILLED" ? "Killed" : "Failed"}: ${failure.reason}</strong>
        ${failure.facts.length > 0 && html` <span>(${failure.facts.join(", ")})</span>`}
      </div>
      ${isProject(run) && html`<${Command}>${`projrun rerun ${run.id}`}</${Command}>`}
    </div>
    ${tail && html`<${LogTail} run=${run} log=${log} />`}
  </section>`;
}

const TAIL = 4000;
const TAIL_LINES = 8;

/** The last lines that the command printed. @param {{ run: Run, log: string }} props */
function LogTail({ run, log }) {
  const { data, error } = useData(run.id, async (how) => {
    // Not asked for where it is not: browsers report that as an error.
    if (!(await listFiles(run.id, "logs", how)).some(({ path: file }) => file === FIRST)) return "";
    const read = reader(artifactAddress(run.id, FIRST));
    const { size } = await read(0, 1);
    const { bytes } = await read(Math.max(0, size - TAIL), size);
    return withoutEscapes(new TextDecoder().decode(bytes)).trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
  });
  if (error || data === "") return null;
  return html`<pre class="failure-tail" tabindex="0" role="region" aria-label="The end of the log">${data}</pre>
    <a href=${log}>See the whole log</a>`;
}

/** Whether projrun (or MLflow) started it from a project, so that it can be started again. @param {Run} run */
export function isProject(run) {
  return run.tags.get("mlflow.source.type") === "PROJECT" || run.tags.has("mlflow.project.entryPoint");
}

