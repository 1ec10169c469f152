// Reference pictures of a latent: small ones zoomed to where it fires, and one of them large with its labels.
import { html, nothing } from "lit-html";
import { latentOf } from "../derive.js";
import { draws } from "../directives.js";
import { around, paint } from "../paint.js";
import { set } from "../store.js";
import { figures, name } from "../text.js";
import { showModal } from "./dialog.js";

const SIDE = 96; // px of a thumbnail as the index keeps it
const shotOf = (r) => {
  r.shot ||= {
    images: [r.src],
    sizes: [[SIDE, SIDE]],
    tiles: [{ box: [0, 0, SIDE, SIDE], rows: r.rows, cols: r.cols }],
  };
  return r.shot;
};

/** Buttons with a picture each; they open it large. */
export const refs = (latent, rows) =>
  rows.map(
    (r) =>
      html`<button
        type="button"
        class="sp-ref"
        aria-label=${`Reference picture: ${r.labels}, strength ${figures(r.activation)}. Show it large`}
        title=${`${r.labels}; strength ${figures(r.activation)}`}
        @click=${() => set({ enlarged: { latent, reference: r } })}
      >
        <canvas ${draws(r.src + r.activation, (canvas) => small(canvas, r))}></canvas>
      </button>`,
  );

function small(canvas, r) {
  const shot = shotOf(r);
  const fires = r.values.some((v) => v > 0);
  const crop = fires ? around(shot, r.values, 0.55) : null;
  return paint(canvas, shot, fires ? r.values : null, { width: 2 * SIDE, crop, smooth: true });
}

export function enlarged(s) {
  if (!s.enlarged) return nothing;
  const { latent, reference: r } = s.enlarged;
  const close = () => set({ enlarged: null });
  const l = s.analysis ? latentOf(s.analysis, latent) : { id: latent, name: "", guess: "" };
  return html`<dialog
    class="sp-dialog sp-large"
    aria-label="Reference picture"
    ${showModal}
    @close=${close}
    @click=${(e) => e.target === e.currentTarget && close()}
  >
    <div class="sp-pair">
      <canvas
        ${draws(`plain${r.src}`, (canvas) => paint(canvas, shotOf(r), null, { width: 4 * SIDE }))}
      ></canvas>
      <canvas
        ${draws(`spot${r.src}${r.activation}`, (canvas) =>
          paint(canvas, shotOf(r), r.values, { width: 4 * SIDE }),
        )}
      ></canvas>
    </div>
    <p><b>${r.labels}</b></p>
    <p class="sp-note">
      ${name(l)} fires at most ${figures(r.activation)} strong here (${r.interval}). Right: where.
    </p>
    <form method="dialog"><button class="sp-quietly">Close</button></form>
  </dialog>`;
}
