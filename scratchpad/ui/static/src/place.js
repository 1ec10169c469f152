// A region of the picture: in rows and columns of its patches, counted from 1, and which latents fire in it.
import { patchBox, snapped } from "./sheet.js";
import { set, state } from "./store.js";
import { receives, send, underway } from "./wire.js";

let asked = null; // the region of the request under way: {region, image}

/** The first tile of a picture, whose patches regions are counted in, and the number of its first patch. */
function gridOf(a, image) {
  let first = 0;
  for (const tile of a.tiles) {
    if ((tile.image || 0) === image) return { tile, first };
    first += tile.rows * tile.cols;
  }
  return null;
}

/** A region in patches: {rows, cols: of the picture; top, bottom, left, right: from 1, both in}; without one, all. */
export function inPatches(a, region, image) {
  const { tile } = gridOf(a, image || 0);
  const { rows, cols, box } = tile;
  if (!region) return { rows, cols, top: 1, bottom: rows, left: 1, right: cols };
  const [h, w] = [(box[2] - box[0]) / rows, (box[3] - box[1]) / cols];
  const at = (v, from, size, most) => Math.min(Math.max(Math.round((v - from) / size), 0), most);
  return {
    ...{ rows, cols },
    top: Math.min(at(region[0], box[0], h, rows) + 1, rows),
    bottom: Math.max(at(region[2], box[0], h, rows), 1),
    left: Math.min(at(region[1], box[1], w, cols) + 1, cols),
    right: Math.max(at(region[3], box[1], w, cols), 1),
  };
}

/** The region of a range of patches, in the picture's own pixels: y0, x0, y1, x1. */
export function ofPatches(a, image, { top, bottom, left, right }) {
  const { tile, first } = gridOf(a, image || 0);
  const patch = (row, col) => first + (row - 1) * tile.cols + (col - 1);
  const [y0, x0] = patchBox(a, patch(top, left));
  const [, , y1, x1] = patchBox(a, patch(bottom, right));
  return snapped(a, image || 0, [y0, x0, y1, x1]);
}

/** "rows 3–5, columns 2–4", "row 3, column 2 of picture 2". */
export function placeText(a, region, image) {
  const { top, bottom, left, right } = inPatches(a, region, image);
  const span = (what, from, to) => (from === to ? `${what} ${from}` : `${what}s ${from}–${to}`);
  const of = a.sizes.length > 1 ? ` of picture ${(image || 0) + 1}` : "";
  return `${span("row", top, bottom)}, ${span("column", left, right)}${of}`;
}

/** Asks which latents fire in the region and not elsewhere in its picture. */
export function conceptsHere() {
  const { region, image } = state;
  if (region && send("place", { region, image }, "Looking there")) asked = { region, image };
}

receives("place", (value) => {
  if (!state.jobs.place || underway("place", value)) return; // else it's of an answer that isn't on show any more
  set({
    place: { ...asked, latents: value.latents },
    ...{ scope: "region", tab: "concepts", patch: null, latent: null, hover: null, more: 12 },
  });
});
