// The control: an edit's effect on one axis with what random sets, noise and the bare reconstruction do.
import { html, svg } from "lit-html";
import { signed } from "../text.js";
import { term } from "../words.js";

const [W, H, PAD] = [560, 128, 16];
const LANES = { edit: 26, sets: 50, noise: 72, reconstruction: 92 };

/** Round numbers that lie between two ends. */
export function ticks(low, high) {
  const raw = (high - low) / 4;
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * unit).find((v) => v >= raw);
  const out = [];
  for (let v = Math.ceil(low / step) * step; v <= high + 1e-9; v += step)
    out.push(Math.abs(v) < 1e-9 ? 0 : v);
  return out;
}

export function plot({ effect, control: k }) {
  const all = [0, effect, k.reconstruction, ...k.effects, ...k.noise];
  const spread = Math.max(0.1, Math.max(...all) - Math.min(...all));
  const [low, high] = [Math.min(...all) - 0.06 * spread, Math.max(...all) + 0.06 * spread];
  const x = (v) => PAD + ((W - 2 * PAD) * (v - low)) / (high - low);
  const dots = (values, flips, lane) =>
    values.map(
      (v, i) =>
        svg`<circle cx=${x(v)} cy=${lane} r="4.5" class=${flips[i] ? "sp-flips" : ""}
          ><title>${signed(v)} nats${flips[i] ? ", changes the answer" : ""}</title></circle>`,
    );
  const range = (values) =>
    values.length ? `between ${signed(Math.min(...values))} and ${signed(Math.max(...values))}` : "none";
  return html`<figure class="sp-plot">
    <figcaption class="sp-kicker">
      ${term("change", "Change of the original answer's log-probability")}, nats: less likely ← 0 → more
      likely
    </figcaption>
    <div class="sp-plotrows">
      <svg
        viewBox="0 0 ${W} ${H}"
        role="img"
        aria-label=${[
          `This edit ${signed(effect)} nats`,
          `random sets ${range(k.effects)}`,
          `noise ${range(k.noise)}`,
          `the bare reconstruction ${signed(k.reconstruction)}`,
        ].join("; ")}
      >
        <line x1=${x(0)} x2=${x(0)} y1="10" y2="104" class="sp-zero" />
        ${Object.values(LANES).map(
          (y) => svg`<line x1=${PAD} x2=${W - PAD} y1=${y} y2=${y} class="sp-lane" />`,
        )}
        <rect x=${x(effect) - 5} y=${LANES.edit - 9} width="10" height="18" rx="2" class="sp-edit" />
        <g class="sp-sets">${dots(k.effects, k.flips, LANES.sets)}</g>
        <g class="sp-noises">${dots(k.noise, k.noise_flips, LANES.noise)}</g>
        <g class="sp-bare">${dots([k.reconstruction], [k.reconstruction_flips], LANES.reconstruction)}</g>
        ${ticks(low, high).map(
          (v) => svg`<text x=${x(v)} y="122" text-anchor="middle">${Number(v.toFixed(2))}</text>`,
        )}
      </svg>
      <ul class="sp-legend">
        <li class="sp-of-edit">this edit <b>${signed(effect)}</b></li>
        <li class="sp-of-sets">${k.sets.length} ${term("control", "random sets")}: ${flipped(k.flips)}</li>
        <li class="sp-of-noise">${term("noise", "noise")} as strong: ${flipped(k.noise_flips)}</li>
        <li class="sp-of-bare">
          ${term("reconstruction", "bare reconstruction")}: ${k.reconstruction_flips ? "changes" : "keeps"} it
        </li>
      </ul>
    </div>
    <p class="sp-note">A filled mark changes the answer, a hollow one keeps it.</p>
  </figure>`;
}

const flipped = (flips) => `${flips.filter(Boolean).length} of ${flips.length} change the answer`;
