// Which attention weighs the concepts: layers and heads of the language model. A change asks the question again.
import { html, nothing } from "lit-html";
import { ask } from "../asking.js";
import { set } from "../store.js";
import { spans } from "../text.js";
import { online } from "../wire.js";

/** The layers and heads that were chosen, in words; "" where all are meant. */
export function chosen(a) {
  const layers = spans(a.settings.attention_layers);
  const heads = spans(a.settings.attention_heads);
  const says = [layers && counted("layer", layers), heads && counted("head", heads)].filter(Boolean);
  return says.length ? ` of ${says.join(", ")}` : "";
}

const counted = (what, numbers) => `${what}${/^\d+$/.test(numbers) ? "" : "s"} ${numbers}`;

export function weighing(s) {
  if (s.kase || !online()) return nothing;
  const submit = (e) => {
    e.preventDefault();
    e.currentTarget.closest("details").open = false;
    ask();
  };
  return html`<details
    class="sp-pop"
    data-weighing
    @keydown=${(e) => e.key === "Escape" && (e.currentTarget.open = false)}
  >
    <summary class="sp-quietly">Weighting${chosen(s.analysis) ? " ·" : ""}</summary>
    <form class="sp-filters" aria-label="Attention that weighs the concepts" @submit=${submit}>
      ${field(s, "layers")} ${field(s, "heads")}
      <p class="sp-note">
        Of the language model, counted from 0, as 0,3 or 2-5. Maps, concepts and heatmap go by the mean of
        what is chosen.
      </p>
      <button class="sp-quietly" data-weigh ?disabled=${!!s.jobs.ask}>Read again</button>
    </form>
  </details>`;
}

const field = (s, what) =>
  html`<label
    ><span>${what}</span>
    <input
      type="text"
      placeholder="all"
      maxlength="200"
      data-attention=${what}
      .value=${s.draft[what]}
      @input=${(e) => set({ draft: { ...s.draft, [what]: e.target.value } })}
  /></label>`;
