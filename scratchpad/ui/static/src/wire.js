// The page's line to the server: channels that carry events up and JSON down, functions that look something up, and
// the jobs under way. Gradio brings both (layout.py); an exported case has neither.
import { GONE, watch } from "./alive.js";
import { set, state } from "./store.js";

const page = [...crypto.getRandomValues(new Uint8Array(16))]
  .map((b) => b.toString(16).padStart(2, "0"))
  .join("");
const channels = {};
const receivers = {};
const calls = {};
const tickets = {};
const FUNCTIONS = ["detail", "overview", "latent", "search", "rename", "measured", "file", "stop"];
let jobs = 0;

/** What becomes of a channel's values: `receive(value)` of decoded JSON. */
export function receives(name, receive) {
  receivers[name] = receive;
}

/** A channel opens: {trigger, server, upload, read, watch}, as Gradio's component has them. */
export function channel(name, line) {
  channels[name] = line;
  for (const key of FUNCTIONS)
    if (line.server && line.server[key]) calls[key] = (given) => line.server[key](given);
  const take = () => {
    const text = line.read();
    if (text) receivers[name]?.(typeof text === "string" ? JSON.parse(text) : text);
  };
  line.watch(take);
  take();
}

export const online = () => "ask" in channels;
export const can = (name) => name in calls;

/** Sends an event and begins its job; what comes back goes to the channel's receiver. */
export function send(name, event, label) {
  if (!channels[name] || state.jobs[name]) return false;
  tickets[name] = `${page}/${++jobs}`;
  const rest = { ...state.errors };
  delete rest[name];
  set({ jobs: { ...state.jobs, [name]: { label, n: jobs } }, errors: rest });
  channels[name].trigger("select", {
    ...event,
    key: state.page ? state.page.key : "",
    ticket: tickets[name],
  });
  watch();
  return true;
}

/** A value that says how far the job is, or why there is none: true if it was one of these. */
export function underway(name, value) {
  const job = state.jobs[name];
  if (value.progress) {
    if (job) set({ jobs: { ...state.jobs, [name]: { ...job, ...value.progress } } });
    return true;
  }
  finish(name, value.error);
  return !!value.error;
}

export function finish(name, error) {
  const left = { ...state.jobs };
  delete left[name];
  const errors = { ...state.errors };
  delete errors[name];
  if (error) errors[name] = error;
  set({ jobs: left, errors });
}

/** What Gradio itself refuses: a full queue, a server that went away. */
export function lost(name) {
  if (state.jobs[name]) finish(name, "The server couldn't take this; try again.");
}

/** A channel's job is done, whether or not a value came. */
export function done(name) {
  if (state.jobs[name]) finish(name, state.errors[name]);
}

export function stop(name) {
  const job = state.jobs[name];
  if (!job || !calls.stop) return;
  set({ jobs: { ...state.jobs, [name]: { ...job, stopping: true } } });
  calls.stop(tickets[name]);
}

/** The channel whose Cancel is shown: of several jobs the last that began. */
export function cancellable() {
  const running = Object.entries(state.jobs).sort((a, b) => b[1].n - a[1].n);
  return running.length ? running[0][0] : null;
}

/** Looks something up past the queue: {error} where it can't. */
export async function call(name, given) {
  if (!calls[name]) return { error: "There is no server behind this page." };
  try {
    const answer = await calls[name](given);
    return typeof answer === "string" ? JSON.parse(answer) : answer;
  } catch {
    return { error: GONE };
  }
}

/** Puts a file on the server's disk: its path there. */
export async function upload(file) {
  const put = await channels.ask.upload(file);
  return put.path;
}
