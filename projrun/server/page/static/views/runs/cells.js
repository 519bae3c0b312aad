// @ts-check
/** Cells that were read: kept until their run changes, asked for in windows of what is in sight. */

import { curves, read } from "./source.js";

/** @typedef {import("../../lib/columns.js").Column} Column */
/** @typedef {import("../../lib/columns.js").Cell} Cell */

const MOST = 3_000_000; // cells that are kept
const AGAIN = 3000; // milliseconds after which what could not be read is asked for again

/** In the place of a cell that is being read. An answer counts only where it is still its own: a run may have changed since. */
class Pending {}

export class Cells {
  /** @param {string} experiment @param {() => void} changed is told when cells came @param {(error: unknown) => void} failed */
  constructor(experiment, changed, failed) {
    this.experiment = experiment;
    this.changed = changed;
    this.failed = failed;
    /** @type {Map<number, string>} */
    this.ids = new Map();
    /** @type {Map<string, Map<number, any>>} */
    this.columns = new Map();
    /** What was there before a run changed, shown until it is read again. @type {Map<string, Map<number, any>>} */
    this.old = new Map();
    /** How often something of a row came: other rows need not be drawn again. @type {Map<number, number>} */
    this.stamps = new Map();
    this.size = 0;
    this.timer = 0;
    /** @type {{ rows: number[], near: number[], columns: readonly Column[] }} */
    this.wanted = { rows: [], near: [], columns: [] };
  }

  /** @param {number} row @param {Column} column @returns {Cell} undefined while it is not there */
  get(row, column) {
    const value = this.columns.get(column.id)?.get(row);
    return value instanceof Pending || value === undefined ? this.old.get(column.id)?.get(row) : value;
  }

  /** The points of a curve. @param {number} row @param {Column} column @returns {number[] | undefined} */
  curve(row, column) {
    return /** @type {any} */ (this.get(row, column));
  }

  /** Read what is missing, in a moment: of the rows in sight, and of those near them, which are there then when they are scrolled to.
   * @param {number[]} rows @param {number[]} near @param {readonly Column[]} columns */
  want(rows, near, columns) {
    this.wanted = { rows, near, columns };
    if (!this.timer) this.timer = window.setTimeout(() => this.load(), 30);
  }

  /** Read cells of runs again. @param {Iterable<number>} rows */
  forget(rows) {
    for (const row of rows) {
      for (const [id, cells] of this.columns) {
        const value = cells.get(row);
        if (!cells.delete(row) || value instanceof Pending) continue;
        this.old.set(id, (this.old.get(id) ?? new Map()).set(row, value));
      }
    }
    this.want(this.wanted.rows, this.wanted.near, this.wanted.columns);
  }

  stop() {
    clearTimeout(this.timer);
    this.changed = () => {};
    this.failed = () => {};
  }

  /** Cells that came with the rows, so that these are drawn once. @param {import("./source.js").Window} window */
  keep({ ids, cells }) {
    for (const [row, id] of ids) this.ids.set(row, id);
    for (const [id, values] of cells) for (const [row, value] of values) this.set(id, row, value);
  }

  load() {
    this.timer = 0;
    const { rows, near, columns } = this.wanted;
    if (this.size > MOST) {
      this.columns.clear();
      this.old.clear();
      this.size = 0;
    }
    const plain = columns.filter((column) => column.kind !== "curve");
    const isNew = this.readMissing(rows, plain) === rows.length;
    // Not while all in sight is new, as where a scroll bar is dragged.
    if (!isNew) this.readMissing(near, plain);
    for (const column of columns) if (column.kind === "curve") void this.readCurves(rows, column);
  }

  /** @param {number[]} rows @param {Column[]} columns @returns {number} of how many rows something is missing */
  readMissing(rows, columns) {
    const lacks = (/** @type {number} */ row, /** @type {Column} */ { id }) => !this.columns.get(id)?.has(row);
    const missing = rows.filter((row) => columns.some((column) => lacks(row, column)));
    const asked = columns.filter((column) => missing.some((row) => lacks(row, column)));
    if (missing.length) void this.readCells(missing, asked);
    return missing.length;
  }

  /** @param {number[]} rows @param {Column[]} columns */
  async readCells(rows, columns) {
    const mine = new Pending();
    for (const { id } of columns) for (const row of rows) if (!this.columns.get(id)?.has(row)) this.set(id, row, mine);
    try {
      const { ids, cells } = await read(this.experiment, rows, columns);
      for (const [row, id] of ids) this.ids.set(row, id);
      for (const { id } of columns) for (const row of rows) if (this.columns.get(id)?.get(row) === mine) this.set(id, row, cells.get(id)?.get(row) ?? null);
    } catch (error) {
      this.failed(error);
      this.later(mine);
    }
    this.changed();
  }

  /** @param {number[]} rows @param {Column} column */
  async readCurves(rows, { id, key }) {
    const missing = rows.filter((row) => this.ids.has(row) && !this.columns.get(id)?.has(row)).slice(0, 100);
    if (!missing.length) return;
    const mine = new Pending();
    for (const row of missing) this.set(id, row, mine);
    try {
      const runs = missing.map((row) => /** @type {string} */ (this.ids.get(row)));
      const found = await curves(runs, key);
      for (const row of missing) if (this.columns.get(id)?.get(row) === mine) this.set(id, row, found.get(/** @type {string} */ (this.ids.get(row))) ?? []);
    } catch (error) {
      this.failed(error);
      this.later(mine);
    }
    this.changed();
  }

  /** Ask again, in a while, for what could not be read. @param {Pending} mine */
  later(mine) {
    setTimeout(() => {
      for (const cells of this.columns.values()) for (const [row, value] of cells) if (value === mine) cells.delete(row);
      this.changed();
    }, AGAIN);
  }

  /** @param {string} id @param {number} row @param {any} value */
  set(id, row, value) {
    let cells = this.columns.get(id);
    if (!cells) this.columns.set(id, (cells = new Map()));
    if (!cells.has(row)) this.size += 1;
    cells.set(row, value);
    if (value instanceof Pending) return;
    this.old.get(id)?.delete(row);
    this.stamps.set(row, (this.stamps.get(row) ?? 0) + 1);
  }

  /** The ids of runs, which are asked for where they were not in sight yet. @param {readonly number[]} rows @returns {Promise<string[]>} */
  async runIds(rows) {
    const missing = rows.filter((row) => !this.ids.has(row));
    for (let at = 0; at < missing.length; at += 10_000) {
      const { ids } = await read(this.experiment, missing.slice(at, at + 10_000), []);
      for (const [row, id] of ids) this.ids.set(row, id);
    }
    return rows.flatMap((row) => this.ids.get(row) ?? []);
  }
}
