// One concept as a card: its name, how strong it is, where it fires here, and four pictures on which it fires.
import { html, nothing } from "lit-html";
import { until } from "lit-html/directives/until.js";
import { chooseLatent, toggle } from "../actions.js";
import { detail } from "../references.js";
import { everywhere, firing } from "../derive.js";
import { draws } from "../directives.js";
import { around, paint } from "../paint.js";
import { set } from "../store.js";
import { figures, name, percent } from "../text.js";
import { meaning } from "../words.js";
import { openLatent } from "./latent.js";
import { shot } from "./map.js";
import { refs } from "./reference.js";

export function card(s, l, best, lit) {
  const off = s.picked.includes(l.id);
  const brushed = lit.latent === l.id || lit.lit?.has(l.id);
  const hover = () => set({ hover: { latent: l.id } });
  return html`<article
    class="sp-card ${s.latent === l.id ? "sp-chosen" : ""} ${brushed ? "sp-lit" : ""} ${off ? "sp-off" : ""}"
    data-id=${l.id}
    @pointerenter=${hover}
    @pointerleave=${() => set({ hover: null })}
    @focusin=${(e) => e.target.matches(":focus-visible") && hover()}
    @focusout=${() => set({ hover: null })}
  >
    <canvas
      class="sp-here"
      title="Where it fires on this picture"
      @click=${() => chooseLatent(l.id)}
      ${draws(`${s.page.key}/${l.id}`, (canvas) => here(canvas, s, l.id))}
    ></canvas>
    <div class="sp-naming">
      <button
        type="button"
        class="sp-name"
        data-latent=${l.id}
        aria-pressed=${s.latent === l.id}
        @click=${() => chooseLatent(l.id)}
      >
        ${name(l, { counted: true })}
      </button>
      <p class="sp-says">${says(s, l, best)}</p>
    </div>
    <div class="sp-does">
      <button
        type="button"
        class="sp-plain sp-read"
        data-read=${l.id}
        aria-label="All about latent ${l.id}"
        title="All about it"
        @click=${() => openLatent(l.id)}
      >
        ⋯
      </button>
      ${s.kase
        ? nothing
        : html`<button
            type="button"
            class="sp-pick"
            data-pick=${l.id}
            aria-pressed=${off}
            @click=${() => toggle([l.id])}
          >
            ${off ? "✓ off" : "switch off"}
          </button>`}
    </div>
    <div class="sp-refs">${until(references(l.id), waiting)}</div>
  </article>`;
}

const said = new Map(); // latent's references as a template's promise: one each, so that it isn't drawn again
function references(id) {
  const promise = detail(id);
  if (!said.has(promise)) {
    if (said.size > 600) said.clear();
    said.set(
      promise,
      promise.then(({ references: rows, error }) => {
        if (error) return html`<p class="sp-note">${error}</p>`;
        if (!rows.length) return html`<p class="sp-note">no reference pictures: the SAE has no index</p>`;
        return refs(id, rows.filter((row) => row.interval !== "counter-example").slice(0, 4));
      }),
    );
  }
  return said.get(promise);
}
const waiting = [1, 2, 3, 4].map(() => html`<i class="sp-ghost"></i>`);

/** Its numbers, each with what it is. */
function says(s, l, best) {
  const kind = { token: "score", patch: "strength", region: "inside" }[s.scope] ?? "mean";
  const words = { score: "score", strength: "activation", mean: "plain", inside: "region" };
  const value = kind === "inside" ? l.inside : l.value;
  return html`<span class="sp-meter" style="--v:${(l.value / best).toFixed(3)}"></span
    ><span title=${meaning(words[kind])}>${kind} ${figures(value)}</span> ${kind === "inside"
      ? html`<span title=${meaning("region")}>outside ${figures(l.outside)}</span> `
      : nothing}${l.sparsity === null || (kind === "inside" && !everywhere(l))
      ? nothing
      : html`<span title=${meaning("sparsity")} class=${everywhere(l) ? "sp-dense" : ""}
          >${everywhere(l) ? "everywhere: " : ""}in ${percent(l.sparsity)} of pictures</span
        >`}`;
}

function here(canvas, s, id) {
  const values = firing(s.analysis, id);
  const crop = s.analysis.sizes.length > 1 ? around(shot(s), values, 0.4) : null;
  return paint(canvas, shot(s), values, { width: 96, crop, smooth: true });
}
