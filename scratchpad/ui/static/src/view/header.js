// The head of the page: name, model, SAE and layer, certificate, and what opens over the page.
import { html, nothing } from "lit-html";
import { choose } from "../asking.js";
import { set } from "../store.js";
import { point } from "../text.js";
import { online } from "../wire.js";
import { term } from "../words.js";
import { badge } from "./certificate.js";
import { seen, startTour } from "./tour.js";

/** What a choice of the menu is of. */
export const offered = (s) => (s.boot.models > 1 ? "model, SAE" : "SAE");

export function header(s) {
  const a = s.analysis;
  const opens = (drawer, text) =>
    html`<button
      type="button"
      class="sp-plain"
      data-open=${drawer}
      @click=${() => set({ drawer, term: null })}
    >
      ${text}
    </button>`;
  return html`<header class="sp-head" id="sp-header">
    <h1>Visual Scratchpad</h1>
    ${a && (s.boot.models < 2 || s.kase)
      ? html`<span class="sp-model"><small>model</small> ${a.model.name}</span>`
      : nothing}
    ${sae(s)} ${badge(s)}
    <nav aria-label="More">
      ${online() && s.boot.live && a && !s.kase
        ? html`<button
            type="button"
            class=${seen() ? "sp-plain" : "sp-quietly"}
            data-tour
            @click=${startTour}
          >
            ${seen() ? "Tour" : "New here? Take the tour"}
          </button>`
        : nothing}
      ${opens("glossary", "Glossary")} ${s.boot.listed.length ? opens("gallery", "Gallery") : nothing}
      ${online() && a ? opens("share", s.kase ? "Files" : "Share") : nothing}
    </nav>
  </header>`;
}

function sae(s) {
  const a = s.analysis;
  const { offers } = s.boot;
  const latents = a ? html`${a.sae.d_sae} ${term("latent", "latents")}` : nothing;
  if (offers.length < 2 || s.kase)
    return a
      ? html`<span class="sp-model"
          ><small>${term("sae", "SAE")}</small> ${a.sae.name}
          <small class="sp-quiet">${point(a.sae)}, ${latents}</small></span
        >`
      : nothing;
  return html`<span class="sp-model"
    ><label
      ><small>${offered(s)}</small>
      <select
        id="sp-choice"
        .value=${s.draft.choice}
        ?disabled=${!!s.jobs.ask}
        @change=${(e) => choose(e.target.value)}
      >
        ${offers.map(
          (o) => html`<option value=${o.id} ?selected=${o.id === s.draft.choice}>${o.label}</option>`,
        )}
      </select></label
    >
    ${a ? html`<small class="sp-quiet">${latents}</small>` : nothing}</span
  >`;
}
