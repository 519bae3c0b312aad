// @ts-check
/** What several charts share: where the cursor is, and which run is in focus. */

/** @typedef {{ x: number | null, run: string, source: unknown }} Shared */
/** @typedef {ReturnType<typeof newHub>} Hub */

export function newHub() {
  /** @type {Shared} */
  let now = { x: null, run: "", source: null };
  /** @type {Set<(shared: Shared) => void>} */
  const listeners = new Set();
  return {
    /** @param {Partial<Shared>} change */
    set(change) {
      const next = { ...now, ...change };
      if (next.x === now.x && next.run === now.run) return;
      now = next;
      for (const listener of [...listeners]) listener(now);
    },
    /** @param {(shared: Shared) => void} listener @returns {() => void} */
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
