// @ts-check
/** How a version is loaded, used and served: lines to copy. */

import { SERVER, shellWord, TRACKING } from "../../lib/commands.js";
import { html } from "../../lib/preact.js";
import { Command, CopyButton } from "../../ui/button.js";

/** @typedef {import("./calls.js").Version} Version */

/** @param {{ version: Version }} props */
export function Usage({ version }) {
  const alias = version.aliases[0];
  const uri = alias ? `models:/${version.name}@${alias}` : `models:/${version.name}/${version.version}`;
  const code = `import mlflow

mlflow.set_tracking_uri(${JSON.stringify(SERVER)})
model = mlflow.pyfunc.load_model(${JSON.stringify(uri)})
model.predict(data)`;
  return html`<section aria-labelledby="usage">
    <h2 id="usage">Use it</h2>
    <p class="muted">${alias ? `By its alias: whatever version @${alias} names then is loaded.` : "By its number: it stays this version. With an alias, programs follow it."}</p>
    <div class="snippet"><pre tabindex="0" aria-label="Python code"><code>${code}</code></pre><${CopyButton} text=${code} label="Copy the code" /></div>
    <${Command}>${TRACKING}</${Command}>
    <${Command}>${`projrun models serve -m ${shellWord(uri)} -p 1234`}</${Command}>
    <${Command}>${`projrun models predict -m ${shellWord(uri)} -t csv -i data.csv`}</${Command}>
  </section>`;
}
