// A latent's reference pictures: of the case on show where it holds them, else looked up once and remembered.
import { firing } from "./derive.js";
import * as model from "./model.js";
import { choiceShown, state } from "./store.js";
import { call } from "./wire.js";

const details = new Map(); // "sae/latent" -> Promise of {references, error}
const REMEMBERED = 600;

/** A latent's reference pictures, decoded: a promise of {references, error}. */
export function detail(id) {
  const a = state.analysis;
  const own = state.kase && state.kase.references[id];
  const key = `${own ? state.kase.id : a ? a.sae.name : ""}/${id}`;
  if (!details.has(key)) {
    if (details.size > REMEMBERED) details.clear();
    details.set(key, own ? Promise.resolve({ references: own.map(model.reference) }) : lookUp(a, id, key));
  }
  return details.get(key);
}

async function lookUp(a, id, key) {
  let top = 0;
  if (a) for (const v of firing(a, id)) if (v > top) top = v;
  const told = await call("detail", [choiceShown(), id, top]);
  if (told.error) details.delete(key);
  return { error: told.error, references: (told.references || []).map(model.reference) };
}
