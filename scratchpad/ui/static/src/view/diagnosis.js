// Which of three failure modes a wrong answer fits, with the tests behind it.
import { html, nothing } from "lit-html";
import { toggle } from "../actions.js";
import { name } from "../text.js";
import { check } from "./evidence.js";

const upper = (text) => text.charAt(0).toUpperCase() + text.slice(1);

export function diagnosis(s, d) {
  const latents = d.sufficient ? d.sufficient.latents : [];
  return html`<section class="sp-diagnosis" aria-label="Diagnosis">
    <p class="sp-verdict">
      <b>${d.mode === "none" ? "Fits none of the three modes" : `Fits: ${d.mode}`}.</b> ${upper(d.why)}
    </p>
    <ul class="sp-checks">
      ${d.tests.map(check)}
    </ul>
    ${latents.length && !s.kase
      ? html`<div class="sp-row">
          ${latents.map(
            (l) =>
              html`<button
                type="button"
                class="sp-chip"
                data-take=${l.id}
                aria-pressed=${s.picked.includes(l.id)}
                title="Put it in the test"
                @click=${() => toggle([l.id])}
              >
                ${name({ guess: "", ...l })}
              </button>`,
          )}
        </div>`
      : nothing}
  </section>`;
}
