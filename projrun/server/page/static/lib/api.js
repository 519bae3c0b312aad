// @ts-check
/** Calls of the server: MLflow's REST API, and what projrun adds to it. */

import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "./preact.js";
import { root } from "./router.js";

/** An answer that is no success. */
export class ApiError extends Error {
  /** @param {number} status 0 where the server was not reached @param {string} code @param {string} message */
  constructor(status, code, message) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
  }
}

/** @typedef {Record<string, unknown>} Message */
/** @typedef {{ signal?: AbortSignal }} How */

/** What is told of every answer 401; the view that signs in sets it. */
export const signingIn = { needed: () => {} };

/** Read: `get("runs/get", { run_id })`. Lists become repeated values.
 * @param {string} route below MLflow's API @param {Message} [query] @param {How} [how] @returns {Promise<any>} */
export function get(route, query = {}, how = {}) {
  return send("GET", place(route) + queryText(query), undefined, how);
}

/** @param {string} route @param {Message} [message] @param {How} [how] @returns {Promise<any>} */
export function post(route, message = {}, how = {}) {
  return send("POST", place(route), message, how);
}

/** @param {string} route @param {Message} [message] @param {How} [how] @returns {Promise<any>} */
export function patch(route, message = {}, how = {}) {
  return send("PATCH", place(route), message, how);
}

/** @param {string} route @param {Message} [message] @param {How} [how] @returns {Promise<any>} */
export function remove(route, message = {}, how = {}) {
  return send("DELETE", place(route), message, how);
}

/** A call of projrun's own API: `own("POST", "runs/order", { experiment_ids })`.
 * @param {"GET" | "POST" | "DELETE"} method @param {string} route below `/api/projrun/1/` @param {Message} [message] @param {How} [how]
 * @returns {Promise<any>} */
export function own(method, route, message = {}, how = {}) {
  const address = `api/projrun/1/${route}`;
  return method === "GET" ? send("GET", address + queryText(message), undefined, how) : send(method, address, message, how);
}

/** The address of a file of a run, for links and images.
 * @param {string} runId @param {string} file its path among the run's artifacts */
export function artifactAddress(runId, file) {
  return `${root}get-artifact${queryText({ run_id: runId, path: file })}`;
}

/** Routes of MLflow 3's parts of the API have another version before them: `3.0/logged-models/…`.
 * @param {string} route */
function place(route) {
  const [, version, rest] = /^(\d\.\d)\/(.*)$/.exec(route) ?? [null, "2.0", route];
  return `ajax-api/${version}/mlflow/${rest}`;
}

/** @param {Message} query */
function queryText(query) {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null) continue;
    for (const each of Array.isArray(value) ? value : [value]) text.append(name, String(each));
  }
  return text.size ? `?${text}` : "";
}

/** @param {string} method @param {string} address below the root @param {Message | undefined} message @param {How} how */
async function send(method, address, message, how) {
  /** @type {Response} */
  let answer;
  try {
    answer = await fetch(root + address, {
      method,
      signal: how.signal,
      headers: { accept: "application/json", "x-projrun": "1", ...(message && { "content-type": "application/json" }) },
      body: message && JSON.stringify(message),
    });
  } catch (error) {
    if (how.signal?.aborted) throw error;
    throw new ApiError(0, "UNREACHABLE", "The server does not answer.");
  }
  if (answer.status === 401) signingIn.needed();
  if (!answer.ok) throw await failure(answer);
  try {
    return await answer.json();
  } catch (error) {
    if (how.signal?.aborted) throw error;
    throw new ApiError(0, "UNREADABLE", "Something else answered in the server's place, such as the sign-in page of a proxy. Load the page again.");
  }
}

/** What people can do about answers of proxies, which come as pages of their own. @type {Map<number, string>} */
const MEANINGS = new Map([
  [401, "Your sign-in has ended. Sign in again in another tab, then repeat this here."],
  [403, "You may not do this. Ask an administrator of the server."],
  [413, "This is larger than a proxy before the server lets through."],
  [429, "Too many requests. Wait a minute, then try again."],
  [502, "The server does not answer the proxy before it. It may be starting: try again in a moment."],
  [503, "The server is busy or starting. Try again in a moment."],
  [504, "The server took too long to answer. Try again in a moment."],
]);

/** @param {Response} answer */
async function failure(answer) {
  const text = await answer.text();
  const meaning = MEANINGS.get(answer.status) ?? `The server answered ${answer.status}.${answer.status >= 500 ? " Its log says why." : ""}`;
  try {
    const { error_code: code, message } = JSON.parse(text);
    if (message || code) return new ApiError(answer.status, code ?? "", answer.status === 401 ? meaning : message || code);
  } catch {
    // A page of a proxy, or a line of text.
  }
  return new ApiError(answer.status, "", MEANINGS.has(answer.status) || /^\s*<|^\s*$/.test(text) ? meaning : text.slice(0, 500));
}

/**
 * @template T
 * @typedef {object} Loaded
 * @property {T | undefined} data of the last success: what was shown stays while more is loaded
 * @property {Error | undefined} error
 * @property {boolean} loading
 * @property {() => void} reload
 */

/**
 * What `load` answers, again whenever `key` changes: `useData(runId, (how) => get("runs/get", { run_id: runId }, how))`.
 * @template T
 * @param {string} key @param {(how: How) => Promise<T>} load
 * @param {{ every?: number }} [often] milliseconds after which it is loaded again while the page is seen
 * @returns {Loaded<T>}
 */
export function useData(key, load, { every = 0 } = {}) {
  const [state, set] = useState(/** @type {{ key: string, data?: T, error?: Error, loading: boolean }} */ ({ key, loading: true }));
  const [count, setCount] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  // Asked before the frame is drawn, not after it.
  useLayoutEffect(() => {
    const ending = new AbortController();
    set((old) => (old.loading ? old : { ...old, loading: true }));
    latest.current({ signal: ending.signal }).then(
      (data) => ending.signal.aborted || set({ key, data, loading: false }),
      (error) =>
        ending.signal.aborted || set((old) => ({ key, data: old.key === key ? old.data : undefined, error, loading: false })),
    );
    return () => ending.abort();
  }, [key, count]);
  const reload = useCallback(() => setCount((old) => old + 1), []);
  useRepeated(reload, every && !state.loading ? every : 0);
  return { data: state.data, error: state.error, loading: state.loading, reload };
}

/** Call something again and again while the page is seen.
 * @param {() => void} call @param {number} every milliseconds; 0 is never */
export function useRepeated(call, every) {
  useEffect(() => {
    if (!every) return undefined;
    const timer = setInterval(() => document.visibilityState === "visible" && call(), every);
    return () => clearInterval(timer);
  }, [call, every]);
}
