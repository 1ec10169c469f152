// The heatmap's canvas: tokens down, latents across. Only the columns in view are drawn, so that a thousand latents
// cost what fifty do. Also says what lies under a point.
import { brush, columns, everywhere, firing, latentOf, rowsOf, tokensOf } from "../derive.js";
import { level } from "../colour.js";
import { plain, token as say } from "../text.js";

export const CELL = 20;
export const ROW = 22;
export const HEAD = 132;
export const LEFT = 104;
const TURN = Math.PI / 3; // of the labels
const FONT = "12px ui-sans-serif, system-ui, sans-serif";

export const whole = (count) => LEFT + CELL * count + 70;
export const height = (s) => HEAD + ROW * rowsOf(s).length + 8;

/** {row, column} under a point of the canvas; along a turned label, its own column. -1 where there is none. */
export function under(s, shown, x, y, scrolled) {
  const along = y < HEAD - 14 ? (HEAD - 14 - y) / Math.tan(TURN) : 0;
  const row = Math.floor((y - HEAD) / ROW);
  const column = x - along < LEFT ? -1 : Math.floor((x - along + scrolled - LEFT) / CELL);
  const inside = (n, count) => (n >= 0 && n < count ? n : -1);
  return { row: rowsOf(s)[row] ?? -1, column: inside(column, shown.length) };
}

export function sketch(s, canvas, width, scrolled, ratio) {
  const shown = columns(s);
  const h = height(s);
  const size = [Math.round(width * ratio), Math.round(h * ratio)];
  if (canvas.width !== size[0] || canvas.height !== size[1]) {
    [canvas.width, canvas.height] = size;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${h}px`;
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, h);
  const from = Math.max(0, Math.floor(scrolled / CELL) - 6);
  const to = Math.min(shown.length, Math.ceil((scrolled + width - LEFT) / CELL) + 1);
  const page = canvas.closest(".sp-page") || document.querySelector(".sp-page");
  const style = getComputedStyle(page);
  const ink = style.getPropertyValue("--sp-ink").trim() || "#222";
  const accent = style.getPropertyValue("--sp-accent").trim() || "#067";
  const view = { s, pen, shown, from, to, ink, accent, width, left: (c) => LEFT + CELL * c - scrolled };
  rows(view);
  pen.save();
  pen.beginPath();
  pen.rect(LEFT - 2, 0, width, h);
  pen.clip();
  cells(view);
  labels(view);
  if (s.order === "clusters") brackets(view);
  outline(view);
  pen.restore();
}

function rows({ s, pen, ink, accent }) {
  const a = s.analysis;
  const lit = brush(s);
  const latent = lit.latent ?? s.latent;
  const weights = latent === null ? new Map() : tokensOf(a, latent);
  pen.textAlign = "right";
  rowsOf(s).forEach((of, r) => {
    const index = a.heatmap.tokens[of];
    const t = a.byIndex.get(index);
    const on = s.token === index || lit.token === index;
    pen.fillStyle = ink;
    pen.globalAlpha = on ? 1 : t.role === "output" ? 0.92 : 0.62;
    pen.font = `${on ? "700 " : ""}${FONT}`;
    pen.fillText(say(t.text).slice(0, 14), LEFT - 10, HEAD + ROW * r + 15);
    const weight = weights.get(index) || 0;
    if (weight > 0.1) {
      pen.globalAlpha = weight;
      pen.fillStyle = accent;
      pen.fillRect(LEFT - 6, HEAD + ROW * r + 2, 3, ROW - 5);
    }
  });
  pen.globalAlpha = 1;
}

function cells({ s, pen, shown, from, to, left }) {
  const h = s.analysis.heatmap;
  const n = h.latents.length;
  let top = 1;
  if (s.raw) top = h.raw.reduce((most, v) => Math.max(most, v), 1e-9);
  const values = s.raw ? h.raw : h.values;
  rowsOf(s).forEach((of, r) => {
    for (let c = from; c < to; c++) {
      pen.fillStyle = level(values[of * n + shown[c]] / top);
      pen.fillRect(left(c), HEAD + ROW * r, CELL - 1, ROW - 1);
    }
  });
}

function labels({ s, pen, shown, from, to, ink, accent, left }) {
  const a = s.analysis;
  const { latent, patch, lit } = brush(s);
  const chosen = patch ?? s.patch;
  pen.textAlign = "left";
  for (let c = from; c < to; c++) {
    const l = latentOf(a, a.heatmap.latents[shown[c]]);
    const picked = s.picked.includes(l.id);
    const strong = l.id === s.latent || l.id === latent || lit?.has(l.id);
    const here = chosen !== null && firesIn(a, l.id, chosen);
    pen.save();
    pen.translate(left(c) + CELL / 2 + 3, HEAD - 14);
    pen.rotate(-TURN);
    pen.fillStyle = strong || here ? accent : ink;
    pen.globalAlpha = strong || here || picked ? 1 : everywhere(l) ? 0.55 : 0.8;
    pen.font = `${l.name ? "" : "italic "}${strong ? "700 " : ""}${FONT}`;
    pen.fillText(`${picked ? "✓ " : ""}${short(plain(l))}${everywhere(l) ? " ∀" : ""}`, 0, 0);
    pen.restore();
  }
}

const fired = new WeakMap(); // analysis -> latent -> its activations
function firesIn(a, latent, patch) {
  if (!fired.has(a)) fired.set(a, new Map());
  const of = fired.get(a);
  if (!of.has(latent)) of.set(latent, firing(a, latent));
  return of.get(latent)[patch] > 0;
}

function brackets({ s, pen, shown, ink, left, width }) {
  const h = s.analysis.heatmap;
  const cluster = new Map(h.clusters.flatMap((k) => k.latents.map((id) => [id, k.id])));
  pen.strokeStyle = ink;
  pen.lineWidth = 1.5;
  pen.globalAlpha = 0.7;
  for (let c = 0; c < shown.length; ) {
    const own = cluster.get(h.latents[shown[c]]);
    let end = c;
    while (end < shown.length && cluster.get(h.latents[shown[end]]) === own) end++;
    const [a, b] = [left(c) + 1, left(end) - 3];
    if (b > 0 && a < width) {
      pen.beginPath();
      pen.moveTo(a, HEAD - 4);
      pen.lineTo(a, HEAD - 8);
      pen.lineTo(b, HEAD - 8);
      pen.lineTo(b, HEAD - 4);
      pen.stroke();
    }
    c = end;
  }
  pen.globalAlpha = 1;
}

function outline({ s, pen, shown, left }) {
  const h = s.analysis.heatmap;
  const { latent } = brush(s);
  for (const [id, widths] of [
    [latent, [2, 1]],
    [s.latent, [3, 1]],
  ]) {
    const column = id === null ? -1 : shown.findIndex((c) => h.latents[c] === id);
    if (column < 0) continue;
    for (const [style, line] of [
      ["#fff", widths[0]],
      ["#111", widths[1]],
    ]) {
      pen.strokeStyle = style;
      pen.lineWidth = line;
      pen.strokeRect(left(column) - 1, HEAD - 1, CELL + 1, ROW * rowsOf(s).length + 1);
    }
  }
}

/** At most 15 letters; what was cut shows, and a guess keeps its question mark. */
const short = (text) =>
  text.length <= 15
    ? text
    : `${text.slice(0, text.endsWith("?") ? 13 : 14)}…${text.endsWith("?") ? "?" : ""}`;
