// @ts-check
/** A column of numbers in groups of runs: boxes after Tukey, with their outliers. */

import { boxes, dimension, pixels } from "../lib/dimensions.js";
import { count, whole } from "../lib/format.js";
import { html, useMemo } from "../lib/preact.js";
import { Figure, useWidth, XAxis, YAxis } from "./figure.js";

/** @typedef {import("./scatter.js").Column} Column */

const HEIGHT = 360;
const MOST = 40;

/** @param {{ group: Column, value: Column }} props */
export function BoxPlot({ group, value }) {
  const [place, width] = useWidth(640);
  const found = useMemo(() => boxes(group.cells, value.cells), [group.cells, value.cells]);
  const shown = found.slice(0, MOST);
  const up = useMemo(() => dimension(value.name, value.cells), [value.name, value.cells]);
  const across = useMemo(() => ({ ...dimension(group.name, []), words: shown.map((each) => each.name), range: /** @type {[number, number]} */ ([-0.5, shown.length - 0.5]) }), [shown]);
  const frame = { left: 64, right: width - 16, top: 28, bottom: HEIGHT - 44 };
  const left = pixels(across, [frame.left, frame.right]);
  const top = pixels(up, [frame.bottom, frame.top]);
  const half = Math.min(28, ((frame.right - frame.left) / Math.max(1, shown.length)) * 0.3);
  const title = `${value.name} by ${group.name}`;
  const rows = [
    [group.name, "runs", "mean", "least", "first quartile", "median", "third quartile", "greatest"],
    ...found.map((each) => [each.name, each.count, each.mean, Math.min(each.low, ...each.outliers), each.first, each.median, each.third, Math.max(each.high, ...each.outliers)]),
  ];
  return html`<${Figure} title=${title} rows=${rows}>
    <div class="figure" ref=${place}>
      <svg class="drawing" width=${width} height=${HEIGHT} role="img" aria-label=${`${title}: ${shown.length} groups; the values are in the table below`}>
        <${XAxis} axis=${across} ...${frame} />
        <${YAxis} axis=${up} ...${frame} />
        ${shown.map((each, index) => {
          const at = left(index);
          return html`<g class="box" key=${each.name}>
            <title>${`${each.name}: median ${whole(each.median)}, mean ${whole(each.mean)}, ${count(each.count)} runs`}</title>
            <path d=${`M${at} ${top(each.high)}V${top(each.third)}M${at} ${top(each.first)}V${top(each.low)}M${at - half / 2} ${top(each.high)}h${half}M${at - half / 2} ${top(each.low)}h${half}`} />
            <rect x=${at - half} width=${2 * half} y=${top(each.third)} height=${Math.max(1, top(each.first) - top(each.third))} />
            <path class="median" d=${`M${at - half} ${top(each.median)}h${2 * half}`} />
            ${each.outliers.map((outlier) => html`<circle cx=${at} cy=${top(outlier)} r="3" />`)}
          </g>`;
        })}
      </svg>
    </div>
    ${found.length > MOST && html`<p class="chart-note">The first ${MOST} of ${found.length} groups; the table has all.</p>`}
  </${Figure}>`;
}
