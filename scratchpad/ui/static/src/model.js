// The server's JSON, decoded: the only module that knows how records travel (scratchpad/records).

const ARRAYS = { f4: Float32Array, i4: Int32Array, u1: Uint8Array };

export const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/** A packed array: {dtype, shape, data}. */
export function unpack(packed) {
  const raw = bytes(packed.data);
  return new ARRAYS[packed.dtype](raw.buffer);
}

/** LOOK's value: {analysis, page, case}. */
export function decode(value) {
  return { analysis: analysis(value.analysis), page: value.page, kase: value.case };
}

function analysis(a) {
  const tokens = a.run.tokens.filter((token) => token.role !== "image");
  const tiles = a.run.grid.tiles;
  const latents = new Map(a.latents.map((row) => [row.id, row]));
  return {
    model: a.model,
    sae: a.sae,
    prompt: a.question.prompt,
    settings: a.question.settings,
    answer: a.run.answer,
    tokens,
    byIndex: new Map(tokens.map((token) => [token.index, token])),
    outputs: tokens.filter((token) => token.role === "output"),
    sizes: a.run.grid.sizes, // [h, w] of each picture
    tiles, // {box: [y0, x0, y1, x1], rows, cols, image}
    patches: tiles.reduce((n, tile) => n + tile.rows * tile.cols, 0),
    perPatch: a.codes.values.shape[1],
    codeValues: unpack(a.codes.values),
    codeIndices: unpack(a.codes.indices),
    attention: unpack(a.weights.values),
    attentionRow: rows(a.weights.tokens),
    active: a.scores.latents,
    column: rows(a.scores.latents),
    scores: unpack(a.scores.weighted),
    scoreRow: rows(a.scores.tokens),
    means: unpack(a.scores.mean),
    latents,
    ranked: a.latents,
    heatmap: {
      tokens: a.heatmap.tokens,
      latents: a.heatmap.latents,
      raw: unpack(a.heatmap.raw),
      values: unpack(a.heatmap.values),
      clusters: a.heatmap.clusters,
    },
    effects: new Map(a.effects),
    fidelity: a.fidelity,
    attentionTrust: a.attention_trust,
    conceptTrust: a.concept_trust,
    blank: a.blank,
    spoken: a.spoken ? spoken(a.spoken) : null,
  };
}

/** Codes of text tokens, of an SAE in the language model: {tokens, perToken, values, indices}. */
const spoken = ({ tokens, codes }) => ({
  ...{ tokens, perToken: codes.values.shape[1] },
  ...{ values: unpack(codes.values), indices: unpack(codes.indices) },
});

const rows = (keys) => new Map(keys.map((key, row) => [key, row]));

/** A HeadAttention: {token, layers, heads, patches} and shares, peaks [y h], maps [y h p]. */
export function heads(h) {
  const [layers, count, patches] = h.maps.shape;
  return {
    ...{ token: h.token, layers, heads: count, patches },
    ...{ shares: unpack(h.shares), peaks: unpack(h.peaks), maps: unpack(h.maps) },
  };
}

/** A Reference: where a latent fires on one of the index's pictures. */
export function reference(r) {
  const [rowsOf, cols] = r.mask.shape;
  return {
    src: `data:image/webp;base64,${r.thumbnail}`,
    interval: r.interval,
    activation: r.activation,
    labels: r.labels,
    rows: rowsOf,
    cols,
    values: Float32Array.from(unpack(r.mask), (v) => v / 255),
  };
}

/** What the edit of a Test says, as the state holds it. */
export function editOf(edit) {
  const items = edit.items;
  const op = (item) => (item.op === "set" && item.value === 0 ? "scale" : item.op);
  const each = (f) => Object.fromEntries(items.map((item) => [item.latent, f(item)]));
  const alike = items.every((item) => op(item) === "scale" && item.value === items[0].value);
  return {
    picked: [...new Set(items.map((item) => item.latent))],
    strength: alike && items.length ? items[0].value : 0,
    own: alike ? {} : each((item) => item.value),
    ops: alike ? {} : each(op),
    region: items.length ? items[0].region : null,
    image: items.length ? items[0].image : null,
    keepError: edit.keep_error,
  };
}

/** The Edit that the state's chips say. */
export function toEdit(s) {
  const value = { scale: s.strength, set: 0, add: 0 };
  const items = s.picked.map((latent) => {
    const op = s.ops[latent] || "scale";
    return { latent, op, value: s.own[latent] ?? value[op], region: s.region, image: s.image };
  });
  return { items, keep_error: s.keepError };
}

const sum = (values) => values.reduce((total, value) => total + value, 0);

/** A Test with the figures that several views read. */
export function test(t) {
  const effect = sum(t.comparison.delta_logprob);
  const { before, after } = t.comparison;
  const same =
    before.text === after.text &&
    before.tokens.map((x) => x.id).join() === after.tokens.map((x) => x.id).join();
  return { ...t, effect, changed: !same };
}

/** A Trust, also where it comes as the figures of one data set. */
export function trustOf(trust) {
  if (!trust || trust.sets) return trust || null;
  return {
    sets: [{ low: trust.accuracy, high: trust.accuracy, images: 0, ...trust }],
    nearest: trust.dataset,
  };
}
