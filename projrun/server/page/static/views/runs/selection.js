// @ts-check
/** The selected runs: in the address as far as they fit, else in this tab alone. */

import { isLong, listOf, listText } from "../../lib/long_lists.js";
import { useMemo } from "../../lib/preact.js";
import { setQuery } from "../../lib/router.js";

/** @param {string} experiment @param {string} text of the address
 * @returns {{ selected: ReadonlySet<number>, select: (rows: Iterable<number>) => void, here: boolean }} `here`: another tab does not know them */
export function useSelected(experiment, text) {
  const kind = `selected.${experiment}`;
  const selected = useMemo(() => new Set((listOf(kind, text) ?? []).map(Number).filter(Number.isInteger)), [kind, text]);
  const select = (/** @type {Iterable<number>} */ rows) => setQuery({ select: listText(kind, [...new Set(rows)]) });
  return { selected, select, here: isLong(text) };
}
