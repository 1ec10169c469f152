// HEATMAP: which token drew on which concept; clusters are tested as one.
import { html } from "lit-html";
import { chooseLatent, toggle } from "../actions.js";
import { columns, latentOf, rowsOf } from "../derive.js";
import { draws } from "../directives.js";
import { png } from "../png.js";
import { set, state } from "../store.js";
import { figures, plain, token as say } from "../text.js";
import { meaning, term } from "../words.js";
import { filters } from "./filters.js";
import { CELL, height, LEFT, sketch, under, whole } from "./heatmap-draw.js";

const ORDERS = [
  ["clusters", "by cluster"],
  ["score", "by score"],
  ["token", "by chosen token"],
];
let at = null; // the keyboard's column
let over = null; // what the pointer is on: {row, column}

export function heatmap(s) {
  const h = s.analysis.heatmap;
  const shown = columns(s);
  if (!h.latents.length) return html`<p class="sp-note sp-empty">No latent is active on this picture.</p>`;
  const key = JSON.stringify([
    ...[s.page.key, s.token, s.latent, s.patch, s.hover, s.picked, s.order, s.raw, s.asked, s.filter],
    document.body.classList.contains("dark"),
  ]);
  return html`<div class="sp-bar">
      <label class="sp-field"
        >columns
        <select data-order @change=${(e) => set({ order: e.target.value })}>
          ${ORDERS.map(
            ([order, text]) => html`<option value=${order} ?selected=${s.order === order}>${text}</option>`,
          )}
        </select></label
      >
      <label class="sp-switch" title=${meaning("heatmap")}
        ><input type="checkbox" data-raw .checked=${s.raw} @change=${(e) => set({ raw: e.target.checked })} />
        raw values</label
      >
      <label class="sp-switch" title="Rows for the question's tokens beside the answer's"
        ><input
          type="checkbox"
          data-asked
          .checked=${s.asked}
          @change=${(e) => set({ asked: e.target.checked })}
        />
        question’s tokens</label
      >
      <span class="sp-scale"
        ><span>${s.raw ? "0" : "column’s least"}</span><i></i
        ><span>${s.raw ? figures(h.raw.reduce((most, v) => Math.max(most, v), 0)) : "most"}</span></span
      >
      <span class="sp-gap"></span> ${filters(s)} ${png()}
    </div>
    <div
      class="sp-scroll"
      tabindex="0"
      role="group"
      aria-label="Heatmap of tokens by latents. Arrow keys move, Enter puts the latent in the test."
      @scroll=${(e) => again(e.currentTarget)}
      @keydown=${keys}
    >
      <div class="sp-wide" style="width:${whole(shown.length)}px;height:${height(s)}px">
        <canvas
          role="img"
          aria-label="${rowsOf(s).length} tokens by ${shown.length} latents in ${h.clusters.length} clusters"
          ${draws(key, (canvas) => again(canvas.closest(".sp-scroll")))}
          @pointermove=${point}
          @pointerleave=${() => {
            over = null;
            set({ hover: null });
          }}
          @click=${click}
        ></canvas>
      </div>
    </div>
    <p class="sp-note sp-readout" role="status">${readout(s, shown)}</p>
    <div class="sp-clusters" role="group" aria-label="Clusters, each tested as one">
      ${seen(s, shown).map((k) => chip(s, k))}
    </div>
    <p class="sp-note">
      Attention-weighted ${term("activation", "strength")} of each latent for each token. Columns that rise
      and fall together over all tokens, the question’s too, stand together (${term("cluster")}). ∀ fires
      everywhere; in italics: a guess.
    </p>`;
}

/** The clusters of which a column is shown. */
function seen(s, shown) {
  const h = s.analysis.heatmap;
  const latents = new Set(shown.map((c) => h.latents[c]));
  return h.clusters.filter((k) => k.latents.some((id) => latents.has(id)));
}

function chip(s, k) {
  const on = k.latents.every((id) => s.picked.includes(id));
  const names = [...new Set(k.latents.map((id) => plain(latentOf(s.analysis, id))))];
  return html`<button
    type="button"
    class="sp-chip"
    data-cluster=${k.id}
    aria-pressed=${on}
    ?disabled=${!!s.kase}
    title="Test these ${k.latents.length} latents as one"
    @click=${() => toggle(k.latents)}
  >
    <b>${k.id + 1}</b> ${names.slice(0, 3).join(", ")}${names.length > 3 ? " …" : ""}
    <small>${k.latents.length}</small>
  </button>`;
}

function readout(s, shown) {
  const h = s.analysis.heatmap;
  const column = over
    ? over.column
    : s.latent === null
      ? -1
      : shown.findIndex((c) => h.latents[c] === s.latent);
  const row = over && over.row >= 0 ? over.row : h.tokens.indexOf(s.token);
  if (column < 0 || shown[column] === undefined) return "Point at a cell: its latent, its token, its value.";
  const l = latentOf(s.analysis, h.latents[shown[column]]);
  if (row < 0) return html`<b>${plain(l)}</b> #${l.id}`;
  const i = row * h.latents.length + shown[column];
  const t = s.analysis.byIndex.get(h.tokens[row]);
  return html`<b>${plain(l)}</b> #${l.id} at <b>${say(t.text)}</b>: score ${figures(h.raw[i], 3)},
    ${h.values[i].toFixed(2)} on its column's scale of 0 to 1`;
}

let waiting = 0;
function again(scroll) {
  if (!scroll || waiting) return;
  waiting = requestAnimationFrame(() => {
    waiting = 0;
    const canvas = scroll.querySelector("canvas");
    if (!canvas || !state.analysis) return;
    const all = whole(columns(state).length);
    const wide = Math.max(1, Math.min(all, scroll.clientWidth || all));
    sketch(state, canvas, wide, scroll.scrollLeft, window.devicePixelRatio || 1);
    canvas.whole = () => entire(all); // for a picture of it, which nobody scrolls
  });
}
function entire(all) {
  const paper = document.createElement("canvas");
  sketch(state, paper, all, 0, Math.min(2, 16000 / all));
  return paper;
}
addEventListener("resize", () => again(document.querySelector("#sp-heatmap .sp-scroll")));

function target(e) {
  const r = e.currentTarget.getBoundingClientRect();
  const scroll = e.currentTarget.closest(".sp-scroll");
  const shown = columns(state);
  return { shown, ...under(state, shown, e.clientX - r.left, e.clientY - r.top, scroll.scrollLeft) };
}
function point(e) {
  const { shown, row, column } = target(e);
  if (over && over.row === row && over.column === column) return;
  over = { row, column };
  const h = state.analysis.heatmap;
  if (column >= 0) set({ hover: { latent: h.latents[shown[column]] } });
  else set({ hover: row >= 0 ? { token: h.tokens[row] } : null });
}
function click(e) {
  const { shown, row, column } = target(e);
  const h = state.analysis.heatmap;
  at = column;
  if (row >= 0) set({ token: h.tokens[row] });
  if (column >= 0) {
    const id = h.latents[shown[column]];
    if (state.latent !== id) chooseLatent(id);
  } else if (row >= 0) set({ latent: null });
}
function keys(e) {
  const h = state.analysis.heatmap;
  const shown = columns(state);
  const clamp = (v, most) => Math.min(Math.max(v, 0), most);
  const across = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
  const down = { ArrowDown: 1, ArrowUp: -1 }[e.key];
  if (across) {
    at = at === null || at < 0 ? 0 : clamp(at + across, shown.length - 1);
    const [a, seen] = [CELL * at, e.currentTarget.clientWidth - LEFT - CELL];
    if (a < e.currentTarget.scrollLeft) e.currentTarget.scrollLeft = a;
    else if (a > e.currentTarget.scrollLeft + seen) e.currentTarget.scrollLeft = a - seen;
    set({ latent: h.latents[shown[at]], hover: null });
  } else if (down) {
    const rows = rowsOf(state);
    set({
      token: h.tokens[rows[clamp(rows.indexOf(h.tokens.indexOf(state.token)) + down, rows.length - 1)]],
    });
  } else if (e.key === "Enter" && state.latent !== null && !state.kase) toggle([state.latent]);
  else return;
  e.preventDefault();
}
