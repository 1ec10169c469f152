// The two colour maps: strength (sequential) and change (diverging). As draw/colours.py has them; readable in grey.

const STOPS = [
  [0, 0, 4],
  [40, 11, 84],
  [101, 21, 110],
  [159, 42, 99],
  [212, 72, 66],
  [245, 125, 21],
  [250, 193, 39],
  [252, 255, 164],
];
const CHANGE = [
  [33, 102, 172],
  [103, 160, 206],
  [190, 214, 232],
  [245, 245, 242],
  [247, 205, 160],
  [230, 140, 60],
  [179, 88, 6],
];

function mix(stops, x) {
  const at = Math.min(Math.max(x, 0), 1) * (stops.length - 1);
  const i = Math.min(Math.floor(at), stops.length - 2);
  return stops[i].map((c, j) => Math.round(c + (at - i) * (stops[i + 1][j] - c)));
}

/** [r, g, b] of a strength from 0 to 1. */
export const strength = (x) => mix(STOPS, x);

/** [r, g, b] of a change from -1 to 1. */
export const change = (x) => mix(CHANGE, (x + 1) / 2);

const LEVELS = Array.from({ length: 256 }, (_, i) => `rgb(${strength(i / 255)})`);

/** The same as a style, from a table: for canvases with very many cells. */
export const level = (x) => LEVELS[Math.min(255, Math.max(0, Math.round(255 * x)))];
