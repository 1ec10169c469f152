// What is compared with what is on show: pictures, question and SAE of the other side, asked of the server.
import { chooseToken } from "./actions.js";
import { ask } from "./asking.js";
import * as model from "./model.js";
import { set, state } from "./store.js";
import { finish, receives, send, underway, upload } from "./wire.js";

let asked = []; // the pictures of the comparison under way

const shown = (s) => s.page.images.map((src, n) => ({ src, ref: { shown: n } }));

/** The other side as its form has it: {images, prompt, choice}; at first all is as on show. */
export const otherDraft = (s) =>
  s.otherDraft ?? {
    ...{ images: shown(s), prompt: s.analysis.prompt },
    choice: s.page.choice || s.boot.choice || "",
  };

export const draftOther = (change) => set({ otherDraft: { ...otherDraft(state), ...change } });

export function compare() {
  const { images, prompt, choice } = otherDraft(state);
  const sent = send("compare", { images: images.map((image) => image.ref), prompt, choice }, "Comparing");
  if (sent) asked = images;
}

receives("compare", (value) => {
  if (!state.jobs.compare || underway("compare", value)) return; // else it's of an answer that isn't on show any more
  const { analysis, page } = model.decode(value.right);
  const asking = analysis.tokens.filter((t) => t.role === "prompt");
  const token = page.open_token ?? (analysis.outputs[0] ?? asking[asking.length - 1])?.index ?? null;
  const latent = state.analysis.latents.has(state.latent) ? state.latent : null;
  set({
    latent,
    other: { analysis, page, matched: value.matched, token, latent: null, images: asked },
    hover: null,
  });
  requestAnimationFrame(inSight);
});

/** On a narrow screen both sides come below the test bar's edge: they are brought up where they begin out of sight. */
function inSight() {
  const sides = document.querySelector(".sp-beside-sides");
  if (sides && sides.getBoundingClientRect().top > window.innerHeight / 2)
    sides.scrollIntoView({ block: "start" });
}

/** Puts uploaded pictures on the other side. */
export async function addOther(files) {
  const images = [];
  for (const file of files) {
    try {
      images.push({ src: URL.createObjectURL(file), ref: { upload: await upload(file) } });
    } catch {
      finish("compare", `${file.name} couldn't be sent to the server; try again or choose another picture.`);
      return;
    }
  }
  finish("compare");
  draftOther({ images });
}

/** Asks the other side's question in place of the one on show. */
export function goOnWithOther() {
  const { images, analysis, page } = state.other;
  const choice = page.choice || state.draft.choice;
  set({ draft: { ...state.draft, images, prompt: analysis.prompt, choice } });
  ask();
}

/** A word chosen on one side: its map and its concepts; what was lit on either side is let go. */
export function chooseWord(side, token) {
  if (side === "left") chooseToken(token);
  const other = { ...state.other, latent: null };
  set({ latent: null, other: side === "right" ? { ...other, token } : other });
}

/** A concept chosen on one side; another choice on the other side is let go. */
export function chooseBeside(side, id) {
  const same = side === "left" || state.other.matched.by === "latent";
  const before = same ? state.latent : state.other.latent;
  const next = before === id ? null : id;
  set({
    latent: same ? next : null,
    other: { ...state.other, latent: same ? null : next },
    hover: null,
  });
}
