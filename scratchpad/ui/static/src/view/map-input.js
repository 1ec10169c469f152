// Pointer and keys over the map: a patch under the pointer, a patch chosen, a region dragged or grown patch by patch.
import { noChange } from "lit-html";
import { directive, Directive } from "lit-html/directive.js";
import { choosePatch } from "../actions.js";
import { set, state } from "../store.js";
import { inPicture, onSheet, patchAt, patchBox, sheet, snapped, tileOf } from "../sheet.js";

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const geometry = () => ({
  images: state.page.images,
  sizes: state.analysis.sizes,
  tiles: state.analysis.tiles,
});
const imageOf = (i) => (state.analysis.sizes.length > 1 ? i : null); // of one picture nothing is said
let from = null; // where a drag began
let marked = false; // whether a region was just dragged and the pointer is still over the map
let dragged = false; // whether the press that ends in a click was one: it marks a region and chooses no patch
let anchor = null; // the patch from which keys grow a region

/** Where a pointer is, in the pixels of the picture it's over or, with `image`, of that one. */
function point(e, image = null) {
  const r = e.currentTarget.getBoundingClientRect();
  const [high, wide] = sheet(geometry()).size;
  return inPicture(
    geometry(),
    ((e.clientX - r.left) / r.width) * wide,
    ((e.clientY - r.top) / r.height) * high,
    image,
  );
}

function patchUnder(e) {
  const at = point(e);
  return at.hit ? patchAt(geometry(), at.image, at.y, at.x) : null;
}

function down(e) {
  dragged = false;
  if (!state.marking) return;
  from = point(e);
  dragged = true;
  set({ hover: null });
  e.currentTarget.setPointerCapture(e.pointerId);
  e.preventDefault();
}

function move(e) {
  if (from) {
    const to = point(e, from.image);
    const box = [
      Math.min(from.y, to.y),
      Math.min(from.x, to.x),
      Math.max(from.y, to.y),
      Math.max(from.x, to.x),
    ];
    const region = snapped(geometry(), from.image, box);
    if (region) set({ region, image: imageOf(from.image) });
    return;
  }
  if (e.pointerType === "touch") return;
  const patch = patchUnder(e);
  if (marked && state.region) return; // what was just marked stays in sight until the pointer leaves
  const before = state.hover ? (state.hover.patch ?? null) : null;
  if (patch !== before) set({ hover: patch === null ? null : { patch } });
}

function up() {
  if (!from) return;
  from = null;
  marked = true;
  set({ marking: false });
}

function click(e) {
  if (state.marking || dragged) return;
  anchor = null;
  const patch = patchUnder(e);
  if (patch !== null) choosePatch(patch);
}

function key(e) {
  if (e.key === "Escape") {
    anchor = null;
    if (state.region) set({ region: null, image: null, marking: false });
    set({ marking: false });
    choosePatch(null);
    return;
  }
  const step = STEPS[e.key];
  if (!step) return;
  e.preventDefault();
  const first = state.patch === null;
  const here = first ? 0 : state.patch;
  const next = first ? 0 : (inTile(here, step) ?? beside(here, step, e.shiftKey));
  if (next !== null) go(here, next, e.shiftKey);
}

function go(here, next, grows) {
  const image = tileOf(geometry(), next).image;
  if (!grows) anchor = null;
  else if (anchor === null || !state.region || tileOf(geometry(), anchor).image !== image)
    anchor = tileOf(geometry(), here).image === image ? here : next; // a new region
  set({ patch: next, scope: "patch", hover: null });
  if (anchor === null) {
    if (state.region) set({ region: null, image: null });
    return;
  }
  const [a, b] = [patchBox(geometry(), anchor), patchBox(geometry(), next)];
  const ends = [0, 1].map((i) => Math.min(a[i], b[i])).concat([2, 3].map((i) => Math.max(a[i], b[i])));
  set({ region: ends.map(Math.round), image: imageOf(image) });
}

function inTile(patch, [down1, right1]) {
  const { tile, row, col } = tileOf(geometry(), patch);
  const [r, c] = [row + down1, col + right1];
  return r < 0 || r >= tile.rows || c < 0 || c >= tile.cols ? null : patch + down1 * tile.cols + right1;
}

/** The next patch on the sheet in a direction, over the gap to another picture too unless that takes a region along. */
function beside(patch, [down1, right1], within) {
  const own = tileOf(geometry(), patch).image;
  const [x, y, w, h] = onSheet(geometry(), own, patchBox(geometry(), patch));
  const far = 0.05 * Math.max(...sheet(geometry()).size);
  for (const [dx, dy] of [
    [w * right1, h * down1],
    [(w / 2 + far) * right1, (h / 2 + far) * down1],
  ]) {
    const at = inPicture(geometry(), x + w / 2 + dx, y + h / 2 + dy);
    if (!at.hit || (within && at.image !== own)) continue;
    const found = patchAt(geometry(), at.image, at.y, at.x);
    if (found !== null && found !== patch) return found;
  }
  return null;
}

class Input extends Directive {
  render() {
    return noChange;
  }
  update({ element }) {
    if (element.listens) return noChange;
    element.listens = true;
    const on = { pointerdown: down, pointermove: move, pointerup: up, click, keydown: key };
    on.pointerleave = () => {
      marked = false;
      if (state.hover) set({ hover: null });
    };
    for (const [name, f] of Object.entries(on)) element.addEventListener(name, f);
    return noChange;
  }
}
export const mapInput = directive(Input)();
