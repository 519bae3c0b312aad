// @ts-check
/** Groups of runs, and groups within those that are open: by one column after the other. */

import { useData } from "../../lib/api.js";
import { column, columnOf, columnsText, title } from "../../lib/columns.js";
import { quoted } from "../../lib/filters.js";
import { useMemo, useRef } from "../../lib/preact.js";
import { groupPath, treeOf } from "../../lib/run_items.js";
import { groups as readGroups, names as readNames } from "./source.js";

/** @typedef {import("../../lib/columns.js").Column} Column */
/** @typedef {import("./source.js").Selection} Selection */
/** @typedef {import("./source.js").Group & { path: string, level: number, by: Column, inside: Nested[] | null }} Nested */
/** @typedef {{ selection: Selection, by: readonly Column[], metrics: readonly Column[], open: ReadonlySet<string>, order: { column: Column, descending: boolean } | null, tick: number }} Wanted */

export const PARENT = column("tag", "mlflow.parentRunId");
const CUT = 250; // characters of a cell: a longer value cannot be asked for

/** The columns that an address names. @param {string} text @returns {Column[]} */
export function levelsOf(text) {
  return text.split(",").flatMap((id) => (id === "parent" ? PARENT : (columnOf(id) ?? [])));
}

/** @param {readonly Column[]} levels */
export function levelsText(levels) {
  return levels.map((each) => (each.id === PARENT.id ? "parent" : each.id)).join();
}

/** @param {Column} level */
export function groupTitle(level) {
  return level.id === PARENT.id ? "parent" : title(level);
}

/** All that are shown, in their order. @param {Wanted} wanted */
export function useGroups({ selection, by, metrics, open, order, tick }) {
  const place = JSON.stringify([selection, by.map((each) => each.id), columnsText(metrics), by.length ? tick : 0]);
  // Opening a group asks for what is in that alone.
  const known = useMemo(() => /** @type {Map<string, Promise<import("./source.js").Group[]>>} */ (new Map()), [place]);
  const opened = by.length > 1 ? [...open].sort().join("\n") : "";
  const loaded = useData(JSON.stringify([place, opened]), () => {
    // Never given up half-way: the next question may be for the same.
    const ask = (/** @type {Selection} */ within, /** @type {Column} */ column) => {
      const key = JSON.stringify([within.filter, column.id]);
      const asked = known.get(key) ?? readGroups(within, column, metrics, {});
      known.set(key, asked);
      asked.catch(() => known.delete(key));
      return asked;
    };
    return by.length ? nested(ask, selection, by, open) : Promise.resolve([]);
  });
  const last = useRef(/** @type {Nested[]} */ ([]));
  if (loaded.data) last.current = loaded.data;
  const metric = metrics.findIndex((each) => each.id === order?.column.id);
  const data = useMemo(() => treeOf(last.current, metric, Boolean(order?.descending)), [last.current, metric, order]);
  return { ...loaded, data, names: useParents(selection.experiment, data) };
}

/**
 * @param {(within: Selection, column: Column) => Promise<import("./source.js").Group[]>} ask @param {Selection} selection
 * @param {readonly Column[]} by @param {ReadonlySet<string>} open @param {string} [above] the path of the group that these are in
 * @returns {Promise<Nested[]>}
 */
async function nested(ask, selection, by, open, above) {
  const [column, ...rest] = by;
  const level = above === undefined ? 0 : above.split("\t").length;
  const found = await ask(selection, column);
  return Promise.all(
    found.map(async (group) => {
      const path = groupPath(above, group.value);
      const within = rest.length && open.has(path) ? part(selection, column, group.value) : null;
      return { ...group, path, level, by: column, inside: within && (await nested(ask, within, rest, open, path)) };
    }),
  );
}

/** The runs of a group; null where no filter finds them. @param {Selection} selection @param {Column} column @param {unknown} value */
function part(selection, { kind, key }, value) {
  if (value === null || value === undefined || String(value).length >= CUT) return null;
  const name = kind === "attribute" ? key : `${kind}s.\`${key}\``;
  const condition = `${name} = ${quoted(String(value))}`;
  return { ...selection, filter: selection.filter ? `${selection.filter} AND ${condition}` : condition };
}

/** Parents are known by their ids, and shown by their names. @param {string} experiment @param {readonly Nested[]} groups */
function useParents(experiment, groups) {
  const parents = groups.flatMap(({ by, value }) => (by.id === PARENT.id && value ? [String(value)] : []));
  const { data } = useData(JSON.stringify(parents), (how) => (parents.length ? readNames(experiment, parents, how) : Promise.resolve(new Map())));
  const last = useRef(data);
  if (data) last.current = data;
  return last.current;
}
