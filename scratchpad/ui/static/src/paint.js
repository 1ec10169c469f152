// Pictures with a value per patch, on canvases. The spotlight keeps full colour where the value is high and dims the
// rest, so that what defines a concept is never covered.
import { level } from "./colour.js";
import { onSheet, sheet } from "./sheet.js";

const SHOWN = 896; // px of the sheet's longer side at most
const REMEMBERED = 600; // decoded pictures
const FAINT = 0.03; // of the highest value: less is drawn as nothing
const pictures = new Map();

export function picture(src) {
  if (!pictures.has(src)) {
    if (pictures.size > REMEMBERED) pictures.clear();
    const loading = new Promise((done) => {
      const image = new Image();
      image.onload = () => done(image);
      image.onerror = () => done(null);
      image.src = src;
    });
    pictures.set(src, loading);
  }
  return pictures.get(src);
}

/** The value of a patch as a share of the highest. */
function shares(values) {
  let top = 0;
  for (const value of values) if (value > top) top = value;
  return top > 0 ? values.map((value) => value / top) : values;
}

/**
 * Draws a shot. `mode` is "spotlight", "colour" or "plain"; `crop` is [x, y, side] on the sheet, shown `width` px wide;
 * `smooth` blurs the edges of patches, for small pictures; `box` is outlined, on the sheet.
 */
export async function paint(canvas, shot, values, how = {}) {
  const { width = 0, mode = "spotlight", crop = null, box = null, smooth = false } = how;
  const turn = (canvas.turn = (canvas.turn || 0) + 1);
  const images = await Promise.all(shot.images.map(picture));
  if (images.includes(null) || canvas.turn !== turn) return; // it was asked for something else meanwhile
  const [h, w] = sheet(shot).size;
  const [x0, y0, cw, ch] = crop ? [crop[0], crop[1], crop[2], crop[2]] : [0, 0, w, h];
  const scale = (width || Math.min(cw, SHOWN)) / cw;
  const size = [Math.max(1, Math.round(cw * scale)), Math.max(1, Math.round(ch * scale))];
  [canvas.width, canvas.height] = size;
  const pen = canvas.getContext("2d");
  const place = (p) => {
    p.setTransform(scale, 0, 0, scale, -x0 * scale, -y0 * scale);
    p.imageSmoothingQuality = "high";
  };
  const draw = (p) => images.forEach((image, i) => p.drawImage(image, ...sheet(shot).places[i]));
  place(pen);
  draw(pen);
  if (values && mode !== "plain") {
    const share = shares(values);
    if (mode === "spotlight") spotlight(pen, shot, share, size, place, draw, smooth);
    else colour(pen, shot, share);
  }
  if (box) outline(pen, box, scale);
  canvas.dataset.painted = turn;
}

function spotlight(pen, shot, share, size, place, draw, smooth) {
  dim(pen, size);
  const light = new OffscreenCanvas(...size);
  const bright = light.getContext("2d");
  place(bright);
  draw(bright);
  bright.globalCompositeOperation = "destination-in";
  const mask = new OffscreenCanvas(...size);
  const cover = mask.getContext("2d");
  place(cover);
  cover.imageSmoothingEnabled = smooth;
  let p = 0;
  for (const tile of shot.tiles) {
    const small = new ImageData(tile.cols, tile.rows);
    for (let i = 0; i < tile.rows * tile.cols; i++, p++)
      small.data[4 * i + 3] = share[p] < FAINT ? 0 : Math.min(255, 255 * (0.2 + 0.95 * share[p]));
    const patches = new OffscreenCanvas(tile.cols, tile.rows);
    patches.getContext("2d").putImageData(small, 0, 0);
    within(cover, shot, tile, () => cover.drawImage(patches, ...onSheet(shot, tile.image || 0, tile.box)));
  }
  bright.setTransform(1, 0, 0, 1, 0, 0);
  bright.drawImage(mask, 0, 0);
  pen.save();
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.drawImage(light, 0, 0);
  pen.restore();
}

/** What lies there, without its colours and darker. */
function dim(pen, [w, h]) {
  pen.save();
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.globalCompositeOperation = "saturation";
  pen.fillStyle = "#777";
  pen.fillRect(0, 0, w, h);
  pen.globalCompositeOperation = "source-over";
  pen.fillStyle = "rgba(22, 24, 28, 0.56)";
  pen.fillRect(0, 0, w, h);
  pen.restore();
}

function colour(pen, shot, share) {
  let p = 0;
  for (const tile of shot.tiles) {
    const [x, y, w, h] = onSheet(shot, tile.image || 0, tile.box);
    const [ch, cw] = [h / tile.rows, w / tile.cols];
    within(pen, shot, tile, () => {
      for (let i = 0; i < tile.rows * tile.cols; i++, p++) {
        if (share[p] < FAINT) continue;
        pen.globalAlpha = 0.15 + 0.7 * share[p];
        pen.fillStyle = level(0.25 + 0.75 * share[p]);
        pen.fillRect(x + (i % tile.cols) * cw, y + Math.floor(i / tile.cols) * ch, cw, ch);
      }
    });
  }
}

/** Tiles may reach beyond their picture. */
function within(pen, shot, tile, draw) {
  pen.save();
  pen.beginPath();
  pen.rect(...sheet(shot).places[tile.image || 0]);
  pen.clip();
  draw();
  pen.restore();
}

function outline(pen, box, scale) {
  for (const [style, width] of [
    ["#fff", 4],
    ["#111", 1.5],
  ]) {
    pen.strokeStyle = style;
    pen.lineWidth = width / scale;
    pen.strokeRect(...box);
  }
}

/** Values alone, small: a pixel for each patch, coloured by `share(value)` from 0 to 1. */
export function thumbnail(canvas, shot, values, share, width = 96) {
  const [h, w] = sheet(shot).size;
  [canvas.width, canvas.height] = [width, Math.max(1, Math.round((width * h) / w))];
  const pen = canvas.getContext("2d");
  pen.scale(width / w, width / w);
  let p = 0;
  for (const tile of shot.tiles) {
    const [x, y, tw, th] = onSheet(shot, tile.image || 0, tile.box);
    const [cw, ch] = [tw / tile.cols, th / tile.rows];
    within(pen, shot, tile, () => {
      pen.fillStyle = level(0);
      pen.fillRect(x, y, tw, th);
      for (let i = 0; i < tile.rows * tile.cols; i++, p++) {
        if (!values[p]) continue; // edges of neighbours would show as seams
        pen.fillStyle = level(share(values[p]));
        pen.fillRect(x + (i % tile.cols) * cw, y + Math.floor(i / tile.cols) * ch, cw + 0.5, ch + 0.5);
      }
    });
  }
}

/** The square [x, y, side] of the sheet around where a map is highest, at least `least` of the shorter side. */
export function around(shot, values, least = 0.5) {
  const [h, w] = sheet(shot).size;
  const side0 = Math.min(h, w);
  const share = shares(values);
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  let p = 0;
  for (const tile of shot.tiles) {
    const [x, y, tw, th] = onSheet(shot, tile.image || 0, tile.box);
    for (let i = 0; i < tile.rows * tile.cols; i++, p++) {
      if (share[p] < 0.5) continue;
      const px = x + ((i % tile.cols) * tw) / tile.cols;
      const py = y + (Math.floor(i / tile.cols) * th) / tile.rows;
      left = Math.min(left, px);
      top = Math.min(top, py);
      right = Math.max(right, px + tw / tile.cols);
      bottom = Math.max(bottom, py + th / tile.rows);
    }
  }
  if (!(right > left)) return null;
  const side = Math.min(side0, Math.max(least * side0, 1.25 * Math.max(right - left, bottom - top)));
  const clamp = (v, most) => Math.min(Math.max(v, 0), most);
  return [clamp((left + right - side) / 2, w - side), clamp((top + bottom - side) / 2, h - side), side];
}
