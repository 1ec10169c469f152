// SAE: every latent at once, found by a word, by a point or by its cluster.
import { html, nothing } from "lit-html";
import { draws } from "../directives.js";
import { png } from "../png.js";
import { set, state } from "../store.js";
import { name } from "../text.js";
import { call } from "../wire.js";
import { term } from "../words.js";
import { openLatent } from "./latent.js";
import { arrows, draw, nearest } from "./scatter.js";

let hits = null; // {text, rows} of the last search
let waiting = 0;

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
  const dark = document.body.classList.contains("dark");
  const key = all && all.ids ? `${s.sae.choice}/${s.reading?.id}/${s.latent}/${dark}/${all.ids.length}` : "";
  return html`<div class="sp-bar">
      <label class="sp-field"
        >find a ${term("latent", "latent")} by word
        <input type="search" class="sp-find" maxlength="80" placeholder="octopus" @input=${search} /></label
      ><span class="sp-gap"></span>${png()}
    </div>
    <div class="sp-row sp-hits" aria-live="polite">${results()}</div>
    ${all && all.error ? html`<p class="sp-error" role="alert">${all.error}</p>` : nothing}
    ${all && all.ids && !all.ids.length
      ? html`<p class="sp-note">This SAE has no index; scratchpad index makes one.</p>`
      : nothing}
    ${all && all.ids && all.ids.length
      ? html`<figure class="sp-scatterbox">
          <canvas
            class="sp-scatter"
            tabindex="0"
            role="img"
            aria-label="${all.ids
              .length} latents by how many pictures they fire on and how strongly. Arrow keys step through them."
            ${draws(key, (canvas) => draw(canvas, all, s.reading?.id ?? s.latent))}
            @click=${(e) => pick(nearest(e))}
            @keydown=${(e) => pick(arrows(e, s.reading?.id ?? null))}
          ></canvas>
          <figcaption class="sp-note">
            Each point a latent that fires at all. Bright: its top pictures carry many labels
            (${term("entropy", "label entropy")}); dark: one. Choose a point for its page.
          </figcaption>
        </figure>`
      : nothing}`;
}

const pick = (id) => id !== null && id !== undefined && openLatent(id);

function results() {
  if (!hits) return nothing;
  if (hits.error) return html`<p class="sp-error">${hits.error}</p>`;
  if (!hits.rows.length)
    return hits.text.trim() ? html`<p class="sp-note">No latent is named so.</p>` : nothing;
  return hits.rows.map(
    (l) =>
      html`<button type="button" class="sp-chip" data-show=${l.id} @click=${() => openLatent(l.id)}>
        ${name({ guess: "", ...l })}
      </button>`,
  );
}

function search(e) {
  const text = e.target.value;
  clearTimeout(waiting);
  waiting = setTimeout(() => show(text), 150);
}

/** Lists latents by a text, or by a decoder cluster's number. */
async function show(which) {
  const told = await call("search", [state.draft.choice, which]);
  hits = { text: String(which), rows: told.latents || [], error: told.error };
  set({});
}

export function showCluster(n) {
  set({ tab: "sae" });
  show(n);
}
