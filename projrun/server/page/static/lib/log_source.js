// @ts-check
/** A log of any size, read in pieces of bytes: what is shown is loaded, and little more is kept. */

import { pieces, plainStyle, withoutEscapes } from "./ansi.js";

/** @typedef {{ bytes: Uint8Array, size: number }} Part `size` is that of the whole file */
/** @typedef {(start: number, end: number) => Promise<Part>} Read */
/** @typedef {{ text: string, count: number, pieces: import("./ansi.js").Piece[], cut: number }} LogLine `count` equal lines follow each other */

export const CHUNK = 256 * 1024;
/** A line that begins in a chunk may end this much after it. */
const OVERLAP = 16 * 1024;
const LONGEST_LINE = 4000;
const MOST_CHUNKS = 48;
const MOST_MATCHES = 5000;

export class LogSource {
  /** @param {Read} read */
  constructor(read) {
    this.read = read;
    this.size = 0;
    /** @type {Map<number, LogLine[]>} in the order of their use */
    this.chunks = new Map();
    /** @type {Map<number, number>} how many lines of the file each chunk has that was ever loaded */
    this.counts = new Map();
    /** @type {Map<number, Promise<void>>} */
    this.loading = new Map();
  }

  get chunkCount() {
    return Math.ceil(this.size / CHUNK);
  }

  /** Load a chunk if it is not there. @param {number} index @returns {Promise<void>} */
  ensure(index) {
    if (this.chunks.has(index)) return Promise.resolve();
    const known = this.loading.get(index);
    if (known) return known;
    const loading = this.lines(index)
      .then((lines) => this.keep(index, lines))
      .finally(() => this.loading.delete(index));
    this.loading.set(index, loading);
    return loading;
  }

  /** @param {number} index @returns {Promise<LogLine[]>} */
  async lines(index) {
    const start = index * CHUNK;
    const { bytes, size } = await this.read(Math.max(0, start - 1), start + CHUNK + OVERLAP);
    this.size = Math.max(this.size, size);
    return folded(split(bytes, index === 0, CHUNK));
  }

  /** @param {number} index @param {LogLine[]} lines */
  keep(index, lines) {
    this.chunks.set(index, lines);
    this.counts.set(index, lines.reduce((sum, line) => sum + line.count, 0));
    // Those inside a long line, such as one of a progress bar, have none and cost nothing: they are not asked for again.
    const full = [...this.chunks].filter(([old, each]) => each.length && old !== index);
    for (const [old] of full.slice(0, Math.max(0, full.length + 1 - MOST_CHUNKS))) this.chunks.delete(old);
  }

  /** Find out what was appended. @returns {Promise<boolean>} whether something was */
  async grow() {
    const before = this.size;
    // From the last byte that is known: past the end there may be none, and browsers report that as an error.
    const { size } = await this.read(Math.max(0, before - 1), before + 1);
    if (size === before) return false;
    const last = Math.max(0, Math.ceil(before / CHUNK) - 1);
    if (size < before) {
      this.chunks.clear(); // another log in its place
      this.counts.clear();
    }
    this.size = size;
    // The last chunk goes on; so does the one before, where a line reached over its end.
    for (const index of [last, last - 1]) if (this.chunks.has(index)) this.keep(index, await this.lines(index));
    return true;
  }

  /** The number of the first line of a chunk, from 1; nothing where a chunk before it was never loaded. @param {number} index @returns {number | null} */
  firstNumber(index) {
    let number = 1;
    for (let each = 0; each < index; each += 1) {
      const count = this.counts.get(each);
      if (count === undefined) return null;
      number += count;
    }
    return number;
  }

  /**
   * Look through the whole log, from its start.
   * @param {string} text @param {{ signal: AbortSignal, onProgress: (share: number, matches: Match[]) => void }} how
   * @returns {Promise<Match[]>}
   */
  async search(text, { signal, onProgress }) {
    const wanted = text.toLowerCase();
    /** @type {Match[]} */
    const matches = [];
    for (let index = 0; index < this.chunkCount && matches.length < MOST_MATCHES; index += 1) {
      const lines = this.chunks.get(index) ?? (await this.lines(index));
      if (signal.aborted) return matches;
      this.counts.set(index, lines.reduce((sum, line) => sum + line.count, 0));
      lines.forEach((line, at) => {
        if (line.text.toLowerCase().includes(wanted)) matches.push({ chunk: index, line: at });
      });
      onProgress((index + 1) / this.chunkCount, matches);
    }
    return matches;
  }
}

/** @typedef {{ chunk: number, line: number }} Match */

/**
 * The lines that begin in a chunk. Before the first one, `bytes` has the byte that is before the chunk.
 * @param {Uint8Array} bytes @param {boolean} first @param {number} length of the chunk @returns {string[]}
 */
export function split(bytes, first, length) {
  const newline = 10;
  let start = 0;
  if (!first) {
    start = bytes.indexOf(newline) + 1;
    if (start === 0 || start > length) return [];
  }
  const edge = first ? length : length + 1;
  let end = bytes.length;
  if (bytes.length > edge) {
    const after = bytes.indexOf(newline, edge - 1);
    if (after >= 0) end = after + 1;
  }
  const lines = new TextDecoder().decode(bytes.subarray(start, end)).split("\n");
  if (lines[lines.length - 1] === "") lines.pop();
  return lines;
}

/** Lines with their colours; equal ones after each other are one. @param {string[]} lines @returns {LogLine[]} */
export function folded(lines) {
  const style = plainStyle();
  /** @type {LogLine[]} */
  const answer = [];
  let before = "";
  for (const line of lines) {
    const last = answer[answer.length - 1];
    if (last && line === before) {
      last.count += 1;
      continue;
    }
    before = line;
    const cut = Math.max(0, line.length - LONGEST_LINE);
    const shown = cut ? line.slice(0, LONGEST_LINE) : line;
    answer.push({ text: withoutEscapes(shown), count: 1, pieces: pieces(shown, style), cut });
  }
  return answer;
}
