// TEST: what is off, how strongly, asked again; the answer before and after with one verdict. Stays at the bottom;
// opens upwards for the evidence.
import { html, nothing } from "lit-html";
import { clear, test } from "../actions.js";
import { draws } from "../directives.js";
import { canUndo, set, shownRun, undo } from "../store.js";
import { online } from "../wire.js";
import { term } from "../words.js";
import { chips } from "./chips.js";
import { evidence } from "./evidence.js";
import { going, trouble } from "./going.js";
import { strip } from "./runs.js";
import { verdict } from "./verdict.js";

export function testBar(s, old) {
  if (!s.analysis) return nothing;
  const { run } = shownRun(s);
  const more = !!(run || s.diagnosis || s.verified);
  return html`<section
    class="sp-test ${s.evidence && more ? "sp-open" : ""} ${old}"
    id="sp-test"
    aria-label="Test"
  >
    ${s.evidence && more ? evidence(s) : nothing}
    <div class="sp-testrow">${chips(s)} ${s.kase || !online() ? nothing : controls(s)}</div>
    <div class="sp-testrow sp-result">
      ${s.jobs.test ? going(s, "test") : s.errors.test ? trouble(s, "test") : verdict(s)}
      <span class="sp-gap"></span> ${strip(s)}
      ${more
        ? html`<button
            type="button"
            class="sp-quietly"
            data-evidence
            aria-expanded=${s.evidence}
            @click=${() => set({ evidence: !s.evidence })}
          >
            ${s.evidence ? "Close" : "Evidence"}
          </button>`
        : nothing}
    </div>
  </section>`;
}

function controls(s) {
  const running = !!s.jobs.test;
  const ready = s.picked.length > 0 || !s.keepError; // the bare reconstruction is an edit too
  const button = (what, text, title) =>
    html`<button
      type="button"
      class="sp-button"
      data-do=${what}
      title=${title}
      ?disabled=${running}
      @click=${() => test(what)}
    >
      ${text}
    </button>`;
  return html`<div class="sp-controls">
    ${s.picked.length ? strength(s) : nothing}
    <button
      type="button"
      class="sp-go"
      data-do="go"
      ?disabled=${running || !ready}
      ${draws(String(running), (go) => running || focusAgain(go))}
      @click=${(e) => {
        pressed = e.detail === 0; // by a key
        test("ablate");
      }}
    >
      Ask again
    </button>
    <span class="sp-or" aria-hidden="true">or</span>
    ${button(
      "suggested",
      "Suggested set",
      "Tests the latents that one backward pass predicts the answer leans on most",
    )}
    ${button(
      "smallest",
      "Smallest set",
      "Searches the fewest latents without which the answer changes, or becomes the expected one",
    )}
    ${button(
      "diagnose",
      "Diagnose",
      "Which of three failure modes a wrong answer fits; say what it should have been under ⋯",
    )}
    ${menu(s, running)}
  </div>`;
}

let pressed = false;

/** A button loses the focus as it is disabled; who pressed it by a key goes on from it. */
function focusAgain(go) {
  if (pressed && document.activeElement === document.body) go.focus({ preventScroll: true });
  pressed = false;
}

const strength = (s) =>
  html`<label class="sp-strength" title="What each latent's strength is multiplied by: 0 switches it off">
    ×
    <input
      type="range"
      min="0"
      max="4"
      step="0.1"
      aria-label="Strength of what is in the test"
      .value=${String(s.strength)}
      @input=${(e) => set({ strength: +e.target.value })}
    /><output>${s.strength === 0 ? "off" : s.strength.toFixed(1)}</output></label
  >`;

function menu(s, running) {
  const field = (key, label, attributes) =>
    html`<label class="sp-field" title=${attributes.title}
      ><span>${label}</span
      ><input
        type="text"
        data-how=${key}
        inputmode=${attributes.mode || "text"}
        maxlength="200"
        placeholder=${attributes.placeholder || ""}
        .value=${s[key]}
        @input=${(e) => set({ [key]: e.target.value })}
    /></label>`;
  return html`<details
    class="sp-pop sp-up"
    @keydown=${(e) => e.key === "Escape" && (e.currentTarget.open = false)}
  >
    <summary class="sp-button" aria-label="More ways to test" title="More ways to test">⋯</summary>
    <div class="sp-menu">
      ${field("target", "expected answer", {
        placeholder: "a word or two",
        title:
          "What the answer should have been: what the smallest set must bring out, what a diagnosis takes as right",
      })}
      ${field("temperature", "also draw at temperature", {
        placeholder: "none",
        mode: "decimal",
        title: "One answer drawn before and one after, from the same chance",
      })}
      ${field("seed", "with seed", { mode: "numeric", title: "The same seed draws the same" })}
      <label class="sp-switch"
        ><input
          type="checkbox"
          data-how="keepError"
          .checked=${s.keepError}
          @change=${(e) => set({ keepError: e.target.checked })}
        />
        keep the SAE's error <small>(off: its ${term("reconstruction", "bare reconstruction")})</small></label
      >
      <div class="sp-row">
        <button
          type="button"
          class="sp-quietly"
          data-do="verify"
          ?disabled=${running}
          title="Ablates the 128 latents that the answer is likeliest to rest on, one by one"
          @click=${(e) => {
            e.currentTarget.closest("details").open = false; // what it brings stands where the menu does
            test("verify");
          }}
        >
          Verify predictions
        </button>
        <button type="button" class="sp-quietly" data-do="undo" ?disabled=${!canUndo()} @click=${undo}>
          Undo
        </button>
        <button type="button" class="sp-quietly" data-do="clear" @click=${clear}>Clear</button>
      </div>
    </div>
  </details>`;
}
