// The page's state, all of it, in one place. Views read `state` and are drawn anew when `set` changes it.
// Nothing here knows the server's JSON (model.js), what is asked of the server (actions.js) or how anything looks.

export const EVERYWHERE = 0.5; // a latent that fires on more than this share of pictures is marked "everywhere"

export const state = {
  // What is on show: the decoded analysis (model.js), the page around it, and the case it comes from, if any.
  analysis: null,
  page: null,
  kase: null,
  // The selection. A map shows the latent if one is chosen, else the token.
  token: null,
  latent: null,
  patch: null,
  sought: null, // the latent to be chosen once the answer that is asked for is there
  hover: null, // {token} | {latent} | {patch} | {cells} | {branch} | {beside}: under the pointer or the focus, to brush
  // How it is looked at.
  tab: "concepts",
  scope: "token", // concepts of: "token" (attention-weighted), "picture" (plain mean), "patch", "region"
  compare: false, // both rankings side by side
  mode: "spotlight", // of the map: "spotlight", "colour", "plain"
  filter: { everywhere: "apart", sparsest: 0, densest: 1, mean: 0 }, // one filter for cards, patches and heatmap
  more: 12, // cards
  order: "clusters", // of the heatmap's columns: "clusters", "score", "token"
  raw: false, // heatmap values as they are, not per column
  asked: false, // heatmap rows of the question's tokens too
  // The edit under construction; `past` below holds what it was before each change.
  picked: [],
  own: {}, // latent -> value of its own
  ops: {}, // latent -> "scale", "set" or "add"
  strength: 0,
  region: null, // [y0, x0, y1, x1] in the picture's pixels
  image: null, // which picture, or null for all
  keepError: true,
  marking: false,
  // How it is asked again.
  target: "",
  temperature: "",
  seed: "0",
  // What was asked again: runs of {test, blank, edit, nonce}, oldest first; `at` is the one on show, -1 for none.
  runs: [],
  at: -1,
  diagnosis: null,
  verified: null,
  // Requests under way and what went wrong, by channel: ask, test, layers, heads, steer, tree, place, compare, stages,
  // needle, keep.
  jobs: {}, // channel -> {label, text, done, of}
  errors: {}, // channel -> sentence
  // The question bar.
  draft: { images: [], prompt: "", choice: "", layers: "", heads: "" }, // images: {src, ref}; layers and heads as "0,3"
  // What stands open over the page, and what the other tabs show.
  drawer: null, // "glossary" | "share" | "gallery" | "certificate" | null
  term: null, // the glossary's entry that was asked for
  evidence: false, // the test bar, opened
  tour: -1, // its step, -1 for none
  enlarged: null, // {latent, reference} of a reference picture shown large
  shared: null, // what KEEP said last
  reading: null, // the latent that has its own page: {id, data, references, steered}
  layers: null,
  influence: null, // what concepts at one place do to those at a later one: InfluenceShown (records/views.py)
  path: null, // [source, target] of it, as places in `layers`; null for the two that come first
  pair: null, // the chosen cell of it: [source, target] as rows and columns
  tree: null, // the heatmap's latents as a tree: {by, leaves, merges}
  likeness: "decoder", // by what they are alike: "decoder" or "tokens"
  cut: { decoder: 0.7, tokens: 0.5 }, // distance under which a branch is one cluster
  heads: null, // the chosen token's attention by layer and head (model.js)
  cells: null, // {layers: [first, last], head: n or null for all}: what of it the map shows; null for all
  place: null, // what fires in a region: {region, image, latents: [{id, name, inside, outside}]}
  other: null, // what stands beside the analysis on show: {analysis, page, matched, token, latent, images}
  otherDraft: null, // what it will be: {images, prompt, choice}; null where all is as on show
  stages: null,
  needle: null,
  sae: null,
  trusts: {}, // what a live sweep measured: method -> Trust, in place of the analysis's own
  boot: {
    offers: [], // pairs of model and SAE: {id, label, sae, own: whether the model knows its own world}
    certificates: [],
    examples: [],
    listed: [],
    runs: false,
    live: false,
    naming: false,
    models: 0, // how many the offers are of
  },
};

const EDIT = ["picked", "own", "ops", "strength", "region", "image", "keepError"];
const STROKES = ["strength", "region,image"]; // changes in one stroke (a slider, a drag) count once
const PAUSE = 800; // ms that end a stroke
const listeners = new Set();
let past = [];
let stroke = "";
let struck = 0;
let due = false;

/** Changes the state; views follow before the next frame. */
export function set(change, undoable = true) {
  if (undoable) remember(change);
  Object.assign(state, change);
  if (due) return;
  due = true;
  queueMicrotask(() => {
    due = false;
    for (const listener of listeners) listener(state);
  });
}

/** Calls `listener(state)` after every change. */
export function subscribe(listener) {
  listeners.add(listener);
}

/** The edit as it stands, for a run to keep. */
export const edit = (of = state) => Object.fromEntries(EDIT.map((key) => [key, of[key]]));
export const sameEdit = (a, b) => JSON.stringify(edit(a)) === JSON.stringify(edit(b));
export const canUndo = () => past.length > 0;

/** Takes the edit back by one change, and with it the run that was on show with it. */
export function undo() {
  const before = past.pop();
  stroke = "";
  if (before) set(before, false);
}

export function forgetPast() {
  past = [];
  stroke = "";
}

/** The run on show, if any, and whether the edit was changed since. */
export function shownRun(s = state) {
  const run = s.runs[s.at] || null;
  return { run, stale: !!run && !sameEdit(run.edit, s) };
}

/** The model and SAE that what is on show was read with, or will be where nothing is. */
export const choiceShown = (s = state) => s.page?.choice || s.draft.choice;

/** The errors but for a channel's: what it failed at isn't what is asked of it now. */
export const forgotten = (s, name) => ({ ...s.errors, [name]: undefined });

/** Puts one run on show: its edit and its result together. */
export function recall(at) {
  const run = state.runs[at];
  if (run) set({ ...run.edit, at, marking: false });
}

function remember(change) {
  if (!EDIT.some((key) => key in change && JSON.stringify(change[key]) !== JSON.stringify(state[key])))
    return;
  const what = Object.keys(change).join();
  const now = Date.now();
  const goesOn = what === stroke && now - struck < PAUSE && STROKES.includes(what);
  if (!goesOn) past.push({ ...edit(), at: state.at });
  stroke = what;
  struck = now;
  if (past.length > 100) past.shift();
}
