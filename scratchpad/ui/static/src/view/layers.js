// LAYERS: the same question, read at every layer that an SAE is offered for, side by side: position and colour early,
// things late. A thumbnail leads to its layer.
import { html, nothing } from "lit-html";
import { chooseLatent } from "../actions.js";
import { choose } from "../asking.js";
import { trustOf } from "../model.js";
import { figures, name, percent, point } from "../text.js";
import { send } from "../wire.js";
import { term } from "../words.js";
import { going, trouble } from "./going.js";
import { sentence } from "./trust.js";

export function openLayers(s) {
  if (!s.layers && !s.jobs.layers && !s.errors.layers) queueMicrotask(ask);
}
const ask = () => send("layers", {}, "Reading every layer");

export function layers(s) {
  const value = s.layers;
  return html`${going(s, "layers")} ${trouble(s, "layers", ask)}
  ${value
    ? html`<div class="sp-layers" style="--n:${value.layers.length}">
          ${value.layers.map((l) => column(s, l, value.blocks))}
        </div>
        <p class="sp-note">
          The concepts that the answer's attention weighs most at each layer; those that fire
          ${term("everywhere", "everywhere")} are left out. Choose a picture to read the answer at its layer.
        </p>`
    : s.jobs.layers
      ? html`<div class="sp-layers" style="--n:3">
          ${[1, 2, 3].map(() => html`<div class="sp-ghost sp-ghost-tall"></div>`)}
        </div>`
      : nothing}`;
}

const titled = (l) => point(l).replace(/^./, (c) => c.toUpperCase());

function column(s, l, blocks) {
  const offer = s.boot.offers.find((o) => o.sae === l.sae);
  const here = s.analysis.sae.name === l.sae;
  return html`<section class="sp-layer ${here ? "sp-chosen" : ""}" aria-label=${titled(l)}>
    <h2>${titled(l)} ${l.place ? nothing : html`<small>of 0–${blocks - 1}</small>`}</h2>
    <p class="sp-note">
      ${l.sae}${l.explained === null
        ? nothing
        : html`, ${term("explained", `explains ${percent(l.explained)} here`)}`}
    </p>
    ${l.concepts.map(
      ({ latent: r, src }) =>
        html`<button
          type="button"
          class="sp-layered"
          title=${here ? "Where it fires" : `Read the answer at ${point(l)}`}
          ?disabled=${!here && !offer}
          @click=${() => (here ? chooseLatent(r.id) : choose(offer.id, r.id))}
        >
          <img src=${src} alt="" /><span
            >${name({ guess: "", ...r })}<small>score ${figures(r.score)}</small></span
          >
        </button>`,
    )}
    ${l.concepts.length ? nothing : html`<p class="sp-note">nothing but what fires everywhere</p>`}
    <p class="sp-trust">${sentence(trustOf(l.trust), "Maps here")}</p>
  </section>`;
}
