// LOOK: the answer and the question as tokens, the picture under the chosen map. Stays in view while the rest scrolls.
import { html, nothing } from "lit-html";
import { chooseToken } from "../actions.js";
import { outdated } from "../asking.js";
import { brush, onMap, spokenOf, tokensOf } from "../derive.js";
import { set } from "../store.js";
import { chance, nats, token as say } from "../text.js";
import { meaning } from "../words.js";
import { trouble } from "./going.js";
import { map } from "./map.js";

export function look(s) {
  const a = s.analysis;
  if (!a) return waiting(s);
  const old = outdated(s) && !s.jobs.ask;
  return html`<section class="sp-look" id="sp-look" aria-label="Answer and map">
    ${old ? html`<p class="sp-oldness" role="status">Of the question before; ask to renew it.</p>` : nothing}
    ${answer(s)} ${map(s)}
  </section>`;
}

function answer(s) {
  const a = s.analysis;
  const shown = onMap(s);
  const weights = shown.latent !== undefined ? (a.spoken ? spokenOf : tokensOf)(a, shown.latent) : new Map();
  const lit = brush(s).token;
  const chip = (t) => tokenButton(s, t, weights.get(t.index) || 0, lit === t.index);
  const of = (role) => a.tokens.filter((t) => t.role === role);
  const outputs = of("output");
  return html`<div class="sp-said">
    <div class="sp-answer" role="group" aria-label="Answer, token by token">
      ${outputs.length ? outputs.map(chip) : html`<em class="sp-nothing">${silent(a)}</em>`}
    </div>
    <div class="sp-asked" role="group" aria-label="Question, token by token">
      ${of("prompt").map(chip)}
      <details class="sp-hidden">
        <summary title="System and template tokens">…</summary>
        <span>${of("system").map(chip)}</span>
      </details>
    </div>
    ${s.page.note ? html`<p class="sp-note sp-foreign">${s.page.note}</p>` : nothing}
  </div>`;
}

/** Why there is no answer to be seen. */
export const silent = (a) =>
  a.sizes.length > 1
    ? "The model answered with nothing. It may not be trained on several pictures at once: ask about one of them."
    : "The model answered with nothing: it ended at once. Ask in other words.";

function tokenButton(s, t, weight, lit) {
  const chosen = s.token === t.index;
  const sure =
    t.logprob === null
      ? `${t.role} token`
      : `${chance(t.logprob)} likely (log-probability ${nats(t.logprob)}). ${meaning("logprob")}`;
  return html`<button
    type="button"
    class="sp-token sp-${t.role} ${lit ? "sp-lit" : ""}"
    data-token=${t.index}
    aria-pressed=${chosen}
    style="--w:${weight.toFixed(2)}"
    title=${sure}
    @click=${() => chooseToken(t.index)}
    @pointerenter=${() => set({ hover: { token: t.index } })}
    @pointerleave=${() => set({ hover: null })}
    @focus=${(e) => e.target.matches(":focus-visible") && set({ hover: { token: t.index } })}
    @blur=${() => set({ hover: null })}
  >
    ${say(t.text)}
  </button>`;
}

function waiting(s) {
  const text = s.boot.live
    ? "Add a picture, ask a question, and the answer stands here."
    : "No model is loaded here: cases are shown. Open one from the gallery.";
  return html`<section class="sp-look" id="sp-look" aria-label="Answer and map">
    ${trouble(s, "keep")}
    <p class="sp-note">${text}</p>
    <div class="sp-ghost sp-ghost-map"></div>
  </section>`;
}
