// @ts-check
/** The places of the page, each with its view, which is loaded when it is first shown. */

import "./session/bar.js";

/** @type {readonly import("../lib/router.js").Place[]} */
export const places = [
  { name: "experiments", path: "/", load: () => import("./experiments/view.js") },
  { name: "experiments", path: "/experiments", load: () => import("./experiments/view.js") },
  { name: "runs", path: "/experiments/:experiment", load: () => import("./runs/view.js") },
  { name: "signin", path: "/signin", load: () => import("./session/signin.js") },
  { name: "tokens", path: "/tokens", load: () => import("./session/tokens.js") },
  { name: "run", path: "/experiments/:experiment/runs/:run", load: () => import("./run/view.js") },
  { name: "run-by-id", path: "/runs/:run", load: () => import("./run/by_id.js") },
  { name: "models", path: "/models", load: () => import("./models/list.js") },
  { name: "model", path: "/models/:name", load: () => import("./models/model.js") },
  { name: "version", path: "/models/:name/versions/:version", load: () => import("./models/version.js") },
  { name: "compare", path: "/compare", load: () => import("./compare/view.js") },
  { name: "compare", path: "/compare-runs", load: () => import("./compare/view.js") }, // as MLflow's page calls it
];

/** What the bar at the top leads to, with the places that belong to it. */
export const sections = [
  { name: "experiments", text: "Experiments", path: "/experiments", keys: "g e", places: ["experiments", "runs", "run", "compare", "run-by-id"] },
  { name: "models", text: "Models", path: "/models", keys: "g m", places: ["models", "model", "version"] },
];
