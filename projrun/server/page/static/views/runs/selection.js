// @ts-check
/** The selected runs: in the address as far as they fit, else in this tab alone. */

import { isLong, listOf, listText } from "../../lib/long_lists.js";
import { useCallback, useMemo, useRef } from "../../lib/preact.js";
import { setQuery } from "../../lib/router.js";
import { between } from "../../lib/run_items.js";

/**
 * @param {string} experiment @param {string} text of the address
 * @param {{ items: readonly import("../../lib/run_items.js").Item[], groups: { data: readonly { rows: readonly number[] }[] } }} table whose lines are selected
 */
export function useSelected(experiment, text, { items, groups }) {
  const kind = `selected.${experiment}`;
  const selected = useMemo(() => new Set((listOf(kind, text) ?? []).map(Number).filter(Number.isInteger)), [kind, text]);
  const select = (/** @type {Iterable<number>} */ rows) => setQuery({ select: listText(kind, [...new Set(rows)]) });
  const last = useRef(-1);
  /** Select the runs of a line, or no more where all are selected; with `range`, all from the line before. */
  const toggle = useCallback(
    (/** @type {number} */ index, /** @type {boolean} */ range = false) => {
      const item = items[index];
      const rows = item?.kind === "group" ? (groups.data[item.at]?.rows ?? []) : item ? [item.row] : [];
      const next = new Set(selected);
      if (range && last.current >= 0) for (const row of between(items, last.current, index)) next.add(row);
      else if (rows.every((row) => next.has(row))) for (const row of rows) next.delete(row);
      else for (const row of rows) next.add(row);
      last.current = index;
      select(next);
    },
    [items, selected, groups.data],
  );
  /** `here`: another tab does not know them. */
  return { selected, select, toggle, here: isLong(text) };
}
