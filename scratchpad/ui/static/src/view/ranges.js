// The scatter's rectangle in numbers: from which to which share of pictures, from which to which strength.
import { html } from "lit-html";
import { term } from "../words.js";

const percent = (share) => Number((100 * share).toPrecision(6));

/** A form over {sparsity: [from, to], mean: [from, to]}; `list` is given what was typed. */
export function ranges(shown, list) {
  const submit = (e) => {
    e.preventDefault();
    list(read(e.currentTarget));
  };
  return html`<form class="sp-ranges" aria-label="Rectangle in numbers" @submit=${submit}>
    <span class="sp-span">
      ${term("sparsity", "in")}
      ${field("from", "sparsity", percent(shown.sparsity[0]), "from this share of pictures, %")} to
      ${field("to", "sparsity", percent(shown.sparsity[1]), "to this share of pictures, %")} % of pictures,
    </span>
    <span class="sp-span">
      ${term("mean", "mean strength")} ${field("from", "mean", shown.mean[0], "from this mean strength")} to
      ${field("to", "mean", shown.mean[1], "to this mean strength")}
    </span>
    <button class="sp-quietly" data-list>List them</button>
  </form>`;
}

const field = (end, what, value, label) =>
  html`<input
    type="number"
    min="0"
    step="any"
    required
    data-side="${what} ${end}"
    aria-label=${label}
    .value=${String(value)}
  />`;

/** With three figures, rounded outwards, so that what lies on an end stays in. */
export function rounded({ sparsity, mean }) {
  return { sparsity: outwards(sparsity), mean: outwards(mean) };
}

function outwards([low, high]) {
  const round = (v, way) => {
    if (!(v > 0)) return 0;
    const unit = 10 ** (Math.floor(Math.log10(v)) - 2);
    return Number((way(v / unit) * unit).toPrecision(3));
  };
  return [round(low, Math.floor), round(high, Math.ceil)];
}

function read(form) {
  const of = (what, unit) =>
    ["from", "to"]
      .map((end) => +form.querySelector(`[data-side="${what} ${end}"]`).value / unit)
      .sort((a, b) => a - b);
  return { sparsity: of("sparsity", 100), mean: of("mean", 1) };
}
