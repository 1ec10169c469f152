// All latents as points: in how many pictures they fire (across), how strongly where they do (up), both logarithmic;
// coloured by what is chosen, on a scale of its own. Axes have titles, margins have histograms.
import { level } from "../colour.js";

const [LEFT, RIGHT, TOP, BOTTOM] = [64, 46, 44, 48];
const HEIGHT = 380;
let spots = []; // [x, y, id]
let drawn = null; // {all, scale} of the last drawing

/**
 * `shade` is {values: one for each latent or null, low, high}: what colours the points; `ranges`, if any, are framed:
 * {sparsity: [from, to], mean: [from, to]}.
 */
export function draw(canvas, all, chosen, shade, ranges) {
  const w = canvas.clientWidth || 600;
  const ratio = window.devicePixelRatio || 1;
  [canvas.width, canvas.height] = [w * ratio, HEIGHT * ratio];
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  const style = getComputedStyle(canvas.closest(".sp-page"));
  const ink = style.getPropertyValue("--sp-quiet").trim() || "#666";
  pen.font = "12px ui-sans-serif, system-ui, sans-serif";
  pen.fillStyle = pen.strokeStyle = ink;
  const scale = scales(all, w);
  drawn = { all, scale };
  axes(pen, scale, w);
  spots = all.ids.map((id, i) => [scale.x(all.sparsity[i]), scale.y(all.mean[i]), id]);
  margins(pen, w);
  points(pen, shade, chosen);
  if (ranges) frame(pen, scale, ranges, style.getPropertyValue("--sp-accent").trim() || "#0b6e69");
  const at = spots.find((spot) => spot[2] === chosen);
  if (!at) return;
  pen.strokeStyle = style.getPropertyValue("--sp-ink").trim() || "#111";
  pen.lineWidth = 2;
  pen.beginPath();
  pen.arc(at[0], at[1], 9, 0, 7);
  pen.stroke();
}

/** The colour of a share from 0 to 1, none so dark or bright that it's lost on the page. */
export const tint = (share) => level(0.15 + 0.75 * share);

function scales(all, w) {
  const log = (v, floor) => Math.log10(Math.max(v, floor));
  const floor = 0.5 / Math.max(1, all.images);
  const most = Math.max(...all.mean, 1e-6);
  const least = Math.max(1e-6, Math.min(...all.mean.filter((v) => v > 0), most));
  const [wide, high] = [w - LEFT - RIGHT, HEIGHT - BOTTOM - TOP];
  const span = Math.max(1e-6, Math.log10(most) - Math.log10(least));
  return {
    ...{ floor, most, least },
    x: (v) => LEFT + (wide * (log(v, floor) - Math.log10(floor))) / -Math.log10(floor),
    y: (v) => HEIGHT - BOTTOM - (high * (log(v, least) - Math.log10(least))) / span,
  };
}

function axes(pen, { x, y, floor, most, least }, w) {
  pen.textAlign = "center";
  for (const v of [1, 0.1, 0.01, 0.001]) if (v >= floor) pen.fillText(`${100 * v}%`, x(v), HEIGHT - 28);
  pen.fillText("fires in so many pictures", (LEFT + w - RIGHT) / 2, HEIGHT - 8);
  pen.textAlign = "right";
  for (let e = -6; e <= 4; e++)
    if (10 ** e >= least && 10 ** e <= most) pen.fillText(String(10 ** e), LEFT - 10, y(10 ** e) + 4);
  pen.save();
  pen.translate(16, (TOP + HEIGHT - BOTTOM) / 2);
  pen.rotate(-Math.PI / 2);
  pen.textAlign = "center";
  pen.fillText("mean strength where it fires", 0, 0);
  pen.restore();
}

function margins(pen, w) {
  const across = new Array(40).fill(0);
  const up = new Array(24).fill(0);
  const [wide, high] = [w - LEFT - RIGHT, HEIGHT - TOP - BOTTOM];
  const bin = (v, n) => Math.min(n - 1, Math.max(0, Math.floor(n * v)));
  for (const [sx, sy] of spots) {
    across[bin((sx - LEFT) / wide, 40)]++;
    up[bin((sy - TOP) / high, 24)]++;
  }
  pen.globalAlpha = 0.35;
  across.forEach((n, i) => {
    const t = (30 * n) / Math.max(...across);
    pen.fillRect(LEFT + (i * wide) / 40, TOP - 8 - t, wide / 40 - 1, t);
  });
  up.forEach((n, i) => {
    const t = (34 * n) / Math.max(...up);
    pen.fillRect(w - RIGHT + 8, TOP + (i * high) / 24, t, high / 24 - 1);
  });
}

function points(pen, shade, chosen) {
  const { low, high } = shade;
  spots.forEach(([sx, sy, id], i) => {
    const value = shade.values[i];
    pen.globalAlpha = value === null ? 0.22 : 0.85;
    if (value !== null) pen.fillStyle = tint((value - low) / Math.max(high - low, 1e-6));
    else pen.fillStyle = pen.strokeStyle;
    pen.beginPath();
    pen.arc(sx, sy, id === chosen ? 5 : 3.2, 0, 7);
    pen.fill();
  });
  pen.globalAlpha = 1;
}

function frame(pen, { x, y }, { sparsity, mean }, colour) {
  const [left, right, top, bottom] = [x(sparsity[0]), x(sparsity[1]), y(mean[1]), y(mean[0])];
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5;
  pen.strokeRect(left - 4, top - 4, right - left + 8, bottom - top + 8);
}

/** The values between which all points lie. */
export const extent = (all) => ({ sparsity: ends(all.sparsity), mean: ends(all.mean) });
const ends = (values) => [Math.min(...values), Math.max(...values)];

/** The ranges of the points in a rectangle [x0, y0, x1, y1] of the canvas, or null where there is none. */
export function spanned([x0, y0, x1, y1]) {
  const hit = spots.flatMap(([x, y], i) => (x >= x0 && x <= x1 && y >= y0 && y <= y1 ? [i] : []));
  if (!hit.length || !drawn) return null;
  const of = (values) => ends(hit.map((i) => values[i]));
  return { sparsity: of(drawn.all.sparsity), mean: of(drawn.all.mean) };
}

/** The latents within ranges, ends included, those that fire on fewest pictures first. */
export function within(all, { sparsity, mean }) {
  const holds = (v, [low, high]) => v >= low && v <= high;
  const hit = all.ids.flatMap((_, i) =>
    holds(all.sparsity[i], sparsity) && holds(all.mean[i], mean) ? [i] : [],
  );
  return hit.sort((a, b) => all.sparsity[a] - all.sparsity[b]).map((i) => all.ids[i]);
}

/** The latent nearest to a click, or null. */
export function nearest(e) {
  const r = e.currentTarget.getBoundingClientRect();
  const [px, py] = [e.clientX - r.left, e.clientY - r.top];
  let [best, id] = [400, null];
  for (const [x, y, one] of spots) {
    const d = (x - px) ** 2 + (y - py) ** 2;
    if (d < best) [best, id] = [d, one];
  }
  return id;
}

/** The next latent from left to right, or null where another key was pressed. */
export function arrows(e, chosen) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
  if (!step) return null;
  e.preventDefault();
  const order = [...spots].sort((a, b) => a[0] - b[0]).map((spot) => spot[2]);
  return order[Math.min(Math.max(order.indexOf(chosen) + step, 0), order.length - 1)];
}
