// @ts-check
/** Which colour a run has: always the same, and another than its neighbours' wherever that is possible. */

/** How many colours the style sheet has (`--series-1` and on); a test holds that they can be told apart. */
export const COLOURS = 10;
/** Grey (the eighth) looks like something left out: it is taken last, and by no run of its own. */
const ORDER = [0, 1, 2, 3, 4, 5, 6, 8, 9, 7];
/** Lines beyond the colours are dashed: [drawn, left out] in pixels. */
const DASHES = [[], [6, 3], [2, 2], [9, 3, 2, 3]];

/** @typedef {{index: number, dash: number[]}} Look */

/**
 * FNV-1a, so that a run has its colour in every view and after every reload.
 * @param {string} text
 * @returns {number}
 */
export function hash(text) {
  let answer = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    answer = Math.imul(answer ^ text.charCodeAt(index), 0x01000193);
  }
  return answer >>> 0;
}

/**
 * The looks of several runs: each its own colour if that is free, else the next free one; dashes when all are taken.
 * @param {string[]} runs
 * @returns {Map<string, Look>}
 */
export function looks(runs) {
  /** @type {Map<string, Look>} */
  const answer = new Map();
  const taken = new Set();
  const places = COLOURS * DASHES.length;
  for (const run of runs) {
    if (answer.has(run)) continue;
    const place = free(hash(run) % (COLOURS - 1), taken, places);
    taken.add(place);
    if (taken.size === places) taken.clear();
    answer.set(run, { index: ORDER[place % COLOURS], dash: DASHES[Math.floor(place / COLOURS)] });
  }
  return answer;
}

/**
 * @param {number} wanted
 * @param {Set<number>} taken
 * @param {number} places
 * @returns {number}
 */
function free(wanted, taken, places) {
  for (let row = 0; row < places; row += COLOURS) {
    for (let offset = 0; offset < COLOURS; offset += 1) {
      const place = row + ((wanted + offset) % COLOURS);
      if (!taken.has(place)) return place;
    }
  }
  return wanted;
}

/**
 * @param {Look | undefined} look
 * @returns {string} a CSS colour
 */
export function cssColour(look) {
  return `var(${colourName(look)})`;
}

/**
 * @param {Look | undefined} look
 * @returns {string} the variable of the style sheet
 */
export function colourName(look) {
  return `--series-${(look?.index ?? 0) + 1}`;
}
