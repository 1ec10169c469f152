// Whether the server is still there while it is waited for: a request that a dead server was sent is never refused.
import { set, state } from "./store.js";

export const GONE = "The server can't be reached; try again once it is back.";
const EVERY = 4000; // ms between two questions
const PATIENCE = 20_000; // ms for an answer: a busy server is no dead one
const LOST = 2; // in a row, as a single request may be dropped on the way
let timer = null;

/** Asks from now on until no job is left; where nobody answers, every job ends with a sentence that says so. */
export function watch() {
  timer ??= setTimeout(look, EVERY, 0);
}

async function look(missed) {
  const none = Object.keys(state.jobs).length === 0;
  const now = none || (await answers()) ? 0 : missed + 1;
  if (now >= LOST) giveUp();
  const waiting = Object.keys(state.jobs).length > 0;
  timer = waiting ? setTimeout(look, EVERY, now) : null;
}

function giveUp() {
  const errors = Object.fromEntries(Object.keys(state.jobs).map((name) => [name, GONE]));
  set({ jobs: {}, errors: { ...state.errors, ...errors } });
}

/** Any answer counts, a refusal too: it comes from somebody. */
async function answers() {
  try {
    const asked = { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) };
    await fetch("./gradio_api/app_id", asked);
    return true;
  } catch (error) {
    return error.name === "TimeoutError";
  }
}
