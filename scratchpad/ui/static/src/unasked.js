// A question that was typed and not yet asked outlives its page: Gradio opens the page anew when a server comes back.
import { state } from "./store.js";

const KEY = "scratchpad-unasked"; // of this tab alone

addEventListener("pagehide", () => {
  const typed = state.draft.prompt;
  const waits = state.analysis && !state.kase && typed.trim() && typed !== state.analysis.prompt;
  stored((store) => (waits ? store.setItem(KEY, typed) : store.removeItem(KEY)));
});

/** What was typed on the page that this one replaces, once; null where nothing was. */
export function unasked() {
  return stored((store) => {
    const typed = store.getItem(KEY);
    store.removeItem(KEY);
    return typed;
  });
}

/** A browser may forbid it to a page inside another's, as a Space is. */
function stored(act) {
  try {
    return act(sessionStorage) ?? null;
  } catch {
    return null;
  }
}
