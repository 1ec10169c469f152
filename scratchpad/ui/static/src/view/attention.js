// ATTENTION: the chosen word's attention by layer and head. Each cell says how much of it falls on the picture, and
// shows its map where it is pointed at or chosen; a layer range and all heads together as well.
import { html, nothing } from "lit-html";
import { ask as askAgain } from "../asking.js";
import { onMap } from "../derive.js";
import { chosenCells, headMap } from "../heads.js";
import { draws } from "../directives.js";
import { paint } from "../paint.js";
import { png } from "../png.js";
import { sheet } from "../sheet.js";
import { set, state } from "../store.js";
import { percent, token as say } from "../text.js";
import { send } from "../wire.js";
import { term } from "../words.js";
import { going, trouble } from "./going.js";
import { arrows, cell, choose, header, layerButton } from "./head-cells.js";
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
const count = (n) => [...Array(n).keys()];
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
    ${s.cells
      ? html`<p class="sp-note">
          <button
            type="button"
            class="sp-button"
            data-rank
            ?disabled=${!!s.jobs.ask}
            @click=${() => rankBy(s)}
          >
            Rank concepts by ${cellsText(h, s.cells)}
          </button>
          reads the answer again with this attention alone.
        </p>`
      : nothing}
    ${h.patches ? beside(s, h) : html`<p class="sp-note">${LARGE}</p>`}
    <p class="sp-note">
      Point at a cell to see its map over the picture, choose it to keep it. A layer's or a head's number
      takes all of its row or column. Layers are counted from 0, first to last.
    </p>`;
}

/** Layers and heads as the question's settings have them. */
function rankBy(s) {
  const { layers, head } = s.cells;
  const span = (first, last) => (first === last ? String(first) : `${first}-${last}`);
  set({ draft: { ...s.draft, layers: span(...layers), heads: head === null ? "" : String(head) } });
  askAgain();
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
