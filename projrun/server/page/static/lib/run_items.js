// @ts-check
/** The lines of a table of runs: runs as they were found, children under their parents, or groups with their runs. */

import { byName } from "./format.js";

/** @typedef {{ kind: "run", row: number, depth: number, children: number, open: boolean }} RunItem */
/** @typedef {{ kind: "group", at: number, open: boolean }} GroupItem `at` is its place among the groups. */
/** @typedef {RunItem | GroupItem} Item */

/** @param {readonly number[]} rows @returns {Item[]} */
export function flat(rows) {
  return rows.map((row) => ({ kind: "run", row, depth: 0, children: 0, open: false }));
}

/**
 * Each child after its parent, where that was found too; what a closed parent has is left out.
 * @param {readonly number[]} rows @param {ReadonlyMap<number, number>} parents of rows @param {ReadonlySet<number>} closed
 * @returns {Item[]}
 */
export function nested(rows, parents, closed) {
  if (!parents.size) return flat(rows);
  const found = new Set(rows);
  /** @type {Map<number, number[]>} */
  const children = new Map();
  const tops = [];
  for (const row of rows) {
    const parent = parents.get(row);
    // A circle of parents, which only a client's mistake makes, has no top: its runs are not hidden.
    if (parent === undefined || !found.has(parent) || inCircle(row, parents)) tops.push(row);
    else if (!children.get(parent)?.push(row)) children.set(parent, [row]);
  }
  /** @type {Item[]} */
  const items = [];
  const waiting = tops.reverse().map((row) => ({ row, depth: 0 }));
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { row, depth } = next;
    const own = children.get(row) ?? [];
    const open = own.length > 0 && !closed.has(row);
    items.push({ kind: "run", row, depth, children: own.length, open });
    if (open) for (const child of [...own].reverse()) waiting.push({ row: child, depth: depth + 1 });
  }
  return items;
}

/** @param {number} row @param {ReadonlyMap<number, number>} parents */
function inCircle(row, parents) {
  const seen = new Set([row]);
  for (let at = parents.get(row); at !== undefined; at = parents.get(at)) {
    if (at === row) return true;
    if (seen.has(at)) return false;
    seen.add(at);
  }
  return false;
}

/**
 * Groups, the open ones with their groups or with their runs in the order of the search.
 * @param {readonly { path: string, level: number, rows: readonly number[], inside: unknown }[]} groups as `treeOf` gives them
 * @param {readonly number[]} rows @param {ReadonlySet<string>} open by path
 * @returns {Item[]}
 */
export function grouped(groups, rows, open) {
  const places = new Map(rows.map((row, place) => [row, place]));
  return groups.flatMap((group, at) => {
    const isOpen = open.has(group.path);
    /** @type {Item[]} */
    const items = [{ kind: "group", at, open: isOpen }];
    if (!isOpen || group.inside) return items;
    const inside = group.rows.filter((row) => places.has(row)).sort((one, other) => Number(places.get(one)) - Number(places.get(other)));
    return [...items, ...inside.map((row) => /** @type {Item} */ ({ kind: "run", row, depth: group.level + 1, children: 0, open: false }))];
  });
}

/**
 * Each group, sorted among its like, with the groups in it after it.
 * @template {{ value: unknown, metrics: readonly ({ mean: unknown } | null)[], inside: Group[] | null }} Group
 * @param {readonly Group[]} groups @param {number} metric @param {boolean} descending as for `sortedGroups` @returns {Group[]}
 */
export function treeOf(groups, metric, descending) {
  return sortedGroups(groups, metric, descending).flatMap((group) => [group, ...(group.inside ? treeOf(group.inside, metric, descending) : [])]);
}

/**
 * Groups in order: by the mean of a metric, else by their value; those without one last.
 * @template {{ value: unknown, metrics: readonly ({ mean: unknown } | null)[] }} Group
 * @param {readonly Group[]} groups @param {number} metric its place, -1 for the value @param {boolean} descending @returns {Group[]}
 */
export function sortedGroups(groups, metric, descending) {
  const by = (/** @type {Group} */ { value, metrics }) => (metric < 0 ? value : metrics[metric]?.mean) ?? null;
  return [...groups].sort((one, other) => {
    const [first, second] = [by(one), by(other)];
    if (first === null || second === null) return Number(first === null) - Number(second === null);
    const difference = Number(first) - Number(second);
    return (Number.isNaN(difference) ? byName(String(first), String(second)) : difference) * (descending ? -1 : 1);
  });
}

/** A group in addresses: its value, after those of the groups that it is in. @param {string | undefined} above their path @param {unknown} value */
export function groupPath(above, value) {
  const text = value === null || value === undefined ? "" : String(value).replace(/[\t\n]/g, " ");
  return above === undefined ? text : `${above}\t${text}`;
}

/** Paths of open groups in an address. Each has an end, since that of the runs without a value is empty. @param {Iterable<string>} paths */
export function pathsText(paths) {
  return [...paths].map((path) => `${path}\n`).join("");
}

/** @param {string | undefined} text @returns {string[]} */
export function pathsOf(text) {
  return text ? text.replace(/\n$/, "").split("\n") : [];
}

/** The rows from one to another, as Shift selects them. @param {readonly Item[]} items @param {number} from @param {number} to */
export function between(items, from, to) {
  const [first, last] = from < to ? [from, to] : [to, from];
  return items.slice(first, last + 1).flatMap((item) => (item.kind === "run" ? [item.row] : []));
}
