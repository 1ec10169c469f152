// The edit as chips: each latent, what is done to it and by how much.
import { html, nothing } from "lit-html";
import { chooseLatent, toggle } from "../actions.js";
import { latentOf } from "../derive.js";
import { placeText } from "../place.js";
import { set } from "../store.js";
import { brief, plain } from "../text.js";
import { online } from "../wire.js";

const OPS = [
  ["scale", "×"],
  ["set", "="],
  ["add", "+"],
];
const STARTS = { set: 0, add: 1 };

export function chips(s) {
  const fixed = !!s.kase || !online();
  if (!s.picked.length)
    return html`<p class="sp-note sp-picked">
      ${fixed || !s.keepError
        ? fixed
          ? "No test in this case."
          : "The SAE's bare reconstruction, nothing switched off."
        : html`Does the answer depend on it? <b>Switch off</b> concepts, or take a set:`}
    </p>`;
  return html`<div class="sp-picked" role="group" aria-label="In the test">
    ${s.picked.map((id) => chip(s, latentOf(s.analysis, id), fixed))} ${where(s)}
  </div>`;
}

function chip(s, l, fixed) {
  const says = plain(l);
  const op = s.ops[l.id] || "scale";
  return html`<span class="sp-in" data-in=${l.id}>
    <button
      type="button"
      class="sp-plain"
      aria-pressed=${s.latent === l.id}
      @click=${() => chooseLatent(l.id)}
    >
      ${brief(l)} <small class="sp-id">#${l.id}</small>
    </button>
    <select
      data-op=${l.id}
      ?disabled=${fixed}
      aria-label="What is done to ${says}"
      @change=${(e) => choose(s, l.id, e.target.value)}
    >
      ${OPS.map(([key, sign]) => html`<option value=${key} ?selected=${op === key}>${sign}</option>`)}
    </select>
    <input
      type="number"
      step="0.1"
      data-own=${l.id}
      .value=${String(s.own[l.id] ?? "")}
      placeholder=${op === "scale" ? s.strength : 0}
      ?disabled=${fixed}
      aria-label="by how much, ${says}"
      title="By how much; empty: as the slider says"
      @change=${(e) => own(s, l.id, e.target.value)}
    />
    ${fixed
      ? nothing
      : html`<button
          type="button"
          class="sp-plain"
          data-drop=${l.id}
          aria-label="Leave ${says} out"
          @click=${() => toggle([l.id])}
        >
          ×
        </button>`}
  </span>`;
}

function choose(s, id, op) {
  const values = { ...s.own };
  if (STARTS[op] === undefined) delete values[id];
  else values[id] = STARTS[op];
  set({ ops: { ...s.ops, [id]: op }, own: values });
}

function own(s, id, text) {
  const values = { ...s.own };
  const value = parseFloat(text);
  if (Number.isFinite(value)) values[id] = value;
  else delete values[id];
  set({ own: values });
}

/** Where the edit acts, if not everywhere. */
function where(s) {
  if (!s.region && s.image === null) return nothing;
  const part = s.region
    ? `inside ${placeText(s.analysis, s.region, s.image)}`
    : `on picture ${(s.image || 0) + 1}`;
  return html`<small class="sp-where">only ${part}</small>`;
}
