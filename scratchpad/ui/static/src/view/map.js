// The picture under the map of the chosen token or latent; how it's drawn; which part of it tests act on.
import { html, nothing } from "lit-html";
import { attention, brush, firing, latentOf, ofPatch, onMap } from "../derive.js";
import { headMap } from "../heads.js";
import { draws } from "../directives.js";
import { paint } from "../paint.js";
import { set } from "../store.js";
import { onSheet, patchBox, sheet, tileOf } from "../sheet.js";
import { figures, name, percent, token as say } from "../text.js";
import { term } from "../words.js";
import { going, trouble } from "./going.js";
import { links } from "./links.js";
import { mapInput } from "./map-input.js";
import { regionTool, there } from "./region.js";
import { trust } from "./trust.js";
import { chosen } from "./weighing.js";

const MODES = [
  ["spotlight", "Spotlight"],
  ["colour", "Colours"],
  ["plain", "Picture"],
];

export const shot = (s) => ({ images: s.page.images, sizes: s.analysis.sizes, tiles: s.analysis.tiles });

export function map(s) {
  const a = s.analysis;
  const { latent, token, cells } = onMap(s);
  const headed = cells ? headMap(s.heads, cells) : null;
  const values =
    headed?.values ??
    (latent !== undefined ? firing(a, latent) : token !== null ? attention(a, token) : null);
  const top = values ? values.reduce((most, v) => Math.max(most, v), 0) : 0;
  const box = outlined(s);
  const key = [s.page.key, latent, token, JSON.stringify(cells), s.mode, box].join("/");
  const [high, wide] = sheet(shot(s)).size;
  return html`<figure class="sp-map">
    <div class="sp-frame" style="--ratio:${wide / high}">
      <canvas
        tabindex="0"
        role="img"
        aria-label=${`${label(s, latent, token)} Arrow keys choose a patch, Shift extends a region.`}
        class=${`${a.sizes.length > 1 ? "sp-sheet" : ""} ${s.marking ? "sp-marking" : ""}`}
        ${draws(key, (canvas) => paint(canvas, shot(s), values, { mode: s.mode, box }))}
        ${mapInput}
      ></canvas>
    </div>
    <figcaption>
      <p class="sp-what">
        ${headed ? ofHeads(s, token, cells, headed, top) : caption(s, latent, token, top)}
      </p>
      ${s.scope === "region" && s.place ? there(s) : here(s)}
      <div class="sp-maprow">${modes(s)} ${regionTool(s)}</div>
      ${going(s, "place")} ${s.region ? trouble(s, "place") : nothing}
      ${headed
        ? html`<p class="sp-trust">How well maps of single heads or layers find things isn't measured.</p>`
        : trust(s, latent !== undefined ? "concept" : "attention")}
    </figcaption>
  </figure>`;
}

const label = (s, latent, token) =>
  latent !== undefined
    ? `Where latent ${latent} fires.`
    : `Where token ${s.analysis.byIndex.get(token)?.text} looks.`;

function outlined(s) {
  const a = s.analysis;
  const hovered = brush(s).patch;
  const of = (patch) => onSheet(shot(s), tileOf(a, patch).image, patchBox(a, patch));
  if (s.region && (s.marking || hovered === null)) return onSheet(shot(s), s.image || 0, s.region);
  if (hovered !== null) return of(hovered);
  if (s.patch !== null) return of(s.patch);
  return s.image !== null ? sheet(shot(s)).places[s.image] : null;
}

function caption(s, latent, token, top) {
  const a = s.analysis;
  if (latent !== undefined)
    return top > 0
      ? html`Where ${name(latentOf(a, latent))} fires: at most ${figures(top)} ${term("activation", "strong")}`
      : html`${name(a.latents.get(latent) ?? elsewhere(s, latent))} doesn't fire on this picture.`;
  const t = a.byIndex.get(token);
  if (!t) return nothing;
  const blind = top > 0 ? nothing : html` It comes before the picture and can't see it.`;
  const row = t.role === "output" ? "as it was about to be said" : "at its own place";
  return html`Where <b>${say(t.text)}</b> looked (${term("attention")}${chosen(a)}, ${row}): at most
    ${percent(top)} on one ${term("patch")}.${blind}`;
}

/** What a latent is called that is silent here, where the answer beside this one knows it. */
const elsewhere = (s, id) =>
  (s.other?.matched.by === "latent" && s.other.analysis.latents.get(id)) || latentOf(s.analysis, id);

/** The same for some layers and heads alone, and the way back to all of them. */
function ofHeads(s, token, cells, { share }, top) {
  const t = s.analysis.byIndex.get(token);
  return html`Where <b>${say(t.text)}</b> looked in ${cellsText(s.heads, cells)}: ${percent(share)} of this
    ${term("attention")} is on the
    picture${share > 1e-5 ? html`, ${percent(top)} of that on one patch` : nothing}.
    ${s.hover?.cells
      ? nothing
      : html`<button type="button" class="sp-link" data-all-heads @click=${() => set({ cells: null })}>
          All layers and heads
        </button>`}`;
}

/** "layer 3, head 2", "layers 0–2, all heads". */
export function cellsText(h, { layers: [first, last], head }) {
  const every = first === 0 && last === h.layers - 1;
  const rows = every ? "all layers" : first === last ? `layer ${first}` : `layers ${first}–${last}`;
  return `${rows}, ${head === null ? "all heads" : `head ${head}`}`;
}

/** The chosen patch and its strongest concepts, in one line. */
function here(s) {
  const a = s.analysis;
  if (s.patch === null) return nothing;
  const { row, col, image } = tileOf(a, s.patch);
  const of = a.sizes.length > 1 ? ` of picture ${image + 1}` : "";
  return html`<p class="sp-patch">
    <span>Patch in row ${row + 1}, column ${col + 1}${of}:</span>
    ${links(s, ofPatch(a, s.patch))}
  </p>`;
}

const modes = (s) =>
  html`<div class="sp-segments" role="group" aria-label="How the map is drawn">
    ${MODES.map(
      ([mode, text]) =>
        html`<button
          type="button"
          data-mode=${mode}
          aria-pressed=${s.mode === mode}
          @click=${() => set({ mode })}
        >
          ${text}
        </button>`,
    )}
  </div>`;
