// The question bar's actions: pictures and question to the server; an example; another SAE.
import { set, state } from "./store.js";
import { finish, send, upload } from "./wire.js";

export function ask() {
  const { images, prompt, choice, layers, heads } = state.draft;
  const refs = images.map((image) => image.ref);
  send("ask", { images: refs, prompt, choice, layers, heads }, "Asking the model");
}

export function example(n) {
  const row = state.boot.examples[n];
  set({ draft: { ...state.draft, images: [{ src: row.src, ref: { example: n } }], prompt: row.question } });
  ask();
}

/** Reads the answer on show with another SAE; `latent` is what is lit once that is there. */
export function choose(choice, latent = null) {
  set({ draft: { ...state.draft, choice }, sought: latent });
  if (state.analysis) ask();
}

/** Adds pictures to the question; one that stands alone from before is replaced. */
export async function addPictures(files, replace) {
  const added = [];
  for (const file of files) {
    try {
      const src = URL.createObjectURL(file);
      added.push({ src, ref: { upload: await upload(file) } });
    } catch {
      finish("ask", `${file.name} couldn't be sent to the server; try again or choose another picture.`);
      return;
    }
  }
  const images = replace ? added : [...state.draft.images.filter((image) => !image.broken), ...added];
  finish("ask");
  set({ draft: { ...state.draft, images } });
}

/** Whether the answer on show is of another picture or question than the bar holds, or the last request failed. */
export function outdated(s) {
  if (!s.analysis || s.kase) return false;
  const own =
    s.draft.images.length === s.page.images.length && s.draft.images.every((i, n) => i.ref.shown === n);
  return !own || !!s.errors.ask || !!s.jobs.ask;
}
