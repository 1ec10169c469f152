// Several pictures on one sheet, in rows; each has its place there and keeps its own pixels. No drawing, no state.
// A shot is {images: addresses, sizes: [h, w] of each, tiles: {box, rows, cols, image}}.

const GAP = 0.03; // of the larger side, between pictures
const sheets = new WeakMap();

/** {size: [h, w], places: [x, y, w, h] of each picture}. */
export function sheet(shot) {
  if (!sheets.has(shot.sizes)) sheets.set(shot.sizes, laid(shot.sizes));
  return sheets.get(shot.sizes);
}

function laid(sizes) {
  const across = Math.ceil(Math.sqrt(sizes.length));
  const high = Math.max(...sizes.map((size) => size[0]));
  const wide = Math.max(...sizes.map((size) => size[1]));
  const gap = sizes.length > 1 ? GAP * Math.max(high, wide) : 0;
  const places = [];
  let y = 0;
  let right = 0;
  for (let i = 0; i < sizes.length; i += across) {
    let x = 0;
    let row = 0;
    for (const [h, w] of sizes.slice(i, i + across)) {
      const scale = Math.min(high / h, wide / w);
      places.push([x, y, w * scale, h * scale]);
      x += w * scale + gap;
      row = Math.max(row, h * scale);
    }
    right = Math.max(right, x - gap);
    y += row + gap;
  }
  return { size: [y - gap, right], places };
}

/** [x, y, w, h] on the sheet of a box y0, x0, y1, x1 in a picture's own pixels. */
export function onSheet(shot, image, [y0, x0, y1, x1]) {
  const [x, y, w, h] = sheet(shot).places[image];
  const sy = h / shot.sizes[image][0];
  const sx = w / shot.sizes[image][1];
  return [x + x0 * sx, y + y0 * sy, (x1 - x0) * sx, (y1 - y0) * sy];
}

/** The picture nearest to a point of the sheet, and the point in that picture's pixels; with `image`, in that one's. */
export function inPicture(shot, x, y, image = null) {
  const places = sheet(shot).places;
  const far = ([px, py, w, h]) =>
    Math.hypot(Math.max(px - x, 0, x - px - w), Math.max(py - y, 0, y - py - h));
  const i = image ?? places.reduce((best, place, n) => (far(place) < far(places[best]) ? n : best), 0);
  const [px, py, w, h] = places[i];
  const [rows, cols] = shot.sizes[i];
  const inside = (v, most) => Math.min(Math.max(v, 0), 1) * most;
  return {
    image: i,
    y: inside((y - py) / h, rows),
    x: inside((x - px) / w, cols),
    hit: far(places[i]) === 0,
  };
}

/** Where a patch lies: {tile, row, col, image}. */
export function tileOf(shot, patch) {
  let p = patch;
  for (const tile of shot.tiles) {
    const all = tile.rows * tile.cols;
    if (p < all) return { tile, row: Math.floor(p / tile.cols), col: p % tile.cols, image: tile.image || 0 };
    p -= all;
  }
  return null;
}

/** A patch's box in its picture's own pixels: y0, x0, y1, x1. */
export function patchBox(shot, patch) {
  const { tile, row, col } = tileOf(shot, patch);
  const [y0, x0, y1, x1] = tile.box;
  const h = (y1 - y0) / tile.rows;
  const w = (x1 - x0) / tile.cols;
  return [y0 + row * h, x0 + col * w, y0 + (row + 1) * h, x0 + (col + 1) * w];
}

/** The patch at a point of a picture, or null. */
export function patchAt(shot, image, y, x) {
  let p = 0;
  for (const tile of shot.tiles) {
    const [y0, x0, y1, x1] = tile.box;
    const row = Math.floor(((y - y0) / (y1 - y0)) * tile.rows);
    const col = Math.floor(((x - x0) / (x1 - x0)) * tile.cols);
    const within = row >= 0 && row < tile.rows && col >= 0 && col < tile.cols;
    if ((tile.image || 0) === image && within) return p + row * tile.cols + col;
    p += tile.rows * tile.cols;
  }
  return null;
}

/** The region that the whole patches under a box cover, in the picture's own pixels; null where there is none. */
export function snapped(shot, image, [y0, x0, y1, x1]) {
  const first = shot.tiles.findIndex((tile) => (tile.image || 0) === image);
  if (first < 0) return null;
  const inset = 1e-3; // a box that ends on a patch's edge doesn't take the next
  const a = patchAt(shot, image, y0, x0);
  const b = patchAt(shot, image, Math.max(y0, y1 - inset), Math.max(x0, x1 - inset));
  if (a === null || b === null) return null;
  const [from, to] = [patchBox(shot, a), patchBox(shot, b)];
  const ends = [0, 1]
    .map((i) => Math.min(from[i], to[i]))
    .concat([2, 3].map((i) => Math.max(from[i], to[i])));
  return ends.map(Math.round);
}
