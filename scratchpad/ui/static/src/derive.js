// What views show, computed from the decoded analysis and the state. Nothing here draws; every score is the server's.
import { EVERYWHERE, state } from "./store.js";

/** The attention of a text token on every patch, or null where it can't see the picture. */
export function attention(a, token) {
  const row = a.attentionRow.get(token);
  return row === undefined ? null : a.attention.subarray(row * a.patches, (row + 1) * a.patches);
}

/** A latent's activation on every patch. */
export function firing(a, latent) {
  const out = new Float32Array(a.patches);
  const { codeIndices, codeValues, perPatch } = a;
  for (let i = 0; i < codeValues.length; i++)
    if (codeIndices[i] === latent && codeValues[i] > 0) out[Math.floor(i / perPatch)] = codeValues[i];
  return out;
}

/** The latents of one patch, strongest first: {id, value}. */
export function ofPatch(a, patch) {
  const out = [];
  for (let i = patch * a.perPatch; i < (patch + 1) * a.perPatch; i++)
    if (a.codeValues[i] > 0) out.push({ id: a.codeIndices[i], value: a.codeValues[i] });
  return out.sort((x, y) => y.value - x.value);
}

export const latentOf = (a, id) => a.latents.get(id) || BARE(id);
const BARE = (id) => ({
  id,
  name: "",
  guess: "",
  precision: null,
  support: null,
  sparsity: null,
  mean_activation: null,
});

/** A latent that the index labels: what it is called on this picture where it fires here, else its label as a guess. */
export const labelled = ({ id, name }) => state.analysis?.latents.get(id) ?? { ...BARE(id), guess: name };

export const everywhere = (l) => l.sparsity !== null && l.sparsity > EVERYWHERE;

/** The one filter of cards, patches and heatmap. */
export function passes(s, l) {
  const { sparsest, densest, mean } = s.filter;
  if (l.sparsity !== null && (l.sparsity < sparsest || l.sparsity > densest)) return false;
  return l.mean_activation === null || l.mean_activation >= mean;
}

/** Every active latent with its score in a scope, best first, the filter not applied: {...Ranked, value}. */
export function scored(s, scope = s.scope, token = s.token) {
  const a = s.analysis;
  if (scope === "patch" && s.patch !== null)
    return ofPatch(a, s.patch).map((row) => ({ ...latentOf(a, row.id), value: row.value }));
  if (scope === "region" && s.place)
    return s.place.latents.map((row) => ({
      ...{ ...latentOf(a, row.id), value: row.inside - row.outside },
      ...{ inside: row.inside, outside: row.outside },
    }));
  const row = a.scoreRow.get(token);
  const n = a.active.length;
  const weighted = scope === "token" && row !== undefined;
  const values = weighted ? a.scores.subarray(row * n, (row + 1) * n) : a.means;
  if (scope === "token" && row === undefined) return [];
  return a.active
    .map((id, i) => ({ ...latentOf(a, id), value: values[i] }))
    .filter((l) => l.value > 0)
    .sort((x, y) => y.value - x.value);
}

/** What CONCEPTS shows: {cards, apart, hidden}; `apart` fire everywhere, unless they are to stand among the others. */
export function ranking(s, scope = s.scope) {
  const all = scored(s, scope);
  const rows = all.filter((l) => passes(s, l));
  const among = s.filter.everywhere === "among";
  const cards = among ? rows : rows.filter((l) => !everywhere(l));
  return { cards, apart: among ? [] : rows.filter(everywhere), hidden: all.length - rows.length };
}

/** How strongly a latent is weighed by each text token, 0 to 1 of its strongest: token -> share. */
export function tokensOf(a, latent) {
  const column = a.column.get(latent);
  const out = new Map();
  if (column === undefined) return out;
  const n = a.active.length;
  let top = 0;
  for (const [token, row] of a.scoreRow) {
    const value = a.scores[row * n + column];
    out.set(token, value);
    if (value > top) top = value;
  }
  for (const [token, value] of out) out.set(token, top > 0 ? value / top : 0);
  return out;
}

/** How strongly a latent of the language model fires on each text token, 0 to 1 of its strongest: token -> share. */
export function spokenOf(a, latent) {
  const { tokens, perToken, values, indices } = a.spoken;
  const out = new Map(tokens.map((token) => [token, 0]));
  let top = 0;
  for (let i = 0; i < values.length; i++)
    if (indices[i] === latent && values[i] > 0) {
      out.set(tokens[Math.floor(i / perToken)], values[i]);
      top = Math.max(top, values[i]);
    }
  for (const [token, value] of out) out.set(token, top > 0 ? value / top : 0);
  return out;
}

/** What the pointer or the selection lights in the other views: {latent, token, patch, lit: Set of latents or null}. */
export function brush(s) {
  const { hover, analysis: a } = s;
  const latent = hover ? (hover.latent ?? null) : null;
  const token = hover ? (hover.token ?? null) : null;
  const patch = hover ? (hover.patch ?? null) : null;
  let lit = null;
  if (patch !== null) lit = new Set(ofPatch(a, patch).map((row) => row.id));
  else if (token !== null)
    lit = new Set(
      scored(s, "token", token)
        .slice(0, 8)
        .map((l) => l.id),
    );
  return { latent, token, patch, lit };
}

/** What the map is of now: {latent}, or {token} with {cells} where it's of some layers and heads alone. */
export function onMap(s) {
  const { latent, token } = brush(s);
  if (latent !== null) return { latent };
  if (token !== null) return { token };
  const own = s.heads && s.heads.token === s.token && s.heads.patches > 0;
  const cells = own ? (s.hover?.cells ?? s.cells) : null;
  if (s.hover?.cells && cells) return { token: s.token, cells };
  return s.latent !== null ? { latent: s.latent } : { token: s.token, cells };
}

/** Of every merge of a tree: {left, right, distance} as branches {at, distance, leaves}, lowest first. */
export function branches(tree) {
  const made = tree.leaves.map((id, i) => ({ at: i, distance: 0, leaves: [id] }));
  for (const { left, right, distance } of tree.merges) {
    const [a, b] = [made[left], made[right]].sort((x, y) => x.at - y.at);
    made.push({ at: (a.at + b.at) / 2, distance, leaves: [...a.leaves, ...b.leaves], of: [a, b] });
  }
  return made;
}

/** The highest branches that hold together under a distance, in the tree's order. */
export function clustersAt(made, cut) {
  const out = [];
  const walk = (branch) => {
    if (!branch.of || branch.distance <= cut) out.push(branch);
    else branch.of.forEach(walk);
  };
  if (made.length) walk(made[made.length - 1]);
  return out;
}

/** The heatmap's rows as they are shown: indices into its tokens, those of the answer, or of the question too. */
export function rowsOf(s) {
  const { heatmap: h, byIndex } = s.analysis;
  const all = h.tokens.map((_, r) => r);
  const outputs = all.filter((r) => byIndex.get(h.tokens[r]).role === "output");
  return s.asked || !outputs.length ? all : outputs;
}

/** The heatmap's columns as they are shown: indices into its latents, those that pass the filter. */
export function columns(s) {
  const { heatmap: h } = s.analysis;
  const among = s.filter.everywhere === "among";
  const shows = (l) => passes(s, l) && (among || !everywhere(l));
  const shown = h.latents.map((_, c) => c).filter((c) => shows(latentOf(s.analysis, h.latents[c])));
  if (s.order === "clusters") return shown;
  const row = h.tokens.indexOf(s.token);
  const n = h.latents.length;
  const total = (c) => rowsOf(s).reduce((sum, r) => sum + h.raw[r * n + c], 0);
  const value = s.order === "token" && row >= 0 ? (c) => h.raw[row * n + c] : total;
  return shown
    .map((c) => [value(c), c])
    .sort((x, y) => y[0] - x[0])
    .map(([, c]) => c);
}
