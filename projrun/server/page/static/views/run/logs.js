// @ts-check
/** The logs of a run: what its command printed, earlier attempts, the build of its environment. */

import { artifactAddress, useData } from "../../lib/api.js";
import { byName } from "../../lib/format.js";
import { html } from "../../lib/preact.js";
import { setQuery } from "../../lib/router.js";
import { isLive } from "../../lib/runs.js";
import { Log } from "../../ui/log.js";
import { Empty, Failed, Loading } from "../../ui/states.js";
import { listFiles } from "./calls.js";

/** @typedef {import("../../lib/runs.js").Run} Run */

/** What the command printed. */
export const FIRST = "logs/output.log";
const BUILD = "environment/build.log";

/** @param {{ run: Run, route: import("../../lib/router.js").Route }} props */
export function Logs({ run, route }) {
  const live = isLive(run);
  const { data, error, reload } = useData(`${run.id} ${live}`, (how) => logsOf(run.id, how), { every: live ? 5000 : 0 });
  if (error && !data) return html`<${Failed} error=${error} retry=${reload} />`;
  if (!data) return html`<${Loading} />`;
  if (!data.length) {
    return html`<${Empty} title=${live ? "Nothing has been printed yet" : "This run has no log"}>
      <p>${live ? "The log appears here within seconds of the first line." : "`projrun run` keeps what the command prints as logs/output.log."}</p>
    </${Empty}>`;
  }
  const shown = data.includes(route.query.log) ? route.query.log : data[0];
  const choose = (/** @type {Event} */ event) => setQuery({ log: /** @type {HTMLSelectElement} */ (event.target).value });
  return html`${data.length > 1 &&
    html`<div class="tools"><select aria-label="Which log" onChange=${choose}>${data.map((name) => html`<option value=${name} selected=${name === shown}>${name}</option>`)}</select></div>`}
    <${Log} key=${shown} name=${shown} address=${artifactAddress(run.id, shown)} live=${live && shown === FIRST} atEnd=${live || route.query.at === "end"} />`;
}

/** @param {string} run @param {import("../../lib/api.js").How} how @returns {Promise<string[]>} */
async function logsOf(run, how) {
  const [logs, environment] = await Promise.all(["logs", "environment"].map((folder) => listFiles(run, folder, how).catch(() => [])));
  const names = [...logs, ...environment].filter(({ path, folder }) => !folder && (path.endsWith(".log") || path === BUILD)).map(({ path }) => path);
  return names.sort((one, other) => Number(other === FIRST) - Number(one === FIRST) || byName(one, other));
}
