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
  patch: ["one black cell", "cell"],
  "single-word": ["one word", "word"],
  "multi-words": ["a word among words", "words"],
  text: ["a word in running text", "text"],
  symbols: ["a symbol among symbols", "symbols"],
  scenes: ["a thing of this model's own world", "things"],
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

/** Plain counts of the data set nearest to the question; a small bar for each, with interval and chance. */
export function sentence(measured, says) {
  if (!measured) return `How well ${says.replace("Maps", "maps")} find things isn't measured of this model.`;
  const [first, ...others] = measured.sets;
  const chance = Math.round(first.chance * first.images);
  const all = html`, the test most like this question. In each:
    <span class="sp-worths">${measured.sets.map(bar)}</span>`;
  return html`${says} pointed at the right place in ${count(first)} tests with ${PLACES[first.dataset][0]}
    (${chance} by chance)${others.length ? all : "."}
    <button type="button" class="sp-link" @click=${() => set({ tab: "maps" })}>How</button>`;
}

const hits = (row) => Math.round(row.accuracy * row.images);
const interval = (row) => `95%: ${percent(row.low)} to ${percent(row.high)}`;

const count = (row) =>
  html`<span data-measured=${row.dataset} title=${interval(row)}><b>${hits(row)}</b> of ${row.images}</span>`;

function bar(row) {
  const [place, short] = PLACES[row.dataset];
  const says = `${hits(row)} of ${row.images} with ${place}; ${interval(row)}; ${percent(row.chance)} by chance`;
  const at = `--v:${row.accuracy};--low:${row.low};--high:${row.high};--chance:${row.chance}`;
  return html`<span class="sp-worth" role="img" data-worth=${row.dataset} title=${says} aria-label=${says}>
    ${short} ${hits(row)}<i style=${at}></i>
  </span>`;
}

function measure(s, method) {
  if (s.kase || !can("measured")) return nothing;
  const run = () => {
    set({ tab: "maps" });
    send("needle", { by: "answer", dataset: "single-word", cells: "7x7", methods: [method] }, "Measuring");
  };
  return html`<button type="button" class="sp-link" data-trust=${method} @click=${run}>Measure it</button>`;
}
