// @ts-check
/** Lists that the server answers in pages. */

import { useData } from "./api.js";
import { useState } from "./preact.js";

/** @typedef {import("./api.js").How} How */

/**
 * The pages that were asked for, as one list, read again every 15 s.
 * @template T @template {object} W
 * @param {W} wanted @param {(wanted: W & { token: string }, how: How) => Promise<{ found: T[], token: string }>} search
 */
export function usePages(wanted, search) {
  const key = JSON.stringify(wanted);
  const [pages, setPages] = useState(/** @type {Record<string, number>} */ ({}));
  const count = pages[key] ?? 1;
  const load = async (/** @type {How} */ how) => {
    /** @type {T[]} */
    const all = [];
    let token = "";
    for (let page = 0; page < count && (page === 0 || token); page += 1) {
      const one = await search({ ...wanted, token }, how);
      all.push(...one.found);
      ({ token } = one);
    }
    return { all, token };
  };
  const { data, error, loading, reload } = useData(`${key}${count}`, load, { every: 15_000 });
  const more = data?.token ? () => setPages({ [key]: count + 1 }) : undefined;
  return { found: data?.all, error, loading, reload, more };
}
