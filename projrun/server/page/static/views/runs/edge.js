// @ts-check
/** The edge of a column's head: dragged, or moved by arrow keys, it makes the column wider or narrower. */

import { html } from "../../lib/preact.js";

const LEAST = 56;
const MOST = 1200;
const STEP = 16;

/** Else the browser drags the head that comes below the pointer. @param {Event} event */
const undragged = (event) => event.preventDefault();

/**
 * @param {{ name: string, width: number, onWidth: (width: number | null) => void }} props `null` is the width that it has by itself
 */
export function Edge({ name, width, onWidth }) {
  const set = (/** @type {number} */ wanted) => onWidth(Math.round(Math.min(MOST, Math.max(LEAST, wanted))));
  const drag = (/** @type {PointerEvent} */ event) => {
    if (event.button !== 0) return;
    const edge = /** @type {HTMLElement} */ (event.currentTarget);
    const start = event.clientX;
    const move = (/** @type {PointerEvent} */ { clientX }) => set(width + clientX - start);
    edge.setPointerCapture(event.pointerId);
    edge.addEventListener("pointermove", move);
    edge.addEventListener("lostpointercapture", () => edge.removeEventListener("pointermove", move), { once: true });
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    const by = event.key === "ArrowRight" ? STEP : event.key === "ArrowLeft" ? -STEP : 0;
    if (by) set(width + by);
    else if (event.key === "Home") onWidth(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return html`<span
    class="edge"
    role="separator"
    tabindex="-1"
    aria-orientation="vertical"
    aria-label=${`Width of ${name}`}
    aria-valuenow=${width}
    aria-valuemin=${LEAST}
    aria-valuemax=${MOST}
    title="Drag to change the width; double-click to undo"
    onPointerDown=${drag}
    onMouseDown=${undragged}
    onDblClick=${() => onWidth(null)}
    onKeyDown=${keys}
  ></span>`;
}
