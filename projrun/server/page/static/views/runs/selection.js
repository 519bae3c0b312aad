// @ts-check
/** The selected runs: in the address as far as they fit, else in this tab alone. */

import { useMemo } from "../../lib/preact.js";
import { recall, remember, TAB } from "../../lib/remembered.js";
import { setQuery } from "../../lib/router.js";

const IN_ADDRESS = 200;
/** What an address says of more. */
const MANY = "many";
/** The last long selection, also where the browser keeps nothing. @type {{ key: string, rows: number[] } | null} */
let last = null;

/** @param {string} experiment @param {string} text of the address
 * @returns {{ selected: ReadonlySet<number>, select: (rows: Iterable<number>) => void, here: boolean }} `here`: another tab does not know them */
export function useSelected(experiment, text) {
  const key = `selected.${experiment}`;
  const here = text.startsWith(MANY);
  const selected = useMemo(() => new Set(here ? (last?.key === key ? last.rows : recall(key, [], TAB)) : numbers(text)), [key, text]);
  const select = (/** @type {Iterable<number>} */ rows) => {
    const next = [...new Set(rows)];
    const few = next.length <= IN_ADDRESS;
    last = few ? null : { key, rows: next };
    remember(key, few ? null : next, TAB);
    // Another text each time, so that an address of before means another selection.
    setQuery({ select: few ? next.join() : `${MANY}-${next.length}` });
  };
  return { selected, select, here };
}

/** @param {string} text */
function numbers(text) {
  return text ? text.split(",").map(Number).filter(Number.isInteger) : [];
}
