// @ts-check
/** A log: follows what is appended, folds what repeats, finds text, and shows 300 MB as it shows 3 kB. */

import { count, bytes as sizeText } from "../lib/format.js";
import { LogSource, CHUNK } from "../lib/log_source.js";
import { Rows } from "../lib/log_rows.js";
import { html, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from "../lib/preact.js";
import { useRemembered } from "../lib/remembered.js";
import { useLogSearch } from "./log_search.js";
import { Button } from "./button.js";
import { Icon } from "./icon.js";
import { addSheet } from "./sheet.js";

addSheet("ui/content.css");

/** @typedef {import("../lib/log_source.js").Read} Read */

const ROW = 18;
const CHARACTER = 7.23;
const EVERY = 2000;
/** Browsers have a greatest height; above this much the log is shown in parts. */
const PART = 128;

/** @param {{ name: string, address: string, live: boolean, atEnd?: boolean }} props `live`: more may come; `atEnd`: begin there */
export function Log({ name, address, live, atEnd = live }) {
  const source = useMemo(() => new LogSource(reader(address)), [address]);
  const [wrap, setWrap] = useRemembered("log.wrap", false);
  const [following, setFollowing] = useState(atEnd);
  const [part, setPart] = useState(0);
  const scroller = useRef(/** @type {HTMLDivElement | null} */ (null));
  const { problem, ensure } = useGrowing(source, live);
  const { view, scrolled } = useView(scroller);
  const parts = Math.max(1, Math.ceil(source.chunkCount / PART));
  const columns = wrap ? Math.max(20, view.columns) : 0;
  const rowsOf = (/** @type {number} */ each) => new Rows(source, { columns, first: each * PART, last: Math.min(source.chunkCount, (each + 1) * PART) });
  const shown = Math.min(part, parts - 1);
  const rows = rowsOf(shown);
  const goTo = (/** @type {import("../lib/log_source.js").Match} */ match) => {
    const its = Math.floor(match.chunk / PART);
    setFollowing(false);
    setPart(its);
    const show = () => scroller.current?.scrollTo(0, Math.max(0, rowsOf(its).rowOf(match.chunk, match.line) * ROW - view.height / 3));
    void ensure([match.chunk]).then(() => requestAnimationFrame(show));
  };
  const search = useLogSearch(source, goTo);
  const from = Math.floor(view.top / ROW) - 20;
  const to = Math.ceil((view.top + view.height) / ROW) + 20;
  useEffect(() => void ensure(range(rows.chunkAt(from), rows.chunkAt(to))));
  useLayoutEffect(() => {
    if (!following) return;
    setPart(parts - 1);
    scroller.current?.scrollTo(0, rows.total * ROW);
  }, [following, rows.total, parts]);
  const follow = () => {
    const atItsEnd = scrolled();
    if (live || following) setFollowing(atItsEnd);
  };
  return html`<section class="log" aria-label=${`Log ${name}`}>
    <div class="log-tools">
      ${search.field}
      ${live && html`<${Button} kind="quiet" icon="down" pressed=${following} onClick=${() => setFollowing(!following)}>Follow</${Button}>`}
      <${Button} kind="quiet" pressed=${wrap} onClick=${() => setWrap(!wrap)}>Wrap</${Button}>
      ${parts > 1 && html`<${PartMenu} part=${shown} parts=${parts} size=${source.size} onPart=${(/** @type {number} */ next) => (setFollowing(false), setPart(next))} />`}
      <span class="space"></span>
      <span class="muted">${sizeText(source.size)}</span>
      <a class="button quiet" href=${address} download aria-label=${`Download ${name}`} title="Download"><${Icon} name="download" /></a>
    </div>
    ${problem && html`<p class="problem" role="alert">${problem}</p>`}
    <div class=${`log-lines ${wrap ? "wrap" : ""}`} ref=${scroller} onScroll=${follow} tabindex="0" role="log" aria-live="off" aria-label=${`Lines of ${name}`}>
      <${Lines} source=${source} rows=${rows} from=${from} to=${to} search=${search} />
    </div>
    ${!source.size && !problem && html`<p class="muted log-empty">${live ? "Nothing has been printed yet." : "The log is empty."}</p>`}
  </section>`;
}

/** Reads the beginning of a log, what is appended, and the chunks that are asked for. @param {LogSource} source @param {boolean} live */
function useGrowing(source, live) {
  const [, count] = useReducer((/** @type {number} */ value) => value + 1, 0);
  const [problem, setProblem] = useState("");
  const redraw = () => count(0);
  useEffect(() => {
    let ended = false;
    const look = async (/** @type {boolean} */ begin) => {
      try {
        if (begin ? (await source.ensure(0), true) : await source.grow()) ended || redraw();
        setProblem("");
      } catch (error) {
        ended || setProblem(error instanceof Error ? error.message : String(error));
      }
    };
    look(true);
    const timer = live ? setInterval(() => document.visibilityState === "visible" && look(false), EVERY) : 0;
    return () => {
      ended = true;
      clearInterval(timer);
    };
  }, [source, live]);
  const ensure = async (/** @type {readonly number[]} */ chunks) => {
    const missing = source.size ? chunks.filter((index) => !source.chunks.has(index)) : [];
    if (!missing.length) return;
    await Promise.all(missing.map((index) => source.ensure(index))).then(redraw, (error) => setProblem(String(error.message)));
  };
  return { problem, ensure };
}

/** What of the log is in sight. @param {{ current: HTMLDivElement | null }} scroller */
function useView(scroller) {
  const [view, setView] = useState({ top: 0, height: 480, columns: 0 });
  useLayoutEffect(() => {
    const element = /** @type {HTMLDivElement} */ (scroller.current);
    const measure = () => setView((old) => ({ ...old, height: element.clientHeight, columns: Math.floor((element.clientWidth - 72) / CHARACTER) }));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  /** To be called when it was scrolled; whether that was to the end. */
  const scrolled = () => {
    const { scrollTop, clientHeight, scrollHeight } = /** @type {HTMLDivElement} */ (scroller.current);
    setView((old) => ({ ...old, top: scrollTop }));
    return scrollTop + clientHeight > scrollHeight - ROW * 2;
  };
  return { view, scrolled };
}

/** @param {{ source: LogSource, rows: Rows, from: number, to: number, search: ReturnType<typeof useLogSearch> }} props */
function Lines({ source, rows, from, to, search }) {
  const lines = rows.between(from, to);
  return html`<div class="log-space" style=${{ height: `${rows.total * ROW}px` }}>
    <div class="log-shown" style=${{ transform: `translateY(${(lines[0]?.row ?? 0) * ROW}px)` }}>
      ${lines.map(({ chunk, line }) => {
        const numbered = source.firstNumber(chunk);
        return html`<${Line}
          key=${`${chunk}.${line}`}
          line=${source.chunks.get(chunk)?.[line]}
          number=${numbered === null ? "" : numbered + numberIn(source.chunks.get(chunk) ?? [], line)}
          wanted=${search.text}
          current=${search.current?.chunk === chunk && search.current.line === line}
        />`;
      })}
    </div>
  </div>`;
}

/** @param {{ line: import("../lib/log_source.js").LogLine | undefined, number: number | string, wanted: string, current: boolean }} props */
function Line({ line, number, wanted, current }) {
  if (!line) return null;
  const found = wanted && line.text.toLowerCase().includes(wanted.toLowerCase());
  return html`<div class=${`log-line ${found ? "found" : ""} ${current ? "now" : ""}`}>
    <span class="log-number" data-number=${number}></span>
    <span class="log-text"
      >${found ? marked(line.text, wanted) : line.pieces.map((piece) => (piece.classes ? html`<span class=${piece.classes}>${piece.text}</span>` : piece.text))}${line.cut > 0 &&
      html`<span class="muted"> … ${count(line.cut)} more characters</span>`}</span
    >
    ${line.count > 1 && html`<span class="log-count" title=${`${line.count} equal lines`}>×${line.count}</span>`}
  </div>`;
}

/** @param {string} text @param {string} wanted */
function marked(text, wanted) {
  const answer = [];
  const lower = text.toLowerCase();
  let from = 0;
  for (let at = lower.indexOf(wanted.toLowerCase()); at >= 0; at = lower.indexOf(wanted.toLowerCase(), from)) {
    answer.push(text.slice(from, at), html`<mark>${text.slice(at, at + wanted.length)}</mark>`);
    from = at + wanted.length;
  }
  return [...answer, text.slice(from)];
}

/** @param {{ part: number, parts: number, size: number, onPart: (part: number) => void }} props */
function PartMenu({ part, parts, size, onPart }) {
  const text = (/** @type {number} */ index) => `${sizeText(index * PART * CHUNK)} – ${sizeText(Math.min(size, (index + 1) * PART * CHUNK))}`;
  return html`<select aria-label="Part of the log" value=${part} onChange=${(/** @type {Event} */ event) => onPart(Number(/** @type {HTMLSelectElement} */ (event.target).value))}>
    ${range(0, parts - 1).map((index) => html`<option value=${index} selected=${index === part}>${text(index)}</option>`)}
  </select>`;
}

/** @param {import("../lib/log_source.js").LogLine[]} lines @param {number} until */
function numberIn(lines, until) {
  let number = 0;
  for (let index = 0; index < until; index += 1) number += lines[index].count;
  return number;
}

/** @param {number} first @param {number} last @returns {number[]} */
function range(first, last) {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}

/** Reads parts of a file of the server. @param {string} address @returns {Read} */
export function reader(address) {
  return async (start, end) => {
    const answer = await fetch(address, { headers: { range: `bytes=${start}-${Math.max(start, end - 1)}` } });
    const total = Number(/\/(\d+)$/.exec(answer.headers.get("content-range") ?? "")?.[1] ?? NaN);
    if (answer.status === 416) return { bytes: new Uint8Array(), size: Number.isNaN(total) ? 0 : total };
    if (!answer.ok) throw new Error(answer.status === 404 ? "There is no such file." : `The server answered ${answer.status}.`);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    // A server that knows no ranges sends all.
    if (answer.status === 200) return { bytes: bytes.subarray(start, end), size: bytes.length };
    return { bytes, size: Number.isNaN(total) ? start + bytes.length : total };
  };
}
