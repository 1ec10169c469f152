// Two analyses side by side: which latents of one are a concept of the other's, as the server matched them
// (records/beside.py).
import { everywhere, firing, passes, scored } from "./derive.js";

const OPPOSITE = { left: "right", right: "left" };

/** What stands on a side: {analysis, page, token}. */
export const sideOf = (s, side) => (side === "left" ? s : s.other);

/** The other side's latents that are the same concept; of one SAE the latent itself, whether or not it fires there. */
export function partners({ by, concepts }, side, id) {
  if (by === "latent") return [id];
  const row = concepts.find((shared) => shared[side].includes(id));
  return row ? row[OPPOSITE[side]] : [];
}

/** The latents lit on each side, pointed at or chosen: {left, right, by: the side they were lit from, id}; or null. */
export function lit(s) {
  const pick = (at) => {
    if (!at) return null;
    if (at.latent !== undefined && at.latent !== null) return ["left", at.latent];
    return at.beside !== undefined && at.beside !== null ? ["right", at.beside] : null;
  };
  const from = pick(s.hover) ?? pick({ latent: s.latent, beside: s.other.latent });
  if (!from) return null;
  const [by, id] = from;
  return { by, id, [by]: [id], [OPPOSITE[by]]: partners(s.other.matched, by, id) };
}

/** Where any of some latents fires: the strongest on every patch. */
export function firingOf(a, ids) {
  const out = new Float32Array(a.patches);
  for (const id of ids) firing(a, id).forEach((v, p) => (out[p] = Math.max(out[p], v)));
  return out;
}

/** The concepts of a side behind its token, best first, those that fire everywhere left out: {...Ranked, value, there}.
 * `there` is the rank of the best partner among all of the other side's, from 1, or null. */
export function listed(s, side, most) {
  const all = (at) => scored({ analysis: at.analysis, token: at.token, scope: "token" });
  const rank = new Map(all(sideOf(s, OPPOSITE[side])).map((l, n) => [l.id, n + 1]));
  const there = (id) => {
    const ranks = partners(s.other.matched, side, id)
      .map((other) => rank.get(other))
      .filter(Boolean);
    return ranks.length ? Math.min(...ranks) : null;
  };
  const among = s.filter.everywhere === "among";
  return all(sideOf(s, side))
    .filter((l) => passes(s, l) && (among || !everywhere(l)))
    .slice(0, most)
    .map((l) => ({ ...l, there: there(l.id) }));
}
