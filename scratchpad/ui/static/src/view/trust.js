// What a map of a kind is worth, as far as it was measured of this model.
import { html, nothing } from "lit-html";
import { set } from "../store.js";
import { percent } from "../text.js";
import { can, send } from "../wire.js";
import { term } from "../words.js";

const KINDS = {
  attention: ["Maps of this kind", "attentionTrust", "attention"],
  concept: ["Maps of the concepts an answer weighs", "conceptTrust", "sae-attention"],
};

export function trust(s, kind) {
  const [says, field, method] = KINDS[kind];
  const measured = s.trusts[method] !== undefined ? s.trusts[method] : s.analysis[field];
  return html`<p class="sp-trust">${sentence(measured, says)} ${measured ? nothing : measure(s, method)}</p>`;
}

export function sentence(measured, says) {
  if (!measured) return `How well ${says.replace("Maps", "maps")} find things isn't measured of this model.`;
  const set0 = measured.sets.find((one) => one.dataset === measured.nearest) || measured.sets[0];
  return html`${says} find the ${term("needle")} in <b>${percent(set0.accuracy)}</b> of ${set0.images}
    pictures (${percent(set0.low)}–${percent(set0.high)}; ${percent(set0.chance)} by chance).`;
}

function measure(s, method) {
  if (s.kase || !can("measured")) return nothing;
  const run = () => {
    set({ tab: "maps" });
    send("needle", { by: "answer", dataset: "single-word", cells: "7x7", methods: [method] }, "Measuring");
  };
  return html`<button type="button" class="sp-link" data-trust=${method} @click=${run}>Measure it</button>`;
}
