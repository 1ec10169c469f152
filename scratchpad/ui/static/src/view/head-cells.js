// The cells of ATTENTION's matrix: a head's map with its share of the picture; the numbers of layers and heads.
import { html, nothing } from "lit-html";
import { level } from "../colour.js";
import { draws } from "../directives.js";
import { thumbnail } from "../paint.js";
import { set, state } from "../store.js";
import { percent } from "../text.js";
import { shot } from "./map.js";

/** Puts some layers and heads over the picture. */
export const choose = (cells) => set({ cells, latent: null, hover: null });
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

export const header = (cells, x) => number(`head ${x}, these layers`, x, { ...cells, head: x }, cells);
export const layerButton = (cells, y) =>
  number(`layer ${y}, all heads`, y, { layers: [y, y], head: null }, cells);
const number = (label, text, to, cells) =>
  html`<button
    type="button"
    class="sp-headed"
    aria-label=${label}
    aria-pressed=${same(to, cells)}
    @click=${() => choose(to)}
    @pointerenter=${() => set({ hover: { cells: to } })}
  >
    ${text}
  </button>`;

export function cell({ s, h, top, chosen, at, drawn }, y, x) {
  const share = h.shares[y * h.heads + x];
  const cells = { layers: [y, y], head: x };
  const says = `Layer ${y}, head ${x}: ${percent(share)} on the picture`;
  const within = chosen.layers.includes(y) && chosen.heads.includes(x);
  return html`<button
    type="button"
    class="sp-cell ${within ? "sp-within" : ""} ${drawn ? "sp-drawn" : ""}"
    style=${drawn ? nothing : `background:${level(share / top)}`}
    data-layer=${y}
    data-head=${x}
    tabindex=${y === at[0] && x === at[1] ? 0 : -1}
    aria-pressed=${within}
    aria-label=${says}
    title=${says}
    @click=${() => choose(cells)}
    @pointerenter=${() => set({ hover: { cells } })}
    @focus=${(e) => e.target.matches(":focus-visible") && set({ hover: { cells } })}
    @blur=${() => state.hover?.cells && set({ hover: null })}
  >
    ${drawn
      ? html`<canvas ${draws(`${s.page.key}/${h.token}`, (canvas) => small(canvas, s, h, y, x, top))}></canvas
          ><span>${Math.round(100 * share)}</span>`
      : nothing}
  </button>`;
}

/** One head's map, as bright as its share of the highest. */
function small(canvas, s, h, y, x, top) {
  const i = y * h.heads + x;
  const bright = h.shares[i] / top / 255;
  thumbnail(canvas, shot(s), h.maps.subarray(i * h.patches, (i + 1) * h.patches), (value) => bright * value);
}

/** Arrow keys go from cell to cell. */
export function arrows(e) {
  const at = e.target.closest("[data-layer]");
  const [down, across] =
    { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[e.key] || [];
  if (!at || down === undefined) return;
  e.preventDefault();
  const to = `[data-layer="${+at.dataset.layer + down}"][data-head="${+at.dataset.head + across}"]`;
  e.currentTarget.querySelector(to)?.focus();
}
