// ATTENTION: the chosen word's attention by layer and head. Each cell says how much of it falls on the picture, and
// shows its map where it is pointed at or chosen; a layer range and all heads together as well.
import { html, nothing } from "lit-html";
import { level } from "../colour.js";
import { chosenCells, headMap, onMap } from "../derive.js";
import { draws } from "../directives.js";
import { paint, thumbnail } from "../paint.js";
import { png } from "../png.js";
import { sheet } from "../sheet.js";
import { set, state } from "../store.js";
import { percent, token as say } from "../text.js";
import { send } from "../wire.js";
import { term } from "../words.js";
import { going, trouble } from "./going.js";
import { cellsText, shot } from "./map.js";

const DRAWN = 160; // cells at most, for a map in each

export function openAttention(s) {
  const own = s.heads && s.heads.token === s.token;
  if (!own && s.token !== null && !s.jobs.heads && !s.errors.heads) queueMicrotask(ask);
}
const ask = () => send("heads", { token: state.token }, "Reading every head");

export function attentionTab(s) {
  const t = s.analysis.byIndex.get(s.token);
  if (!t) return html`<p class="sp-note sp-empty">Choose a word of the answer or of the question.</p>`;
  const h = s.heads && s.heads.token === s.token ? s.heads : null;
  return html`<div class="sp-bar">
      <h2>Where <b>${say(t.text)}</b> looked <small>by layer and head of the language model</small></h2>
      <span class="sp-gap"></span>${h ? range(s, h) : nothing}${png()}
    </div>
    ${going(s, "heads")} ${trouble(s, "heads", ask)}
    ${h ? matrix(s, h) : s.jobs.heads ? html`<div class="sp-ghost sp-ghost-tall"></div>` : nothing}`;
}

const whole = (h) => ({ layers: [0, h.layers - 1], head: null });
const choose = (cells) => set({ cells, latent: null, hover: null });
const count = (n) => [...Array(n).keys()];
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const mean = (values) => values.reduce((sum, v) => sum + v, 0) / values.length;

function matrix(s, h) {
  const cells = s.cells ?? whole(h);
  const heads = count(h.heads);
  const view = {
    ...{ s, h, cells, top: Math.max(...h.shares, 1e-9) },
    chosen: s.cells ? chosenCells(h, cells) : { layers: [], heads: [] },
    at: [cells.layers[0], cells.head ?? 0], // what the Tab key reaches
    drawn: h.patches > 0 && h.layers * h.heads <= DRAWN,
  };
  return html`<div class="sp-headsbox" style="--n:${h.heads};--ratio:${ratio(s)}">
      <table class="sp-heads" @keydown=${arrows} @pointerleave=${() => set({ hover: null })}>
        <caption>
          ${view.drawn ? "Where each head looks, as bright as" : "Each cell:"} the share of its
          ${term("attention")} that falls on the picture; the rest falls on words.
          <span class="sp-scale"><span>0%</span><i></i><span>${percent(view.top)}</span></span>
        </caption>
        <thead>
          <tr>
            <th scope="col"><small>layer ↓</small><small>head →</small></th>
            ${heads.map((x) => html`<th scope="col">${header(cells, x)}</th>`)}
            <th scope="col"><small>mean</small></th>
          </tr>
        </thead>
        <tbody>
          ${count(h.layers).map(
            (y) =>
              html`<tr>
                <th scope="row">${layerButton(cells, y)}</th>
                ${heads.map((x) => html`<td>${cell(view, y, x)}</td>`)}
                <td class="sp-num">${percent(mean(heads.map((x) => h.shares[y * h.heads + x])))}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${h.patches ? beside(s, h) : html`<p class="sp-note">${LARGE}</p>`}
    <p class="sp-note">
      Point at a cell to see its map over the picture, choose it to keep it. A layer's or a head's number
      takes all of its row or column. Layers are counted from 0, first to last.
    </p>`;
}

const ratio = (s) => {
  const [high, wide] = sheet(shot(s)).size;
  return wide / high;
};
const LARGE =
  "This model has too many heads and this picture too many patches to send every map; the endpoint head_map gives one.";

/** From which layer to which, and of which head. */
function range(s, h) {
  const cells = s.cells ?? whole(h);
  const [first, last] = cells.layers;
  const pick = (key, label, values, at, to) =>
    html`<label class="sp-field"
      >${label}
      <select
        data-heads=${key}
        aria-label=${key}
        @change=${(e) => choose({ ...cells, ...to(e.target.value) })}
      >
        ${values.map(
          ([value, text]) => html`<option value=${value} ?selected=${value === at}>${text}</option>`,
        )}
      </select></label
    >`;
  const numbers = (n) => count(n).map((i) => [i, String(i)]);
  return html`${pick("first layer", "layers", numbers(h.layers), first, (v) => ({
    layers: [+v, Math.max(+v, last)],
  }))}
  ${pick("last layer", "to", numbers(h.layers), last, (v) => ({ layers: [Math.min(first, +v), +v] }))}
  ${pick("head", "head", [["", "all"], ...numbers(h.heads)], cells.head ?? "", (v) => ({
    head: v === "" ? null : +v,
  }))}`;
}

const header = (cells, x) => number(`head ${x}, these layers`, x, { ...cells, head: x }, cells);
const layerButton = (cells, y) => number(`layer ${y}, all heads`, y, { layers: [y, y], head: null }, cells);
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

function cell({ s, h, top, chosen, at, drawn }, y, x) {
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

/** Where the picture is far from here (narrow screens), its map beside the matrix. */
function beside(s, h) {
  const cells = onMap(s).cells ?? s.cells ?? whole(h);
  const { share, values } = headMap(h, cells);
  const key = [s.page.key, h.token, JSON.stringify(cells), s.mode].join("/");
  return html`<figure class="sp-beside">
    <canvas
      role="img"
      aria-label="Its map"
      ${draws(key, (canvas) => paint(canvas, shot(s), values, { mode: s.mode }))}
    ></canvas>
    <figcaption class="sp-note">${cellsText(h, cells)}: ${percent(share)} on the picture</figcaption>
  </figure>`;
}

function arrows(e) {
  const at = e.target.closest("[data-layer]");
  const [down, across] =
    { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[e.key] || [];
  if (!at || down === undefined) return;
  e.preventDefault();
  const to = `[data-layer="${+at.dataset.layer + down}"][data-head="${+at.dataset.head + across}"]`;
  e.currentTarget.querySelector(to)?.focus();
}
