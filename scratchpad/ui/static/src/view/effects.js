// Predicted against real effects: what one backward pass says of every latent, and what its ablation really did.
import { html, nothing, svg } from "lit-html";
import { chooseLatent, toggle } from "../actions.js";
import { figures, name } from "../text.js";
import { term } from "../words.js";

const [W, H, PAD] = [420, 260, 44];
const DECADES = 4; // that are told apart on either side of zero

export function effects(s, v) {
  if (!v.effects.length) return html`<p class="sp-note">No latent is active in this picture.</p>`;
  const most = Math.max(...v.effects.flatMap((e) => [Math.abs(e.predicted), Math.abs(e.actual)]), 1e-9);
  const near = Math.max(most / 10 ** DECADES, 1e-7); // linear below it, logarithmic beyond
  const bend = (x) => (Math.sign(x) * Math.log10(1 + Math.abs(x) / near)) / Math.log10(1 + most / near);
  const x = (e) => PAD + ((W - 2 * PAD) * (bend(e) + 1)) / 2;
  const y = (e) => PAD + ((H - 2 * PAD) * (1 - bend(e))) / 2;
  const say = (e) =>
    `${e.name || "unnamed"} #${e.latent}: predicted ${figures(e.predicted)}, real ${figures(e.actual)} nats`;
  const lit = (e) => (s.latent === e.latent || s.hover?.latent === e.latent ? "sp-lit" : "");
  const point = (e) =>
    svg`<circle cx=${x(e.predicted)} cy=${y(e.actual)} r="4" data-latent=${e.latent} class=${lit(e)}
      @click=${() => chooseLatent(e.latent)}><title>${say(e)}</title></circle>`;
  const worst = [...v.effects]
    .sort((a, b) => a.actual - b.actual)
    .slice(0, 5)
    .filter((e) => e.actual < 0);
  return html`<section class="sp-effects" aria-label="Predicted and real effects">
    <figure>
      <svg
        viewBox="0 0 ${W} ${H}"
        role="img"
        aria-label=${`Predicted effect (across) against real effect (up) of ${v.effects.length} latents`}
      >
        <path
          d="M${PAD} ${y(0)}H${W - PAD}M${x(0)} ${PAD}V${H - PAD}M${x(-most)} ${y(-most)}L${x(most)} ${y(
            most,
          )}"
        />
        ${[-most, 0, most].map(
          (e) => svg`<text x=${x(e)} y=${H - 22} text-anchor="middle">${figures(e)}</text>
          <text x=${PAD - 6} y=${y(e) + 4} text-anchor="end">${figures(e)}</text>`,
        )}
        <text x=${W / 2} y=${H - 4} text-anchor="middle">predicted, nats (log scale)</text>
        <text x="12" y=${H / 2} text-anchor="middle" transform="rotate(-90 12 ${H / 2})">
          real, nats (log scale)
        </text>
        ${v.effects.map(point)}
      </svg>
    </figure>
    <div>
      <p class="sp-verdict">
        <b
          >${term("spearman", "Rank correlation")}
          ${v.spearman === null ? "can't be told" : v.spearman.toFixed(2)}</b
        >
        over ${v.effects.length} of ${v.active} active latents. Where the two part, the ablation is right.
      </p>
      ${worst.length
        ? html`<p class="sp-kicker">The answer loses most without</p>
            <div class="sp-row">
              ${worst.map(
                (e) =>
                  html`<button
                    type="button"
                    class="sp-chip"
                    data-take=${e.latent}
                    title=${say(e)}
                    aria-pressed=${s.picked.includes(e.latent)}
                    ?disabled=${!!s.kase}
                    @click=${() => toggle([e.latent])}
                  >
                    ${name({ id: e.latent, name: e.name, guess: "" })}
                    <small>${figures(e.actual)} nats</small>
                  </button>`,
              )}
            </div>`
        : nothing}
    </div>
  </section>`;
}
