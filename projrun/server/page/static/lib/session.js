// @ts-check
/** Who is signed in, and what that person may do. What one may not do is not offered. */

import { own } from "./api.js";
import { useEffect, useState } from "./preact.js";

/**
 * @typedef {object} Session
 * @property {boolean} users whether the server has users
 * @property {boolean} read_only
 * @property {string} version of the server; "" where it is not known
 * @property {{ name: string, is_admin: boolean } | null} user
 * @property {string} signed_in_by
 * @property {string} default_permission
 */
/** @typedef {"READ" | "EDIT" | "MANAGE"} Level */

const LEVELS = ["NO_PERMISSIONS", "READ", "USE", "EDIT", "MANAGE"];
/** Names in one question: an address has its limits. */
const AT_ONCE = 200;
/** @type {Session} */
const OPEN = { users: false, read_only: false, version: "", user: null, signed_in_by: "", default_permission: "MANAGE" };

/** @type {Session | null} */
let known = null;
/** @type {Promise<Session> | null} */
let asking = null;
/** @type {Set<() => void>} */
const listeners = new Set();

/** Ask the server, once. A server that does not know the call has no users; one that fails is asked again by the next view.
 * @returns {Promise<Session>} */
function readSession() {
  asking ??= own("GET", "session").then(
    (found) => keep(found),
    (error) => {
      const open = keep(OPEN);
      if (![404, 405, 501].includes(error.status)) asking = null;
      return open;
    },
  );
  return asking;
}

/** @param {Session} session @returns {Session} */
export function keep(session) {
  known = session;
  asking = Promise.resolve(session);
  for (const listener of [...listeners]) listener();
  return session;
}

/** Forget who is signed in, and ask again. */
export function forget() {
  asking = null;
  return readSession();
}

/** The session, which a component follows; null until it is known. @returns {Session | null} */
export function useSession() {
  const [session, set] = useState(known);
  useEffect(() => {
    const changed = () => set(known);
    listeners.add(changed);
    void readSession();
    changed();
    return () => void listeners.delete(changed);
  }, []);
  return session;
}

/**
 * What may be done with an experiment or a registered model: `const may = useMay("models", name); may("EDIT")`.
 * @param {"experiments" | "models"} kind @param {string} name
 * @returns {(level: Level) => boolean} false until it is known
 */
export function useMay(kind, name) {
  const may = useMayEach(kind, [name]);
  return (level) => may(name, level);
}

/**
 * As `useMay`, for the rows of a list: `may(id, "EDIT")`.
 * @param {"experiments" | "models"} kind @param {readonly string[]} names
 * @returns {(name: string, level: Level) => boolean}
 */
export function useMayEach(kind, names) {
  const session = useSession();
  const [levels, setLevels] = useState(/** @type {ReadonlyMap<string, string>} */ (new Map()));
  const asks = Boolean(session?.user && !session.user.is_admin);
  const key = JSON.stringify(names);
  useEffect(() => {
    const unknown = names.filter((name) => !levels.has(name)).slice(0, AT_ONCE);
    if (!asks || !unknown.length) return undefined;
    let left = false;
    const keepLevels = (/** @type {Record<string, string>} */ found) =>
      left || setLevels((old) => new Map([...old, ...unknown.map((name) => /** @type {[string, string]} */ ([name, Object.hasOwn(found, name) ? found[name] : "READ"]))]));
    own("GET", "session", kind === "models" ? { models: unknown } : { experiment_ids: unknown }).then(
      (found) => keepLevels(found[kind] ?? {}),
      () => keepLevels({}),
    );
    return () => {
      left = true;
    };
  }, [asks, kind, key, levels]);
  return (name, wanted) => {
    if (!session || (session.read_only && wanted !== "READ")) return false;
    if (!session.users || session.user?.is_admin) return true;
    return LEVELS.indexOf(levels.get(name) ?? "") >= LEVELS.indexOf(wanted);
  };
}

/** Whether experiments and models may be created: every user may, where the server may be written. */
export function useMayCreate() {
  const session = useSession();
  return Boolean(session && !session.read_only && (!session.users || session.user));
}
