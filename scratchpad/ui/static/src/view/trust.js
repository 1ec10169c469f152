// What a map of a kind is worth, as far as it was measured of this model.
import { html, nothing } from "lit-html";
import { set } from "../store.js";
import { percent } from "../text.js";
import { can, send } from "../wire.js";
import { chosen } from "./weighing.js";

const KINDS = {
  attention: ["Maps of this kind", "attentionTrust", "attention"],
  concept: ["Maps of the concepts an answer weighs", "conceptTrust", "sae-attention"],
};

const PLACES = {
  patch: "one black cell",
  "single-word": "one word",
  "multi-words": "a word among words",
  text: "a word in running text",
  symbols: "a symbol among symbols",
  scenes: "a thing of this model's own world",
};

export function trust(s, kind) {
  const [says, field, method] = KINDS[kind];
  if (chosen(s.analysis))
    return html`<p class="sp-trust">
      How well maps${chosen(s.analysis)} find things isn't measured: what was measured is of all.
    </p>`;
  const measured = s.trusts[method] !== undefined ? s.trusts[method] : s.analysis[field];
  return html`<p class="sp-trust">${sentence(measured, says)} ${measured ? nothing : measure(s, method)}</p>`;
}

/** Plain counts of every data set that was measured, the one nearest to the question first. */
export function sentence(measured, says) {
  if (!measured) return `How well ${says.replace("Maps", "maps")} find things isn't measured of this model.`;
  const [first, ...others] = measured.sets;
  const chance = Math.round(first.chance * first.images);
  const more = others.map((row) => html`, ${count(row)} with ${PLACES[row.dataset]}`);
  return html`${says} pointed at the right place in ${count(first)} tests with ${PLACES[first.dataset]}
    (${chance} by chance)${others.length ? html`, the nearest to this question${more}` : nothing}.
    <button type="button" class="sp-link" @click=${() => set({ tab: "maps" })}>How</button>`;
}

const count = (row) =>
  html`<span data-measured=${row.dataset} title=${`95%: ${percent(row.low)} to ${percent(row.high)}`}
    ><b>${Math.round(row.accuracy * row.images)}</b> of ${row.images}</span
  >`;

function measure(s, method) {
  if (s.kase || !can("measured")) return nothing;
  const run = () => {
    set({ tab: "maps" });
    send("needle", { by: "answer", dataset: "single-word", cells: "7x7", methods: [method] }, "Measuring");
  };
  return html`<button type="button" class="sp-link" data-trust=${method} @click=${run}>Measure it</button>`;
}
