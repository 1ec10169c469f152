// The strongest concepts of a patch or a region, as links that choose them.
import { html } from "lit-html";
import { chooseLatent } from "../actions.js";
import { everywhere, latentOf, passes } from "../derive.js";
import { brief, figures } from "../text.js";

/** At most four of rows {id, value}, best first, that pass the filters. */
export function links(s, rows) {
  const few = rows
    .map((row) => ({ latent: latentOf(s.analysis, row.id), value: row.value }))
    .filter(({ latent }) => passes(s, latent))
    .filter(({ latent }) => s.filter.everywhere === "among" || !everywhere(latent))
    .slice(0, 4);
  const link = ({ latent, value }) =>
    html`<button
      type="button"
      class="sp-link"
      data-latent=${latent.id}
      aria-pressed=${s.latent === latent.id}
      @click=${() => chooseLatent(latent.id)}
    >
      ${brief(latent)} <small>${figures(value)}</small>
    </button>`;
  return few.length ? few.map(link) : "nothing but what fires everywhere";
}
