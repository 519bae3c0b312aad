// @ts-check
/** Icons of 16 by 16 points, drawn in the colour of the text beside them. */

import { html } from "../lib/preact.js";

const SHAPES = {
  check: "M3 8.5l3.2 3.2L13 4.8",
  chevron: "M6 3.5L10.5 8 6 12.5",
  close: "M4 4l8 8M12 4l-8 8",
  columns: "M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10",
  compare: "M5 2.5v11M11 2.5v11M2 6l3-3.5L8 6M8 10l3 3.5 3-3.5",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  dark: "M13.2 9.8A5.7 5.7 0 0 1 6.2 2.8a5.7 5.7 0 1 0 7 7z",
  down: "M8 3v10M4 9l4 4 4-4",
  download: "M8 2.5v7.5M4.8 7L8 10.2 11.2 7M2.5 13.5h11",
  edit: "M2.8 13.2l.6-2.9 7.4-7.4 2.3 2.3-7.4 7.4z",
  filter: "M2 3.5h12L9.5 8.8V13l-3-1.2v-3z",
  group: "M2.5 3.5h11M5 8h8.5M5 12.5h8.5",
  help: "M6 6a2 2 0 1 1 2.8 1.8c-.6.3-.8.7-.8 1.4M8 11.6v.1",
  key: "M10.2 2.8a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 8l-5.2 5.2M4.6 11.4l1.8 1.8",
  light: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1.5v1.2M8 13.3v1.2M1.5 8h1.2M13.3 8h1.2M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9",
  menu: "M3 4.5h10M3 8h10M3 11.5h10",
  minus: "M3.5 8h9",
  model: "M8 1.8l5.5 3v6.4L8 14.2l-5.5-3V4.8zM2.5 4.8L8 8l5.5-3.2M8 8v6.2",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  out: "M9.5 3h-6v10h6M7 8h7M11.2 5.2L14 8l-2.8 2.8",
  pin: "M5.5 2.5h5l-.7 4 2 2.2H4.2l2-2.2zM8 8.7v5",
  plus: "M8 3.5v9M3.5 8h9",
  refresh: "M13 3.5v3.3H9.7M12.8 6.8A5.2 5.2 0 1 0 13.1 9.5",
  restore: "M3 3.5v3.3h3.3M3.2 6.8A5.2 5.2 0 1 1 2.9 9.5",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.4 10.4l3.1 3.1",
  tag: "M2.5 2.5h5l6 6-5 5-6-6zM5.2 5.2h.01",
  trash: "M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.5 9h6l.5-9",
  up: "M8 13V3M4 7l4-4 4 4",
  user: "M8 2.5a2.7 2.7 0 1 0 0 5.4 2.7 2.7 0 0 0 0-5.4zM2.8 13.5c.4-2.6 2.4-3.8 5.2-3.8s4.8 1.2 5.2 3.8",
};

/** @typedef {keyof typeof SHAPES} IconName */

/** @param {{ name: IconName }} props */
export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d=${SHAPES[name]} /></svg>`;
}
