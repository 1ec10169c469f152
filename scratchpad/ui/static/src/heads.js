// Attention by layer and head: what a choice of cells comes to. Nothing here draws.

/** Layers and heads of a choice of cells, as indices. */
export function chosenCells(h, { layers: [first, last], head }) {
  const count = (n, from = 0) => Array.from({ length: n }, (_, i) => from + i);
  return { layers: count(last - first + 1, first), heads: head === null ? count(h.heads) : [head] };
}

/** The mean attention of some layers and heads: {share of it on the picture, values: of that, each patch's}. */
export function headMap(h, cells) {
  const { layers, heads } = chosenCells(h, cells);
  const values = new Float32Array(h.patches);
  let share = 0;
  let total = 0;
  for (const y of layers)
    for (const x of heads) {
      const i = y * h.heads + x;
      share += h.shares[i] / (layers.length * heads.length);
      for (let p = 0; p < h.patches; p++) values[p] += h.maps[i * h.patches + p] * h.peaks[i];
    }
  for (const v of values) total += v;
  return { share, values: total > 0 ? values.map((v) => v / total) : values };
}
