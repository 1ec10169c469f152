// The one filter of cards, patches and heatmap. It opens over what it filters, so that nothing moves under the pointer.
import { html } from "lit-html";
import { set } from "../store.js";
import { percent } from "../text.js";
import { meaning } from "../words.js";

const range = (s, key, text, most, step, say, help) =>
  html`<label title=${meaning(help)}
    ><span>${text}</span>
    <input
      type="range"
      data-set=${key}
      min="0"
      max=${most}
      step=${step}
      .value=${String(s.filter[key])}
      @input=${(e) => set({ filter: { ...s.filter, [key]: +e.target.value } })}
    /><output>${say(s.filter[key])}</output></label
  >`;

export function filters(s) {
  const on = s.filter.sparsest > 0 || s.filter.densest < 1 || s.filter.mean > 0;
  const among = (e) => set({ filter: { ...s.filter, everywhere: e.target.checked ? "among" : "apart" } });
  return html`<details
    class="sp-pop"
    data-filters
    @keydown=${(e) => e.key === "Escape" && (e.currentTarget.open = false)}
  >
    <summary class="sp-quietly">Filter${on ? " ·" : ""}</summary>
    <div class="sp-filters">
      <label class="sp-switch" title=${meaning("everywhere")}
        ><input
          type="checkbox"
          data-set="everywhere"
          .checked=${s.filter.everywhere === "among"}
          @change=${among}
        />
        those that fire everywhere among the others</label
      >
      ${range(s, "densest", "in at most", 1, 0.01, (v) => `${percent(v)} of pictures`, "sparsity")}
      ${range(s, "sparsest", "in at least", 0.2, 0.002, (v) => `${percent(v)} of pictures`, "sparsity")}
      ${range(s, "mean", "mean strength over", 1, 0.01, (v) => v.toFixed(2), "mean")}
      <p class="sp-note">For cards, rankings, patches and heatmap alike.</p>
    </div>
  </details>`;
}
