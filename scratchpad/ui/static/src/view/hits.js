// Latents that were looked for in the SAE: how many, which of them fire here, and what can be done with those.
import { html, nothing } from "lit-html";
import { testOnly, toggle } from "../actions.js";
import { labelled } from "../derive.js";
import { choiceShown, set } from "../store.js";
import { brief, times } from "../text.js";
import { call } from "../wire.js";
import { openLatent } from "./latent.js";

let hits = null; // {text, what, ids, rows, area: whether they are of a rectangle, error} of the last search

/** Forgets what was found, as of another SAE. */
export function forgetHits() {
  hits = null;
}

/** Lists latents by a text, by a decoder cluster's number, or as given. */
export async function show(which, what) {
  const told = await call("search", [choiceShown(), which]);
  const rows = told.latents || [];
  const ids = Array.isArray(which) ? which : rows.map((row) => row.id);
  hits = { text: String(which), what, ids, rows, area: Array.isArray(which), error: told.error };
  set({});
}

/** What the last search found, said in a line that is always there, so that it's announced. */
export function results(s) {
  const none = !hits || !hits.ids.length;
  const here = !none && s.analysis && !s.kase ? hits.ids.filter((id) => s.analysis.column.has(id)) : [];
  const still = hits && (hits.text || hits.what) ? "" : "sp-still";
  return html`<div class="sp-results ${hits && !hits.area ? "sp-named" : ""}">
    <div class="sp-bar sp-hitbar ${still}">
      <span role="status">${none ? nothingFound() : counted(s, here)}</span>
      ${here.length ? offers(s, here) : nothing}
    </div>
    ${none
      ? nothing
      : html`<div class="sp-row sp-hits">
          ${hits.rows.map(
            (l) =>
              html`<button
                type="button"
                class="sp-chip ${here.includes(l.id) ? "sp-lit" : ""}"
                data-show=${l.id}
                title=${here.includes(l.id) ? "Fires on this picture" : nothing}
                @click=${() => openLatent(l.id)}
              >
                ${brief(labelled(l))} <small class="sp-id">#${l.id}</small>
              </button>`,
          )}
        </div>`}
  </div>`;
}

function nothingFound() {
  if (!hits) return nothing;
  if (hits.error) return html`<span class="sp-error">${hits.error}</span>`;
  if (!hits.text.trim() && !hits.what) return nothing;
  return hits.what ? "No latent is there." : "No latent is named so.";
}

function counted(s, here) {
  const listed = hits.rows.length < hits.ids.length ? ` (${hits.rows.length} are listed)` : "";
  const fire = s.analysis && !s.kase ? `, ${here.length} of them fire here` : "";
  return `${times(hits.ids.length, "latent")}${hits.what ? ` ${hits.what}` : ""}${listed}${fire}`;
}

function offers(s, here) {
  const all = here.every((id) => s.picked.includes(id));
  return html`<button
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
    </button>`;
}
