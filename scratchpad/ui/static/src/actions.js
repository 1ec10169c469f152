// What a visitor does, as changes of the state and requests to the server.
import * as model from "./model.js";
import { spans } from "./text.js";
import { edit, forgetPast, forgotten, recall, set, state } from "./store.js";
import { unasked } from "./unasked.js";
import { finish, receives, send, underway } from "./wire.js";

/** Whether what comes is what the case on show was of, asked anew: its edit stays, to be tested here. */
const goesOn = (analysis, kase) =>
  !!state.kase &&
  !kase &&
  analysis.prompt === state.analysis.prompt &&
  analysis.sae.identity === state.analysis.sae.identity;

/** A new analysis is on show. */
export function load(value) {
  const { analysis, page, kase } = model.decode(value);
  if (!kase && !state.analysis && new URLSearchParams(location.search).has("case")) return; // the case is on its way
  const asked = analysis.tokens.filter((token) => token.role === "prompt");
  const opens = page.open_token ?? (analysis.outputs[0] || asked[asked.length - 1] || {}).index;
  const images = page.images.map((src, n) => ({ src, ref: { shown: n } }));
  const typed = kase || state.analysis ? null : unasked();
  const jobs = state.jobs.keep ? { keep: state.jobs.keep } : {}; // the others are of the answer before
  set(
    {
      ...{
        analysis,
        page,
        kase,
        jobs,
        token: opens ?? null,
        latent: analysis.latents.has(state.sought) ? state.sought : null,
        sought: null,
        patch: null,
        hover: null,
        more: 12,
      },
      ...{
        picked: [],
        own: {},
        ops: {},
        strength: 0,
        region: null,
        image: null,
        keepError: true,
        marking: false,
      },
      ...(goesOn(analysis, kase) ? edit() : {}),
      ...{ runs: [], at: -1, diagnosis: null, verified: null, errors: {}, scope: "token", target: "" },
      ...{ layers: null, influence: null, path: null, pair: null, place: null },
      ...{ tree: null, heads: null, cells: null, stages: null },
      ...{ other: null, otherDraft: null, evidence: false, shared: null },
      draft: {
        ...{ images, prompt: typed ?? analysis.prompt, choice: page.choice || state.draft.choice },
        layers: spans(analysis.settings.attention_layers),
        heads: spans(analysis.settings.attention_heads),
      },
    },
    false,
  );
  if (kase) {
    for (const test of kase.tests)
      remember({ test, blank: analysis.blank, nonce: `case/${state.runs.length}` });
    set({ diagnosis: kase.diagnosis, verified: kase.verified });
    if (state.runs.length) recall(0);
  }
  if (state.reading) set({ reading: { ...state.reading, steered: null } }, false);
  forgetPast();
  reveal();
}

/** Every test of this answer is kept, oldest first. */
function remember({ test, blank, nonce }) {
  const run = {
    test: model.test(test),
    blank,
    nonce,
    edit: edit({ ...state, ...model.editOf(test.comparison.edit) }),
  };
  set({ runs: [...state.runs, run] }, false);
}

function tested(value) {
  const asked = state.jobs.test || value.opening; // else it's of an answer that isn't on show any more
  if (underway("test", value) || !asked) return;
  if (value.verified) set({ verified: value.verified, evidence: true });
  if (value.diagnosis) set({ diagnosis: value.diagnosis, evidence: true });
  if (!value.test || state.runs.some((run) => run.nonce === value.nonce)) return;
  if (!state.analysis) {
    waiting = value; // the analysis that it is of comes on another channel
    return;
  }
  remember(value);
  recall(state.runs.length - 1);
}

let waiting = null;
function reveal() {
  const value = waiting;
  waiting = null;
  if (value && !state.kase) tested(value);
}

receives("look", (value) => {
  finish("ask");
  load(value);
});
receives("test", tested);
receives("boot", (boot) =>
  set({ boot: { ...state.boot, ...boot }, draft: { ...state.draft, choice: boot.choice || "" } }),
);
receives("ask", (value) => underway("ask", value));
for (const name of ["layers", "stages", "tree", "influence"])
  receives(name, (value) => {
    if (!underway(name, value)) set({ [name]: value });
  });
receives("steer", (value) => {
  if (underway("steer", value) || state.reading?.id !== value.latent.id) return;
  set({ reading: { ...state.reading, steered: value } });
});
receives("heads", (value) => {
  if (!underway("heads", value)) set({ heads: model.heads(value) });
});

const sampling = (s) =>
  s.temperature.trim() ? { temperature: +s.temperature, seed: Math.trunc(+s.seed) || 0 } : null;
const LABELS = {
  ablate: "Asking again",
  suggested: "Testing the suggested set",
  smallest: "Searching the smallest set",
  diagnose: "Diagnosing",
  verify: "Verifying predictions",
};

/** Asks the model again: "ablate", "suggested", "smallest", "diagnose" or "verify". */
export function test(what) {
  const s = state;
  if (what === "ablate" && !s.picked.length && s.keepError) return false;
  const event = { do: what, target: s.target.trim() || null, sampling: sampling(s) };
  return send("test", what === "ablate" ? { ...event, edit: model.toEdit(s) } : event, LABELS[what]);
}

/** Latents in or out of the test. */
export function toggle(ids) {
  const all = ids.every((id) => state.picked.includes(id));
  const picked = all
    ? state.picked.filter((id) => !ids.includes(id))
    : [...new Set([...state.picked, ...ids])];
  set({ picked });
}

/** Takes latents as the whole test, and asks again at once. */
export function testOnly(ids) {
  set({ picked: [...ids], own: {}, ops: {}, strength: 0 });
  test("ablate");
}

export function clear() {
  set({
    picked: [],
    own: {},
    ops: {},
    strength: 0,
    keepError: true,
    region: null,
    image: null,
    at: -1,
    target: "",
  });
  set({ diagnosis: null, verified: null, temperature: "", seed: "0" });
}

export const chooseToken = (token) =>
  set({
    ...{ token, latent: null, patch: null, scope: "token", more: 12, hover: null },
    errors: forgotten(state, "heads"),
  });
export const chooseLatent = (id) => set({ latent: state.latent === id ? null : id, hover: null });
export function choosePatch(patch) {
  const same = patch === null || state.patch === patch;
  const scope = same ? (state.scope === "patch" ? "token" : state.scope) : "patch";
  set({ patch: same ? null : patch, scope, hover: null, more: 12 });
}
