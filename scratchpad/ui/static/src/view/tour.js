// The tour: four steps that do what they speak of. It clicks the word, the card, switches off and asks again.
import { html, nothing } from "lit-html";
import { chooseLatent, chooseToken, clear, test, toggle } from "../actions.js";
import { latentOf, ranking } from "../derive.js";
import { set, shownRun, state } from "../store.js";
import { plain, token as say } from "../text.js";

const KEY = "scratchpad-tour";
let concept = null; // the latent that the tour follows

/** Of the first cards, the one of largest predicted effect, whatever its sign. */
const likeliest = (cards) => {
  const size = (card) => Math.abs(state.analysis.effects.get(card.id) ?? 0);
  return [...cards.slice(0, 12)].sort((a, b) => size(b) - size(a))[0];
};

const STEPS = [
  {
    name: "Look",
    lit: ".sp-look",
    act: () => {
      clear();
      set({ tab: "concepts", evidence: false });
      chooseToken(state.page.open_token ?? state.analysis.outputs[0]?.index);
    },
    text: () =>
      html`The answer, word by word. We chose <b>${word()}</b>: the picture is lit where the model looked.`,
  },
  {
    name: "Find a concept",
    lit: () => `[data-id="${concept}"]`,
    act: () => {
      const { cards } = ranking(state); // what a test has shown to matter comes before what is predicted to
      const tested = state.runs.filter((run) => run.test.changed).flatMap((run) => run.edit.picked);
      concept = (cards.find((card) => tested.includes(card.id)) ?? likeliest(cards))?.id ?? null;
      if (concept !== null && state.latent !== concept) chooseLatent(concept);
    },
    text: () =>
      html`Concepts behind it, each shown by pictures it fires on. We chose <b>${said()}</b>: this picture is
        lit where it fires.`,
  },
  {
    name: "Switch it off",
    lit: ".sp-test",
    act: () => {
      if (concept !== null && !state.picked.includes(concept)) toggle([concept]);
      test("ablate");
    },
    text: () =>
      state.jobs.test
        ? html`Without <b>${said()}</b> the model is asked again, and so are its controls …`
        : html`Without <b>${said()}</b> the answer was
            “${shownRun().run?.test.comparison.after.text.trim() || "(nothing)"}”.`,
  },
  {
    name: "Weigh the evidence",
    lit: ".sp-test",
    act: () => set({ evidence: true }),
    text: () =>
      html`The verdict is only as good as its controls: random concepts, noise, the bare reconstruction. Now
        try <b>Smallest set</b>.`,
  },
];

const word = () => {
  const t = state.analysis.byIndex.get(state.token);
  return t ? say(t.text) : "";
};
const said = () => (concept === null ? "" : plain(latentOf(state.analysis, concept)));

export const startTour = () => go(0);

function go(step) {
  set({ tour: step });
  STEPS[step].act();
  const target = STEPS[step].lit;
  requestAnimationFrame(() => {
    const element = document.querySelector(typeof target === "function" ? target() : target);
    const narrow = window.innerWidth <= 760; // there the tour stands above, and what it speaks of right below it
    if (element && !element.closest(".sp-test"))
      element.scrollIntoView({ block: narrow ? "start" : "nearest" });
    if (step === STEPS.length - 1)
      document.querySelector("[data-do=smallest]")?.scrollIntoView({ block: "nearest", inline: "center" });
    document.querySelector("#sp-tour [data-next]")?.focus({ preventScroll: true });
  });
}

function leave() {
  try {
    localStorage.setItem(KEY, "1");
  } catch {
    // private windows keep nothing
  }
  set({ tour: -1 });
}
/** Whether the tour was taken or left before in this browser. */
export function seen() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export function tour(s) {
  if (!s.analysis || s.kase || !s.boot.live) return nothing;
  if (s.tour < 0) return nothing;
  const step = STEPS[s.tour];
  const last = s.tour === STEPS.length - 1;
  return html`<div
    class="sp-tour"
    id="sp-tour"
    role="dialog"
    aria-label="Tour"
    @keydown=${(e) => e.key === "Escape" && leave()}
  >
    <p aria-live="polite"><b>${s.tour + 1} of ${STEPS.length} · ${step.name}.</b> ${step.text()}</p>
    <div class="sp-row">
      ${s.tour
        ? html`<button type="button" class="sp-quietly" data-back @click=${() => go(s.tour - 1)}>
            Back
          </button>`
        : nothing}
      ${last
        ? nothing
        : html`<button
            type="button"
            class="sp-go"
            data-next
            ?disabled=${!!s.jobs.test}
            @click=${() => go(s.tour + 1)}
          >
            Next
          </button>`}
      <button type="button" class="sp-quietly" data-dismiss @click=${leave}>
        ${last ? "Done" : "Leave"}
      </button>
    </div>
  </div>`;
}
