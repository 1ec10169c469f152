// The SAE's certificate: a badge in the header, which opens to what its recipe does beside baselines.
import { html, nothing } from "lit-html";
import { set } from "../store.js";
import { times } from "../text.js";
import { term } from "../words.js";

// What is measured, as the record names it; flips and control_flips are the parts of causal and compared in it.
const MEASURES = {
  auroc: "labels: AUROC of the latent chosen for each",
  precision: "labels: precision at 5",
  recall: "labels: recall at 5",
  explained: "variance explained",
  answers: "answers kept under reconstruction",
  loss: "loss recovered",
  causal: "answers changed by the likeliest latent, less by matched others",
  flips: "… changed by the likeliest latent",
  control_flips: "… changed by matched others",
};

/** The certificate of the SAE on show, by its weights; null where there is none. */
export const certificate = (s) => s.boot.certificates.find((c) => c.identity === s.analysis?.sae.identity);

const beaten = (baseline) =>
  Object.values(baseline.beaten).length > 0 && Object.values(baseline.beaten).every(Boolean);

export function badge(s) {
  if (!s.analysis || !s.boot.live) return nothing;
  const c = certificate(s);
  if (!c)
    return s.kase
      ? nothing
      : html`<small class="sp-quiet" data-certificate="none" title="scratchpad eval-sae --sanity makes one"
          >no certificate</small
        >`;
  return html`<button
    type="button"
    class="sp-badge"
    data-certificate
    title=${`SAE certificate: ${c.sentence}`}
    @click=${() => set({ drawer: "certificate", term: null })}
  >
    beats ${c.baselines.filter(beaten).length} of ${c.baselines.length} baselines
  </button>`;
}

export function certificateDrawer(s) {
  const c = certificate(s);
  if (!c) return nothing;
  const { budget: b } = c;
  const cut = b.recipe_steps !== null && b.recipe_steps !== b.steps;
  return html`<p>
      ${c.sae} ${c.sentence}. Its recipe was trained anew over ${times(c.seeds.length, "seed")}, and so was
      each baseline that is trained, ${b.steps} steps of ${b.size} among ${b.activations.toLocaleString("en")}
      ${term("activation", "activations")}${cut ? `; the SAE itself has had ${b.recipe_steps} steps` : ""}.
      Measured in ${c.model}, on ${times(c.pictures, "picture")} it never saw, ${times(c.labels, "label")},
      ${times(c.asked, "question")}.
    </p>
    <div class="sp-wide sp-measures" tabindex="0" role="region" aria-label="Measures">
      <table>
        <thead>
          <tr>
            <th></th>
            <th>this SAE</th>
            <th>trained anew</th>
            ${c.baselines.map((baseline) => html`<th title=${baseline.made}>${baseline.name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${Object.keys(MEASURES)
            .filter((m) => m in c.trained)
            .map((m) => row(c, m))}
        </tbody>
      </table>
    </div>
    <p class="sp-note">
      ✓ beaten: this SAE and its recipe's whole 95% interval over seeds (±) lie above the baseline's. ✗ not
      beaten. An empty field wasn't measured.
    </p>
    <dl class="sp-glossary">
      ${c.baselines.map(
        (baseline) =>
          html`<div data-baseline=${baseline.name}>
            <dt>${baseline.name}: ${beaten(baseline) ? "beaten" : "not beaten in every measure"}</dt>
            <dd>${baseline.made}${baseline.unmeasured ? `; ${baseline.unmeasured}` : ""}.</dd>
          </div>`,
      )}
    </dl>
    ${c.shared
      ? html`<p class="sp-note">
          Of a seed's latents ${spread(c.shared)} have a decoder row of cosine above 0.7 in another seed; of
          this SAE's, ${figure(c.given_shared)}.
        </p>`
      : nothing}`;
}

const row = (c, m) =>
  html`<tr data-measure=${m}>
    <th scope="row">${MEASURES[m]}</th>
    <td>${m in c.given ? figure(c.given[m]) : nothing}</td>
    <td>${spread(c.trained[m])}</td>
    ${c.baselines.map(
      (baseline) =>
        html`<td>
          ${m in baseline.measures ? spread(baseline.measures[m]) : nothing}
          ${m in baseline.beaten ? mark(baseline.beaten[m]) : nothing}
        </td>`,
    )}
  </tr>`;

const mark = (is) => html`<span aria-label=${is ? "beaten" : "not beaten"}>${is ? "✓" : "✗"}</span>`;
const figure = (value) => value.toFixed(3).replace("-", "−");
/** A mean with half its interval; a single value alone. */
const spread = (v) => figure(v.mean) + (v.values.length > 1 ? ` ±${(v.mean - v.low).toFixed(3)}` : "");
