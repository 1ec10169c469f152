// The region tool: a part of the picture, dragged, grown by keys or typed as rows and columns of patches; what fires in
// it, and the part that tests act on.
import { html, nothing } from "lit-html";
import { conceptsHere, inPatches, ofPatches, placeText } from "../place.js";
import { set } from "../store.js";
import { online } from "../wire.js";
import { term } from "../words.js";
import { links } from "./links.js";

export function regionTool(s) {
  if (s.kase) return nothing;
  const press = () =>
    s.region ? set({ region: null, image: null, marking: false }) : set({ marking: !s.marking, patch: null });
  const text = s.region && !s.marking ? "Clear the region" : "Mark a region";
  return html`${pictures(s)}<button
      type="button"
      class="sp-quietly"
      data-mark
      aria-pressed=${s.marking}
      title="Limits tests to whole patches of a part of the picture, and lists what fires in it"
      @click=${press}
    >
      ${text}
    </button>
    ${here(s)} ${s.marking || s.region ? typed(s) : nothing}`;
}

function pictures(s) {
  const { sizes } = s.analysis;
  if (sizes.length < 2 || s.region) return nothing;
  return html`<select
    data-image
    aria-label="Which pictures tests act on"
    @change=${(e) => set({ image: e.target.value === "" ? null : +e.target.value })}
  >
    <option value="" ?selected=${s.image === null}>tests on all</option>
    ${sizes.map((_, i) => html`<option value=${i} ?selected=${s.image === i}>on picture ${i + 1}</option>`)}
  </select>`;
}

const here = (s) =>
  s.region && online() && s.boot.live
    ? html`<button
        type="button"
        class="sp-button"
        data-here
        ?disabled=${!!s.jobs.place || !!s.jobs.ask}
        title="Which concepts fire in the region and not elsewhere in the picture"
        @click=${conceptsHere}
      >
        Concepts here
      </button>`
    : nothing;

/** Rows and columns as numbers. */
function typed(s) {
  const at = inPatches(s.analysis, s.region, s.image);
  const number = (key, most, label) =>
    html`<input
      type="number"
      min="1"
      max=${most}
      step="1"
      data-range=${key}
      aria-label=${label}
      .value=${String(at[key])}
      @change=${(e) => type(s, { ...at, [key]: +e.target.value }, key)}
    />`;
  return html`<div class="sp-region" role="group" aria-label="The region in patches, counted from 1">
    ${s.marking ? html`<span class="sp-note">Drag over the picture, or type:</span>` : nothing}
    <span class="sp-span"
      >rows ${number("top", at.rows, "first row")}–${number("bottom", at.rows, "last row")}</span
    >
    <span class="sp-span"
      >columns ${number("left", at.cols, "first column")}–${number("right", at.cols, "last column")}</span
    >
  </div>`;
}

/** A typed number becomes the region; its other end gives way where the two would cross. */
function type(s, range, key) {
  const [rows, cols] = [range.rows, range.cols];
  const whole = (v, most) => Math.min(Math.max(Math.round(v) || 1, 1), most);
  const next = {
    ...{ top: whole(range.top, rows), bottom: whole(range.bottom, rows) },
    ...{ left: whole(range.left, cols), right: whole(range.right, cols) },
  };
  if (next.top > next.bottom) next[key === "top" ? "bottom" : "top"] = next[key];
  if (next.left > next.right) next[key === "left" ? "right" : "left"] = next[key];
  const image = s.analysis.sizes.length > 1 ? (s.image ?? 0) : null;
  set({ region: ofPatches(s.analysis, image, next), image, marking: false, patch: null });
}

/** The strongest concepts of the region that was looked into, in one line beside the map. */
export function there(s) {
  const { region, image, latents } = s.place;
  const rows = latents.map((row) => ({ id: row.id, value: row.inside }));
  return html`<p class="sp-patch" data-there aria-live="polite">
    <span>${placeText(s.analysis, region, image)}, ${term("region", "inside")}:</span>
    ${links(s, rows)}
  </p>`;
}
