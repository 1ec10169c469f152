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

const ORDER = ["patch", "single-word", "multi-words", "text"];
const PLACES = {
  patch: "tests with one black cell",
  "single-word": "with one word",
  "multi-words": "with a word among words",
  text: "with a word in running text",
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

/** Plain counts, of every data set that was measured: what is easy to find beside what is hard. */
export function sentence(measured, says) {
  if (!measured) return `How well ${says.replace("Maps", "maps")} find things isn't measured of this model.`;
  const sets = ORDER.map((name) => measured.sets.find((row) => row.dataset === name)).filter(Boolean);
  const chance = sets[0].chance * sets[0].images;
  return html`${says} pointed at the right place in
    ${sets.map(
      (row, i) =>
        html`${i ? ", " : ""}<span title=${`95%: ${percent(row.low)} to ${percent(row.high)}`}
            ><b>${Math.round(row.accuracy * row.images)}</b> of ${row.images} ${PLACES[row.dataset]}</span
          >`,
    )}
    (${chance.toFixed(0)} by chance).
    <button type="button" class="sp-link" @click=${() => set({ tab: "maps" })}>How</button>`;
}

function measure(s, method) {
  if (s.kase || !can("measured")) return nothing;
  const run = () => {
    set({ tab: "maps" });
    send("needle", { by: "answer", dataset: "single-word", cells: "7x7", methods: [method] }, "Measuring");
  };
  return html`<button type="button" class="sp-link" data-trust=${method} @click=${run}>Measure it</button>`;
}
