// @ts-check
/** Charts of metrics, one each, for one run or many: settings above, loaded when they come into view, refined on zoom. */

import { useData, useRepeated } from "../lib/api.js";
import { looks } from "../lib/colours.js";
import { askAhead, loadCurves } from "../lib/curve_calls.js";
import { newHub } from "../lib/hub.js";
import { html, useEffect, useMemo, useRef, useState } from "../lib/preact.js";
import { setQuery, useRoute } from "../lib/router.js";
import { Chart } from "./chart.js";
import { chartSettings, useChartSettings, ChartTools } from "./chart_settings.js";
import { Button } from "./button.js";
import { Failed } from "./states.js";

/** @typedef {import("../lib/curves.js").Curve} Curve */
/** @typedef {import("../lib/curves.js").Range} Range */
/** @typedef {{ id: string, name: string }} Named */

const POINTS = 600; // a run in a chart that is some 400 pixels wide
const POINTS_OF_MANY = 300;
const HEIGHT = 240;
const MANY = 20;
const FIRST = 3; // charts in the first line
const EVERY = 3000;
const SOON = 600; // after a quick look at long histories

/** @param {{ runs: Named[], keys: string[], live: boolean, hidden?: Set<string>, hub?: import("../lib/hub.js").Hub, notes?: Map<string, string> }} props */
export function MetricCharts({ runs, keys, live, hidden, hub: given, notes }) {
  const { settings, filter, zoom } = useChartSettings();
  const [most, setMost] = useState(60);
  const own = useMemo(newHub, []);
  const hub = given ?? own;
  const colours = useMemo(() => looks(runs.map((run) => run.id)), [runs]);
  const shownRuns = useMemo(() => (hidden?.size ? runs.filter((run) => !hidden.has(run.id)) : runs), [runs, hidden]);
  const wanted = filter.toLowerCase();
  const found = wanted ? keys.filter((key) => key.toLowerCase().includes(wanted)) : keys;
  const large = useRoute().query.chart ?? "";
  const shown = large && found.includes(large) ? [large] : found.slice(0, most);
  return html`<${ChartTools} many=${keys.length} />
    ${!found.length && html`<p class="muted">${keys.length ? "No metric has such a name." : "No metrics."}</p>`}
    ${large && html`<p><${Button} kind="quiet" onClick=${() => setQuery({ chart: null }, { push: true })}>All charts</${Button}></p>`}
    <div class=${large ? "charts one" : "charts"}>
      ${shown.map(
        (key, index) => html`<${Seen} key=${key} first=${index < FIRST} height=${large ? 520 : HEIGHT + 76}>
          <${MetricChart} name=${key} runs=${shownRuns} settings=${settings} looks=${colours} hub=${hub} zoom=${zoom} live=${live} height=${large ? 460 : HEIGHT} note=${notes?.get(key)} large=${large === key} />
        </${Seen}>`,
      )}
    </div>
    ${!large && found.length > most && html`<p><${Button} onClick=${() => setMost(most + 60)}>Show more of ${found.length} charts</${Button}></p>`}`;
}

/** @param {{ name: string, runs: Named[], settings: import("../lib/curves.js").Settings, looks: any, hub: any, zoom: Range | null, live: boolean, height: number, note?: string, large: boolean }} props */
function MetricChart({ name, runs, settings, looks: colours, hub, zoom, live, height, note, large }) {
  const points = pointsOf(runs.length, large);
  const ids = runs.map((run) => run.id).join();
  const { axis } = settings;
  const wanted = { points, axis };
  const whole = useFiner(`${name} ${ids} ${points} ${axis}`, (patient, how) => loadCurves(runs, name, { ...wanted, patient }, how), live);
  const part = zoom?.join() ?? "";
  const finer = useFiner(part && `${name} ${ids} ${axis} ${part}`, (patient, how) => (zoom ? loadCurves(runs, name, { ...wanted, zoom, patient }, how) : Promise.resolve([])));
  const onZoom = (/** @type {Range | null} */ range) => setQuery({ zoom: range ? range.map((value) => Number(value.toPrecision(10))).join() : null });
  const curves = useMemo(() => (part && finer.data ? merged(whole.data ?? [], finer.data) : whole.data ?? []), [whole.data, finer.data, part]);
  if (whole.error && !whole.data) return html`<${Failed} error=${whole.error} retry=${whole.reload} />`;
  const enlarge = html`<${Button} kind="quiet" icon=${large ? "minus" : "plus"} label=${large ? `Make ${name} smaller` : `Enlarge ${name}`} onClick=${() => setQuery({ chart: large ? null : name }, { push: true })} />`;
  return html`<${Chart} title=${name} curves=${curves} settings=${settings} looks=${colours} hub=${hub} zoom=${zoom} onZoom=${onZoom} height=${height} note=${whole.data ? note : "loading"} tools=${enlarge} />`;
}

/** Curves at once, rough where they are long, and again until they are not; again and again while they grow.
 * @param {string} key @param {(patient: boolean, how: import("../lib/api.js").How) => Promise<Curve[]>} load @param {boolean} [live] */
function useFiner(key, load, live = false) {
  const rough = useRef(false);
  const found = useData(key, (how) => load(rough.current, how));
  rough.current = Boolean(found.data?.some((curve) => curve.rough));
  useRepeated(found.reload, found.loading ? 0 : rough.current ? SOON : live ? EVERY : 0);
  return found;
}

/** @param {number} curves @param {boolean} large @returns {number} about how many of each are asked for */
function pointsOf(curves, large) {
  return (curves > MANY ? POINTS_OF_MANY : POINTS) * (large ? 2 : 1);
}

/** Begin to load the chart that the address names while the runs themselves are still being loaded.
 * @param {string[]} ids @param {Readonly<Record<string, string>>} query */
export function loadAhead(ids, query) {
  if (query.chart && ids.length) askAhead(ids, query.chart, { points: pointsOf(ids.length, true), axis: chartSettings(query).settings.axis });
}

/** The whole curve, with the part that was asked for in more detail put in. @param {Curve[]} whole @param {Curve[]} finer @returns {Curve[]} */
function merged(whole, finer) {
  const parts = new Map(finer.map((curve) => [curve.run, curve]));
  return whole.map((curve) => {
    const part = parts.get(curve.run);
    if (!part?.xs.length) return curve;
    const low = part.xs[0];
    const high = part.xs[part.xs.length - 1];
    const before = curve.xs.findIndex((x) => x >= low);
    let after = curve.xs.findIndex((x) => x > high);
    if (after < 0) after = curve.xs.length;
    const join = (/** @type {number[]} */ all, /** @type {number[]} */ middle) => [...all.slice(0, Math.max(0, before)), ...middle, ...all.slice(after)];
    return { ...curve, xs: join(curve.xs, part.xs), values: join(curve.values, part.values) };
  });
}

/** Shows its content once it has come near the window, and keeps its place before; the `first` are near it at the beginning.
 * @param {{ height: number, first: boolean, children: any }} props */
function Seen({ height, first, children }) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const [seen, setSeen] = useState(first);
  useEffect(() => {
    const element = place.current;
    if (!element || seen) return undefined;
    const observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && setSeen(true), { rootMargin: "300px" });
    observer.observe(element);
    return () => observer.disconnect();
  }, [seen]);
  return html`<div ref=${place} style=${{ minHeight: `${height}px` }}>${seen && children}</div>`;
}
