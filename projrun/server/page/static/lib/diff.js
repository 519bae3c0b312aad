// @ts-check
/** Differences between two texts, line by line (Myers, "An O(ND) Difference Algorithm", 1986), and reading of patches. */

/** @typedef {{kind: "same" | "added" | "removed", text: string, before: number | null, after: number | null}} Line */
/** @typedef {{lines: Line[], skipped: number}} Hunk `skipped`: equal lines left out before it */

/** Texts that differ in more lines than this are shown as removed and added as a whole. */
const MOST_CHANGES = 1500;

/**
 * @param {string} before
 * @param {string} after
 * @returns {Line[]}
 */
export function difference(before, after) {
  const one = lines(before);
  const other = lines(after);
  let start = 0;
  while (start < one.length && start < other.length && one[start] === other[start]) start += 1;
  let end = 0;
  const room = Math.min(one.length, other.length) - start;
  while (end < room && one[one.length - 1 - end] === other[other.length - 1 - end]) end += 1;
  const middle = script(one.slice(start, one.length - end), other.slice(start, other.length - end));
  const same = (/** @type {string} */ text) => /** @type {const} */ ({ kind: "same", text });
  return numbered([...one.slice(0, start).map(same), ...middle, ...one.slice(one.length - end).map(same)]);
}

/**
 * @param {string} text
 * @returns {string[]}
 */
function lines(text) {
  const answer = text.replace(/\r\n/g, "\n").split("\n");
  if (answer[answer.length - 1] === "") answer.pop();
  return answer;
}

/** @typedef {{kind: Line["kind"], text: string}} Edit */

/**
 * @param {string[]} one
 * @param {string[]} other
 * @returns {Edit[]}
 */
function script(one, other) {
  const trace = furthest(one, other);
  if (!trace) return [...one.map((text) => edit("removed", text)), ...other.map((text) => edit("added", text))];
  /** @type {Edit[]} */
  const answer = [];
  let x = one.length;
  let y = other.length;
  for (let d = trace.length - 1; d >= 0; d -= 1) {
    const k = x - y;
    const reached = trace[d];
    const down = k === -d || (k !== d && at(reached, k - 1) < at(reached, k + 1));
    const previous = down ? k + 1 : k - 1;
    const fromX = d === 0 ? 0 : at(reached, previous);
    const fromY = fromX - previous;
    while (x > Math.max(0, fromX) && y > Math.max(0, fromY)) {
      answer.push(edit("same", one[x - 1]));
      x -= 1;
      y -= 1;
    }
    if (d === 0) break;
    answer.push(down ? edit("added", other[y - 1]) : edit("removed", one[x - 1]));
    x = fromX;
    y = fromY;
  }
  return answer.reverse();
}

/**
 * @param {Line["kind"]} kind
 * @param {string} text
 * @returns {Edit}
 */
function edit(kind, text) {
  return { kind, text };
}

/**
 * For each number of changes, how far each diagonal got with one change less: `[lowest diagonal, ...x]`.
 * @param {string[]} one
 * @param {string[]} other
 * @returns {Int32Array[] | null} null: too many changes
 */
function furthest(one, other) {
  const most = Math.min(one.length + other.length, MOST_CHANGES);
  const reached = new Int32Array(2 * most + 3);
  const middle = most + 1;
  const trace = [];
  for (let d = 0; d <= most; d += 1) {
    const row = new Int32Array(2 * d + 4);
    row[0] = -d - 1;
    row.set(reached.subarray(middle - d - 1, middle + d + 2), 1);
    trace.push(row);
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && reached[middle + k - 1] < reached[middle + k + 1]);
      let x = down ? reached[middle + k + 1] : reached[middle + k - 1] + 1;
      while (x < one.length && x - k < other.length && one[x] === other[x - k]) x += 1;
      reached[middle + k] = x;
      if (x >= one.length && x - k >= other.length) return trace;
    }
  }
  return null;
}

/**
 * @param {Int32Array} row
 * @param {number} k
 * @returns {number}
 */
function at(row, k) {
  return row[k - row[0] + 1];
}

/**
 * @param {Edit[]} edits
 * @returns {Line[]}
 */
function numbered(edits) {
  let before = 0;
  let after = 0;
  return edits.map(({ kind, text }) => {
    if (kind !== "added") before += 1;
    if (kind !== "removed") after += 1;
    return { kind, text, before: kind === "added" ? null : before, after: kind === "removed" ? null : after };
  });
}

/**
 * The changed lines with some equal ones around them.
 * @param {Line[]} all
 * @param {number} [context]
 * @returns {Hunk[]}
 */
export function hunks(all, context = 3) {
  /** @type {Hunk[]} */
  const answer = [];
  let shown = 0; // all lines before this one are in a hunk or left out
  let until = -1;
  all.forEach((line, index) => {
    if (line.kind !== "same") {
      const from = Math.max(shown, index - context);
      if (!answer.length || from > until) answer.push({ lines: [], skipped: from - shown });
      else answer[answer.length - 1].lines.push(...all.slice(shown, from));
      answer[answer.length - 1].lines.push(...all.slice(from, index + 1));
      shown = index + 1;
      until = index + context + 1;
    } else if (index < until && index >= shown) {
      answer[answer.length - 1].lines.push(line);
      shown = index + 1;
    }
  });
  return answer;
}

/** @typedef {{kind: "file" | "hunk" | "added" | "removed" | "same" | "note", text: string}} PatchLine */

/**
 * The lines of a patch as git writes it, each with its kind.
 * @param {string} text
 * @returns {PatchLine[]}
 */
export function patchLines(text) {
  let left = [0, 0]; // what the hunk still has of the old and the new file
  return lines(text).map((line) => {
    const hunk = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(line);
    if (hunk) {
      left = [Number(hunk[1] ?? 1), Number(hunk[2] ?? 1)];
      return { kind: "hunk", text: line };
    }
    if (left[0] <= 0 && left[1] <= 0) return { kind: line.startsWith("diff ") ? "file" : "note", text: line };
    if (line.startsWith("\\")) return { kind: "note", text: line };
    if (!line.startsWith("+")) left[0] -= 1;
    if (!line.startsWith("-")) left[1] -= 1;
    return { kind: line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : "same", text: line };
  });
}

/**
 * How many lines a patch adds and removes, and the files that it names.
 * @param {PatchLine[]} patch
 * @returns {{files: string[], added: number, removed: number}}
 */
export function patchSummary(patch) {
  const files = patch.filter((line) => line.kind === "file").map((line) => fileName(line.text));
  const count = (/** @type {PatchLine["kind"]} */ kind) => patch.filter((line) => line.kind === kind).length;
  return { files, added: count("added"), removed: count("removed") };
}

/**
 * @param {string} line `diff --git a/NAME b/NAME`
 * @returns {string}
 */
function fileName(line) {
  const match = /^diff --git a\/(.*) b\/\1$/.exec(line) ?? /^diff --git .* b\/(.*)$/.exec(line);
  return match ? match[1] : line;
}
