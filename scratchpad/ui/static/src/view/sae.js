// SAE: every latent at once, found by a word, by a point, by a rectangle or by its cluster.
import { html, nothing } from "lit-html";
import { testOnly, toggle } from "../actions.js";
import { firing } from "../derive.js";
import { draws } from "../directives.js";
import { png } from "../png.js";
import { set, state } from "../store.js";
import { figures, name, times } from "../text.js";
import { call } from "../wire.js";
import { term } from "../words.js";
import { openLatent } from "./latent.js";
import { lasso } from "./lasso.js";
import { arrows, draw, inside, nearest, tint } from "./scatter.js";

let hits = null; // {text, what, rows, error} of the last search
let waiting = 0;
let shadedBy = "entropy"; // or "here"

export function openSae(s) {
  if (s.sae && s.sae.choice === s.draft.choice) return;
  const choice = s.draft.choice;
  state.sae = { choice, all: null };
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
    ${results(s)} ${all && all.error ? html`<p class="sp-error" role="alert">${all.error}</p>` : nothing}
    ${all && all.ids && !all.ids.length
      ? html`<p class="sp-note">This SAE has no index; scratchpad index makes one.</p>`
      : nothing}
    ${all && all.ids && all.ids.length ? scatter(s, all) : nothing}`;
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

function scatter(s, all) {
  const dark = document.body.classList.contains("dark");
  const marked = s.reading?.id ?? s.latent;
  const key = [s.sae.choice, s.page?.key, shadedBy, marked, dark, all.ids.length].join("/");
  return html`<figure class="sp-scatterbox">
    <div class="sp-scatterarea">
      <canvas
        class="sp-scatter"
        tabindex="0"
        role="img"
        aria-label="${all.ids
          .length} latents by how many pictures they fire on and how strongly. Arrow keys step through them."
        ${draws(key, (canvas) => draw(canvas, all, marked, shade(s, all)))}
        ${lasso(
          (area) => show(inside(area), "in the rectangle"),
          (e) => pick(nearest(e)),
        )}
        @keydown=${(e) => pick(arrows(e, s.reading?.id ?? null))}
      ></canvas>
      <i class="sp-lasso" hidden></i>
    </div>
    <figcaption class="sp-note">
      Each point a latent that fires at all. ${explained()} Choose a point for its page; drag a rectangle to
      list the latents in it.
    </figcaption>
  </figure>`;
}

const explained = () =>
  shadedBy === "entropy"
    ? html`Bright: its top pictures carry many labels (${term("entropy", "label entropy")}); dark: one.`
    : html`Bright: it fires strongly on this picture; grey: not at all.`;

const pick = (id) => id !== null && id !== undefined && openLatent(id);

function results(s) {
  if (!hits) return nothing;
  if (hits.error) return html`<p class="sp-error">${hits.error}</p>`;
  if (!hits.ids.length)
    return hits.text.trim()
      ? html`<p class="sp-note">${hits.what ? "No latent is there." : "No latent is named so."}</p>`
      : nothing;
  const here = s.analysis && !s.kase ? hits.ids.filter((id) => s.analysis.column.has(id)) : [];
  const all = here.length > 0 && here.every((id) => s.picked.includes(id));
  const listed = hits.rows.length < hits.ids.length ? ` (${hits.rows.length} are listed)` : "";
  return html`<div class="sp-bar sp-hitbar" aria-live="polite">
      <span>${times(hits.ids.length, "latent")} ${hits.what}${listed}, ${here.length} of them fire here</span>
      ${here.length
        ? html`<button
              type="button"
              class="sp-quietly"
              data-hits-put
              aria-pressed=${all}
              @click=${() => toggle(here)}
            >
              ${all ? "✓ in the test" : `Put ${here.length} into the test`}</button
            ><button
              type="button"
              class="sp-quietly"
              data-hits-test
              ?disabled=${!!s.jobs.test}
              title="Switches them off and asks again"
              @click=${() => testOnly(here)}
            >
              Test ${here.length}
            </button>`
        : nothing}
    </div>
    <div class="sp-row sp-hits">
      ${hits.rows.map(
        (l) =>
          html`<button
            type="button"
            class="sp-chip ${here.includes(l.id) ? "sp-lit" : ""}"
            data-show=${l.id}
            title=${here.includes(l.id) ? "Fires on this picture" : nothing}
            @click=${() => openLatent(l.id)}
          >
            ${name({ guess: "", ...l })}
          </button>`,
      )}
    </div>`;
}

function search(e) {
  const text = e.target.value;
  clearTimeout(waiting);
  waiting = setTimeout(() => show(text, ""), 150);
}

/** Lists latents by a text, by a decoder cluster's number, or as given. */
async function show(which, what) {
  const told = await call("search", [state.draft.choice, which]);
  const rows = told.latents || [];
  const ids = Array.isArray(which) ? which : rows.map((row) => row.id);
  hits = { text: String(which), what, ids, rows, error: told.error };
  set({});
}

export function showCluster(n) {
  set({ tab: "sae" });
  show(n, `in decoder cluster ${n}`);
}
