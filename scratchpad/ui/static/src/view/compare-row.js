// One concept of a side of COMPARE: where it fires there, its name, its score, and where its partner stands.
import { html } from "lit-html";
import { chooseBeside } from "../comparing.js";
import { firing } from "../derive.js";
import { draws } from "../directives.js";
import { around, paint } from "../paint.js";
import { partners, sideOf } from "../pairs.js";
import { set } from "../store.js";
import { figures, name } from "../text.js";
import { shot } from "./map.js";

export function row(s, side, l, best, at) {
  const of = sideOf(s, side);
  const same = side === "left" || s.other.matched.by === "latent";
  const hover = same ? { latent: l.id } : { beside: l.id };
  const picked = (same ? s.latent : s.other.latent) === l.id;
  const leave = () => set({ hover: null });
  return html`<li
    class=${at && at[side].includes(l.id) ? "sp-lit" : ""}
    data-id=${l.id}
    @pointerenter=${(e) => e.pointerType !== "touch" && set({ hover })}
    @pointerleave=${leave}
    @focusin=${(e) => e.target.matches(":focus-visible") && set({ hover })}
    @focusout=${leave}
  >
    <canvas
      class="sp-here"
      title="Where it fires on this picture"
      @click=${() => chooseBeside(side, l.id)}
      ${draws(`${of.page.key}/${l.id}`, (canvas) => here(canvas, of, l.id))}
    ></canvas>
    <div class="sp-naming">
      <button type="button" class="sp-name" aria-pressed=${picked} @click=${() => chooseBeside(side, l.id)}>
        ${name(l)}
      </button>
      <p class="sp-says">
        <span class="sp-meter" style="--v:${(l.value / best).toFixed(3)}"></span
        ><span>score ${figures(l.value)}</span>
        <span class=${l.there === null ? "sp-apart" : ""}>${there(s, side, l)}</span>
      </p>
    </div>
  </li>`;
}

/** Where the concept stands on the other side, if it does. */
function there(s, side, l) {
  if (l.there !== null) return `rank ${l.there} there`;
  const partner = partners(s.other.matched, side, l.id);
  const other = sideOf(s, side === "left" ? "right" : "left").analysis.latents;
  if (partner.some((id) => other.has(id))) return "not behind the word there";
  if (s.other.matched.by === "latent") return "doesn't fire there";
  return l.name ? "unmatched" : "unmatched: no claimed name";
}

function here(canvas, of, id) {
  const values = firing(of.analysis, id);
  return paint(canvas, shot(of), values, { width: 96, crop: around(shot(of), values, 0.4), smooth: true });
}
