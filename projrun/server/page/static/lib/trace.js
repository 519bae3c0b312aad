// @ts-check
/** The path of a curve: at most four points for each column of pixels, however many there are. */

/** @typedef {{ begin: () => void, move: (x: number, y: number) => void, to: (x: number, y: number) => void }} Pen */
/** @typedef {{ x: (value: number) => number, y: (value: number) => number, range: [number, number] }} Plane */

/** Below this many points in view each is also a dot. */
const DOTS = 40;

/**
 * Draw the part of a curve that is in view. NaN is a gap.
 * @param {number[]} xs sorted @param {number[]} ys @param {Plane} plane @param {Pen} pen
 * @returns {[number, number][]} where dots belong: at points that have no neighbour, and at all where they are few
 */
export function trace(xs, ys, plane, pen) {
  const [from, to] = inView(xs, plane.range);
  const few = to - from < DOTS;
  /** @type {[number, number][]} */
  const dots = [];
  pen.begin();
  let column = NaN; // the column of pixels that is open; NaN after a gap
  let low = 0;
  let high = 0;
  let last = 0;
  let points = 0; // since the last gap
  const endColumn = () => {
    if (low === last && high === last) return;
    pen.to(column, low);
    pen.to(column, high);
    pen.to(column, last);
  };
  const endLine = () => {
    if (points) endColumn();
    if (points === 1 && !few) dots.push([column, last]);
    column = NaN;
    points = 0;
  };
  for (let index = from; index < to; index += 1) {
    const value = ys[index];
    if (Number.isNaN(value)) {
      endLine();
      continue;
    }
    const x = few ? plane.x(xs[index]) : Math.round(plane.x(xs[index]));
    const y = plane.y(value);
    if (few) dots.push([x, y]);
    if (x === column) {
      low = Math.min(low, y);
      high = Math.max(high, y);
    } else {
      if (points) {
        endColumn();
        pen.to(x, y);
      } else pen.move(x, y);
      column = x;
      low = high = y;
    }
    last = y;
    points += 1;
  }
  endLine();
  return dots;
}

/**
 * The indexes of what is in view, with one neighbour on either side, to which a line leads.
 * @param {number[]} xs @param {[number, number]} range @returns {[number, number]}
 */
export function inView(xs, [least, greatest]) {
  const from = Math.max(0, firstAtLeast(xs, least) - 1);
  let to = firstAtLeast(xs, greatest);
  while (to < xs.length && xs[to] === greatest) to += 1;
  return [from, Math.min(xs.length, to + 1)];
}

/** @param {number[]} xs @param {number} value */
function firstAtLeast(xs, value) {
  let low = 0;
  let high = xs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xs[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
