// SAE: every latent at once, found by a word, by a point, by a rectangle or by its cluster.
import { html, nothing } from "lit-html";
import { firing } from "../derive.js";
import { draws } from "../directives.js";
import { png } from "../png.js";
import { set, state } from "../store.js";
import { figures } from "../text.js";
import { call } from "../wire.js";
import { term } from "../words.js";
import { forgetHits, results, show } from "./hits.js";
import { openLatent } from "./latent.js";
import { lasso } from "./lasso.js";
import { arrows, draw, extent, nearest, spanned, tint, within } from "./scatter.js";
import { ranges, rounded } from "./ranges.js";

let waiting = 0;
let shadedBy = "entropy"; // or "here"
let framed = null; // the ranges that were listed: {sparsity: [from, to], mean: [from, to]}

export function openSae(s) {
  if (s.sae && s.sae.choice === s.draft.choice) return;
  const choice = s.draft.choice;
  state.sae = { choice, all: null };
  framed = null;
  forgetHits();
  queueMicrotask(async () => {
    const all = await call("overview", choice);
    if (state.draft.choice === choice) set({ sae: { choice, all } });
  });
}

export function saeTab(s) {
  const all = s.sae && s.sae.all;
  return html`<div class="sp-bar">
      <label class="sp-field"
        ><span>find a ${term("latent", "latent")} by word</span>
        <input type="search" class="sp-find" maxlength="80" placeholder="octopus" @input=${search} /></label
      >${s.analysis ? shading() : nothing} ${all?.ids?.length ? scale(shade(s, all)) : nothing}<span
        class="sp-gap"
      ></span
      >${png()}
    </div>
    ${all?.ids?.length ? nothing : results(s)}
    ${all && all.error ? html`<p class="sp-error" role="alert">${all.error}</p>` : nothing}
    ${all && all.ids && !all.ids.length
      ? html`<p class="sp-note">This SAE has no index; scratchpad index makes one.</p>`
      : nothing}
    ${all && all.ids && all.ids.length
      ? html`<div class="sp-points">
          ${scatter(s, all)} ${ranges(framed ?? rounded(extent(all)), (typed) => list(all, typed))}
          ${results(s)}
        </div>`
      : nothing}`;
}

const shading = () =>
  html`<label class="sp-field"
    >colour
    <select
      data-shade
      @change=${(e) => {
        shadedBy = e.target.value;
        set({});
      }}
    >
      <option value="entropy" ?selected=${shadedBy === "entropy"}>label entropy</option>
      <option value="here" ?selected=${shadedBy === "here"}>strength on this picture</option>
    </select></label
  >`;

/** What colours the points: {values, low, high}. */
function shade(s, all) {
  if (shadedBy === "entropy" || !s.analysis) {
    const known = all.entropy.filter((v) => v !== null);
    return { values: all.entropy, low: Math.min(...known, Infinity), high: Math.max(...known, 0) };
  }
  const top = (id) => firing(s.analysis, id).reduce((most, v) => Math.max(most, v), 0);
  const values = all.ids.map((id) => (s.analysis.column.has(id) ? top(id) : null));
  return { values, low: 0, high: Math.max(...values, 0) };
}

const GRADIENT = [0, 0.25, 0.5, 0.75, 1].map(tint).join();
function scale({ low, high }) {
  if (!(high > low)) return nothing;
  return html`<span class="sp-scale" title=${shadedBy === "entropy" ? "nats" : "strength"}
    ><span>${figures(low)}</span><i style="background:linear-gradient(90deg,${GRADIENT})"></i
    ><span>${figures(high)}${shadedBy === "entropy" ? " nats" : ""}</span></span
  >`;
}

const POINTS =
  "latents by how many pictures they fire on and how strongly. Arrow keys step through them; the fields beside list " +
  "those in a range.";

function scatter(s, all) {
  const dark = document.body.classList.contains("dark");
  const marked = s.reading?.id ?? s.latent;
  const key = [
    s.sae.choice,
    s.page?.key,
    shadedBy,
    marked,
    dark,
    all.ids.length,
    JSON.stringify(framed),
  ].join("/");
  return html`<figure class="sp-scatterbox">
    <div class="sp-scatterarea">
      <canvas
        class="sp-scatter"
        tabindex="0"
        role="img"
        aria-label=${`${all.ids.length} ${POINTS}`}
        ${draws(key, (canvas) => draw(canvas, all, marked, shade(s, all), framed))}
        ${lasso(
          (area) => list(all, spanned(area) && rounded(spanned(area))),
          (e) => pick(nearest(e)),
        )}
        @keydown=${(e) => pick(arrows(e, s.reading?.id ?? null))}
      ></canvas>
      <i class="sp-lasso" hidden></i>
    </div>
    <figcaption class="sp-note">
      Each point a latent that fires at all. ${explained()} Choose a point for its page; drag a rectangle, or
      type its sides, to list the latents in it.
    </figcaption>
  </figure>`;
}

/** Lists the latents within ranges, and frames them. */
function list(all, typed) {
  framed = typed;
  show(typed ? within(all, typed) : [], "in the rectangle");
}

const explained = () =>
  shadedBy === "entropy"
    ? html`Bright: its top pictures carry many labels (${term("entropy", "label entropy")}); dark: one.`
    : html`Bright: it fires strongly on this picture; grey: not at all.`;

const pick = (id) => id !== null && id !== undefined && openLatent(id);

function search(e) {
  const text = e.target.value;
  clearTimeout(waiting);
  framed = null;
  waiting = setTimeout(() => show(text, ""), 150);
}

export function showCluster(n) {
  framed = null;
  set({ tab: "sae" });
  show(n, `in decoder cluster ${n}`);
}
