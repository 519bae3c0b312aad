// @ts-check
/** `/runs/ID` leads to the run in its experiment: for links from where only the run is known. */

import { get, useData } from "../../lib/api.js";
import { html, useEffect } from "../../lib/preact.js";
import { go, href, path } from "../../lib/router.js";
import { Failed, Loading } from "../../ui/states.js";

/** @param {{ route: import("../../lib/router.js").Route }} props */
export function View({ route }) {
  const id = route.params.run ?? "";
  const { data, error, reload } = useData(id, (how) => get("runs/get", { run_id: id }, how));
  useEffect(() => {
    if (data) go(href(path("experiments", data.run.info.experiment_id, "runs", id), route.query), { replace: true });
  }, [data]);
  return error ? html`<${Failed} error=${error} retry=${reload} />` : html`<${Loading} />`;
}
