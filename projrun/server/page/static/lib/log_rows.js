// @ts-check
/** Where the lines of a log are, in rows: a line that is wrapped has several. */

/** @typedef {import("./log_source.js").LogSource} LogSource */
/** @typedef {import("./log_source.js").LogLine} LogLine */

const UNKNOWN = 3000; // rows of a chunk before any is loaded

export class Rows {
  /** @param {LogSource} source @param {{ columns: number, first: number, last: number }} how `columns` is 0 without wrapping; the chunks from `first` to before `last` */
  constructor(source, { columns, first, last }) {
    this.columns = columns;
    this.first = first;
    /** @type {Map<number, Uint32Array>} for each loaded chunk the row at which each line begins, and its end */
    this.starts = new Map();
    let known = 0;
    for (const [index, lines] of source.chunks) {
      if (index < first || index >= last) continue;
      const starts = this.measure(lines);
      this.starts.set(index, starts);
      known += starts[lines.length];
    }
    this.guess = this.starts.size ? Math.max(1, Math.round(known / this.starts.size)) : UNKNOWN;
    /** @type {number[]} the row at which each chunk begins, and the end */
    this.chunkStarts = [0];
    for (let index = first; index < last; index += 1) {
      const starts = this.starts.get(index);
      const rows = starts ? starts[starts.length - 1] : index === source.chunkCount - 1 ? 1 : this.guess;
      this.chunkStarts.push(this.chunkStarts[index - first] + rows);
    }
  }

  get total() {
    return this.chunkStarts[this.chunkStarts.length - 1];
  }

  /** @param {LogLine[]} lines @returns {Uint32Array} */
  measure(lines) {
    const starts = new Uint32Array(lines.length + 1);
    lines.forEach((line, index) => {
      const rows = this.columns ? Math.max(1, Math.ceil(line.text.length / this.columns)) : 1;
      starts[index + 1] = starts[index] + rows;
    });
    return starts;
  }

  /** The chunk that has a row. @param {number} row @returns {number} */
  chunkAt(row) {
    return this.first + Math.max(0, Math.min(this.chunkStarts.length - 2, before(this.chunkStarts, row)));
  }

  /** The row of a line. @param {number} chunk @param {number} line @returns {number} */
  rowOf(chunk, line) {
    return this.chunkStarts[chunk - this.first] + (this.starts.get(chunk)?.[line] ?? 0);
  }

  /** The loaded lines between two rows. @param {number} from @param {number} to @returns {{ chunk: number, line: number, row: number }[]} */
  between(from, to) {
    const answer = [];
    for (let chunk = this.chunkAt(from); chunk <= this.chunkAt(to); chunk += 1) {
      const starts = this.starts.get(chunk);
      if (!starts) continue;
      const base = this.chunkStarts[chunk - this.first];
      for (let line = Math.max(0, before(starts, from - base)); line < starts.length - 1 && base + starts[line] < to; line += 1) {
        answer.push({ chunk, line, row: base + starts[line] });
      }
    }
    return answer;
  }
}

/** The last index whose value is at most this. @param {ArrayLike<number>} sorted @param {number} value */
function before(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
