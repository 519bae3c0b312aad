// @ts-check
/** The state of the table: what its address says, and what the server answers to it. */

import { useEffect, useMemo, useRef, useState } from "../../lib/preact.js";
import { ApiError, useData } from "../../lib/api.js";
import { columnsOf, columnsText, defaultColumns, orderOf } from "../../lib/columns.js";
import { toFilter } from "../../lib/filter_words.js";
import { recall, remember, useRemembered } from "../../lib/remembered.js";
import { setQuery } from "../../lib/router.js";
import { flat, grouped, nested, pathsOf } from "../../lib/run_items.js";
import { complain } from "../../ui/toast.js";
import { NAME, STATUS } from "./cell.js";
import { Cells } from "./cells.js";
import { levelsOf, useGroups } from "./groups.js";
import { changes, known as readKnown, search } from "./source.js";

/** @typedef {import("../../lib/columns.js").Column} Column */

const LIVE = 3000; // milliseconds between questions for what changed
const IN_SIGHT = { rows: 48, columns: 16 }; // about what a window shows, read before it is drawn

/** @param {string} experiment @param {Readonly<Record<string, string>>} query */
export function useTable(experiment, query) {
  const filter = toFilter(query.filter ?? "");
  const deleted = query.show === "deleted";
  const order = useMemo(() => orderOf(query.order ?? ""), [query.order]);
  const by = useMemo(() => levelsOf(query.group ?? ""), [query.group]);
  // The best of all runs is at the top of a list that is sorted: children are not left below their parents.
  const nest = !by.length && (query.nest ?? (order ? "0" : "1")) === "1";
  const selection = { experiment, filter, deleted };
  const [tick, setTick] = useState(0);
  const place = JSON.stringify(selection);
  const { cells, drawn } = useCells(experiment);
  const first = useMemo(newFirst, [experiment]);
  // The rows come first where it is known which columns they have: the server would be busy with both.
  const before = query.columns || recall(columnsKey(experiment), null) ? first.token : Promise.resolve();
  const known = useLast(useData(`${place} ${Math.floor(tick / 5)}`, (how) => before.then(() => readKnown(selection, how))));
  const find = async (/** @type {import("../../lib/api.js").How} */ how) => {
    try {
      const seen = cells.wanted.columns.length ? cells.wanted.columns : [NAME, STATUS, ...shown.columns.slice(0, IN_SIGHT.columns)];
      const columns = seen.filter(({ kind }) => kind !== "curve");
      const answer = await search(selection, order, nest, { rows: IN_SIGHT.rows, columns }, how);
      if (answer.window) cells.keep(answer.window);
      first.came(answer.token);
      return answer;
    } finally {
      if (!how.signal?.aborted) first.came("");
    }
  };
  const found = useLast(useData(JSON.stringify([place, query.order, nest, tick]), find));
  const shown = useColumns(experiment, query, known.data);
  const metrics = useMemo(() => shown.columns.filter((each) => each.kind === "metric"), [shown.columns]);
  const reload = (/** @type {Iterable<number>} */ rows = []) => {
    cells.forget(rows);
    setTick((old) => old + 1);
  };
  useChanges(experiment, first.token, reload);
  const closed = useMemo(() => new Set((query.closed ?? "").split(",").map(Number)), [query.closed]);
  const open = useMemo(() => new Set(pathsOf(query.open)), [query.open]);
  const groups = useGroups({ selection, by, metrics, open, order, tick });
  const items = useMemo(() => {
    const rows = found.data?.rows ?? [];
    if (by.length) return grouped(groups.data, rows, open);
    return nest ? nested(rows, found.data?.parents ?? new Map(), closed) : flat(rows);
  }, [found.data, groups.data, by, nest, closed, open]);
  const problem = found.error instanceof ApiError && found.error.status === 400 && filter ? found.error.message : undefined;
  return { filter, deleted, order, by, nest, known: known.data ?? NONE, found, groups, problem, cells, drawn, items, metrics, closed, open, reload, ...shown };
}

/** @type {import("../../lib/columns.js").Known[]} */
const NONE = [];

/** What was shown stays until the next answer, also after one that refused. @template T @param {import("../../lib/api.js").Loaded<T>} loaded */
function useLast(loaded) {
  const last = useRef(loaded.data);
  if (loaded.data !== undefined) last.current = loaded.data;
  return { ...loaded, data: last.current };
}

/** Pixels of columns that a person made wider or narrower. @type {Readonly<Record<string, number>>} */
const NO_WIDTHS = {};

/** Where the columns are remembered. @param {string} experiment */
const columnsKey = (experiment) => `columns.${experiment}`;

/** The token of the first search, from which on changes are asked for; "" where it was refused. */
function newFirst() {
  let came = (/** @type {string} */ _token) => {};
  /** @type {Promise<string>} */
  const token = new Promise((done) => (came = done));
  return { token, came };
}

/** The columns of the address, else those of the last time, else some that say most.
 * @param {string} experiment @param {Readonly<Record<string, string>>} query @param {import("../../lib/columns.js").Known[] | undefined} known */
function useColumns(experiment, query, known) {
  const key = columnsKey(experiment);
  const remembered = /** @type {{ columns: string, pins: number } | null} */ (recall(key, null));
  const text = query.columns ?? remembered?.columns ?? "";
  const pins = Number(query.columns ? (query.pins ?? 0) : (remembered?.pins ?? 0)) || 0;
  // Those that were chosen for a person stay while runs come.
  const automatic = useRef(/** @type {Column[] | null} */ (null));
  if (!automatic.current?.some((each) => each.kind !== "attribute") && known) automatic.current = defaultColumns(known);
  const columns = useMemo(() => {
    const chosen = text ? columnsOf(text) : (automatic.current ?? []);
    if (query.differ !== "1" || !known) return chosen;
    const differing = new Set(known.filter((each) => each.differs).map(({ kind, key: name }) => `${kind} ${name}`));
    return chosen.filter(({ kind, key: name }) => kind === "attribute" || differing.has(`${kind === "curve" ? "metric" : kind} ${name}`));
  }, [text, query.differ, known]);
  const setColumns = (/** @type {readonly Column[]} */ next, /** @type {number} */ pinned) => {
    const chosen = { columns: columnsText(next) || "none", pins: pinned };
    remember(key, chosen);
    setQuery({ columns: chosen.columns, pins: pinned || null });
  };
  const [widths, setWidths] = useRemembered(`widths.${experiment}`, NO_WIDTHS);
  const setWidth = (/** @type {string} */ id, /** @type {number | null} */ width) => {
    const { [id]: _, ...others } = widths;
    setWidths(width === null ? others : { ...others, [id]: width });
  };
  const resetColumns = () => {
    remember(key, null);
    setWidths(NO_WIDTHS);
    automatic.current = known ? defaultColumns(known) : null;
    setQuery({ columns: null, pins: null, differ: null });
  };
  return { columns, pins: Math.max(0, Math.min(Math.trunc(pins), columns.length)), setColumns, resetColumns, widths, setWidth };
}

/** @param {string} experiment */
function useCells(experiment) {
  const [drawn, redraw] = useState(0);
  const cells = useMemo(() => new Cells(experiment, perFrame(() => redraw((old) => old + 1)), complain), [experiment]);
  useEffect(() => () => cells.stop(), [cells]);
  return { cells, drawn };
}

/** Called once in the next frame, however often it was asked for: what scrolled was measured by then, which would lay out all that was drawn before.
 * @param {() => void} call */
function perFrame(call) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      call();
    });
  };
}

/** Asks what changed while the page is seen.
 * @param {string} experiment @param {Promise<string>} start the first token @param {(changed: number[]) => void} call */
function useChanges(experiment, start, call) {
  const latest = useRef(call);
  latest.current = call;
  useEffect(() => {
    /** @type {string | undefined} */
    let token;
    let busy = false;
    let ended = false;
    const ask = async () => {
      if (busy || document.visibilityState !== "visible") return;
      busy = true;
      try {
        token ??= await start;
        const answer = await changes(experiment, token);
        const news = token && (answer.new.length || answer.changed.length);
        ({ token } = answer);
        if (news && !ended) latest.current([...answer.new, ...answer.changed]);
      } catch {
        // The next answer says what was missed.
      }
      busy = false;
    };
    const timer = setInterval(ask, LIVE);
    return () => {
      ended = true;
      clearInterval(timer);
    };
  }, [experiment, start]);
}
