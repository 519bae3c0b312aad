// @ts-check
/**
 * Where the page is: a view with the variables of its path, and its state in the query.
 * All addresses lie below `root`, which is wherever the server publishes this page.
 */

import { useCallback, useEffect, useState } from "./preact.js";

/**
 * @typedef {object} Place A kind of path, with the module of its view.
 * @property {string} name
 * @property {string} path `:name` stands for a part.
 * @property {() => Promise<{ View: any }>} load
 */
/**
 * @typedef {object} Route Where the page is.
 * @property {string} name Of the place; "" where there is none.
 * @property {string} path Below the root, encoded, without the query.
 * @property {Readonly<Record<string, string>>} params The variables of the path, decoded.
 * @property {Readonly<Record<string, string>>} query
 */
/** @typedef {Record<string, string | number | boolean | null | undefined>} Values Of a query; nothing and "" leave no trace. */

/** The path below which everything lies, with a slash at its end: the files are in `page/DIGEST/` there. */
export const root = new URL("../../../", import.meta.url).pathname;

/** @type {readonly Place[]} */
let places = [];
/** @type {Set<() => void>} */
const listeners = new Set();

/** Begin: with the places that there are.
 * @param {readonly Place[]} known */
export function begin(known) {
  places = known;
  // Addresses of MLflow's page, which its client prints, lead to the same things here.
  if (location.hash.startsWith("#/")) history.replaceState(null, "", root + location.hash.slice(2));
  addEventListener("popstate", tell);
  document.addEventListener("click", follow);
}

/** The address of a path, with a query: `href("/experiments/1", { filter })`.
 * @param {string} path @param {Values} [query] */
export function href(path, query = {}) {
  const text = encoded(query);
  return root + path.replace(/^\//, "") + (text ? `?${text}` : "");
}

/** Browsers take `.` and `..` for steps between folders, encoded too: as a part of a path they have a `~` before them. */
const STEP = /^~*\.\.?$/;

/** A path of parts, which may have any characters: `path("experiments", id)`.
 * @param {...string} parts */
export function path(...parts) {
  return `/${parts.map((part) => (STEP.test(part) ? `~${part}` : encodeURIComponent(part))).join("/")}`;
}

/** @param {Values} query */
function encoded(query) {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "" && value !== false) found.set(name, String(value));
  }
  // These need no escape in a query, and addresses are read by people.
  return found.toString().replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%2F", "/");
}

/** Go to an address that `href` made.
 * @param {string} address @param {{ replace?: boolean }} [how] */
export function go(address, { replace = false } = {}) {
  if (address === location.pathname + location.search) return;
  if (replace) history.replaceState(history.state, "", address);
  else history.pushState(null, "", address);
  tell();
}

/** Change some values of the query; a step back undoes it only with `push`.
 * @param {Values} changes @param {{ push?: boolean }} [how] */
export function setQuery(changes, { push = false } = {}) {
  const here = current();
  go(href(here.path, { ...here.query, ...changes }), { replace: !push });
}

/** @returns {Route} */
export function current() {
  return routeOf(location.pathname, location.search, places);
}

/** @param {string} pathname @param {string} search @param {readonly Place[]} known @returns {Route} */
export function routeOf(pathname, search, known) {
  const below = pathname.startsWith(root) ? pathname.slice(root.length - 1) : pathname;
  const query = Object.fromEntries(new URLSearchParams(search));
  for (const place of known) {
    const params = match(place.path, below);
    if (params) return { name: place.name, path: below, params, query };
  }
  return { name: "", path: below, params: {}, query };
}

/** @param {string} pattern @param {string} below @returns {Record<string, string> | null} */
function match(pattern, below) {
  const wanted = pattern.split("/");
  const found = below.replace(/(.)\/$/, "$1").split("/");
  if (wanted.length !== found.length) return null;
  /** @type {Record<string, string>} */
  const params = {};
  for (const [index, part] of wanted.entries()) {
    if (part.startsWith(":")) params[part.slice(1)] = decoded(found[index] ?? "");
    else if (part !== found[index]) return null;
  }
  return params;
}

/** @param {string} part */
function decoded(part) {
  try {
    const text = decodeURIComponent(part);
    return STEP.test(text) ? text.replace("~", "") : text;
  } catch {
    return part;
  }
}

/** The route, which a component follows. @returns {Route} */
export function useRoute() {
  const [route, set] = useState(current);
  useEffect(() => subscribe(() => set(current())), []);
  return route;
}

/**
 * One value of the query as state: `const [filter, setFilter] = useQuery("filter")`.
 * @param {string} name @param {string} [fallback] what it is where the query does not say
 * @returns {[string, (value: string | null, how?: { push?: boolean }) => void]}
 */
export function useQuery(name, fallback = "") {
  const value = useRoute().query[name] ?? fallback;
  const set = useCallback(
    (/** @type {string | null} */ next, /** @type {{ push?: boolean }} */ how = {}) =>
      setQuery({ [name]: next === fallback ? null : next }, how),
    [name, fallback],
  );
  return [value, set];
}

/** @param {() => void} listener @returns {() => void} */
export function subscribe(listener) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

function tell() {
  for (const listener of [...listeners]) listener();
}

/** Links within the page are followed without loading it again; all others are left to the browser.
 * @param {MouseEvent} event */
function follow(event) {
  if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const target = event.target instanceof Element ? event.target.closest("a") : null;
  if (!target || target.target || target.hasAttribute("download") || target.origin !== location.origin) return;
  const route = routeOf(target.pathname, target.search, places);
  if (!target.pathname.startsWith(root) || !route.name) return;
  event.preventDefault();
  go(target.pathname + target.search);
  scrollTo(0, 0);
}
