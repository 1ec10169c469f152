// KEEP: a title, a note and a link for what is on show; files of a case; running it again; going on from it.
import { html, nothing } from "lit-html";
import { set, state } from "../store.js";
import { call, finish, receives, send, underway } from "../wire.js";
import { term } from "../words.js";
import { going, trouble } from "./going.js";

const KINDS = [
  ["case", "Bundle"],
  ["html", "One page that opens from disk"],
  ["png", "Map as PNG"],
  ["zip", "Tables as CSV"],
];
const link = (id) => `${location.origin}${location.pathname}?case=${id}`;

receives("keep", (value) => {
  const { listed, runs } = value;
  if (listed || runs !== undefined)
    set({ boot: { ...state.boot, listed: listed || state.boot.listed, runs: runs ?? state.boot.runs } });
  if (value.error && !state.jobs.keep) {
    finish("keep", value.error); // a case that can't be opened
    return;
  }
  if (underway("keep", value)) return;
  if (value.forked) history.replaceState(null, "", location.pathname);
  if (value.id || value.again) set({ shared: value });
});

const tests = (s) =>
  s.runs.map((run) => ({
    edit: run.test.comparison.edit,
    target: run.test.comparison.toward ? run.test.comparison.toward.text : null,
    smallest: !!run.test.sufficient,
    sampling: run.test.comparison.sampled ? run.test.comparison.sampled.sampling : null,
  }));

export function share(s) {
  return html`${s.kase ? files(s.kase.id) : making(s)} ${going(s, "keep")} ${trouble(s, "keep")}
  ${s.kase ? nothing : kept(s.shared)}`;
}

function making(s) {
  const keep = (e) => {
    e.preventDefault();
    const form = new FormData(e.target);
    const event = {
      do: "keep",
      title: form.get("title"),
      notes: form.get("notes"),
      listed: form.has("listed"),
      tests: tests(s),
      ...{ verified: !!s.verified, diagnosed: !!s.diagnosis, target: s.target.trim() || null },
    };
    send("keep", event, "Making the case");
  };
  return html`<form class="sp-making" @submit=${keep}>
    <p class="sp-note">
      A case holds picture, answer, concepts and tests. It opens anywhere, with a model or without, and can't
      change.
    </p>
    <label>Title <input type="text" class="sp-title" name="title" maxlength="200" /></label>
    <label
      >Note
      <textarea
        class="sp-notes"
        name="notes"
        rows="4"
        maxlength="20000"
        placeholder="What does it show? Markdown"
      ></textarea>
    </label>
    <label class="sp-switch"
      ><input type="checkbox" name="listed" class="sp-listed" /> show it in the gallery
      <small>(otherwise only who has the link finds it)</small></label
    >
    <button class="sp-go" data-keep ?disabled=${!!s.jobs.keep}>Keep this case</button>
  </form>`;
}

function kept(value) {
  if (!value || !value.id) return nothing;
  const copy = async (e) => {
    const button = e.currentTarget;
    await navigator.clipboard.writeText(link(value.id));
    button.textContent = "Copied";
  };
  return html`<div class="sp-kept" aria-live="polite">
    <p>
      <b>Kept.</b> <a href=${link(value.id)}>${link(value.id)}</a>
      <button type="button" class="sp-quietly" @click=${copy}>Copy</button>
    </p>
    <p class="sp-note">
      ${value.delete_key
        ? html`Key that deletes it, shown only now: <code>${value.delete_key}</code>`
        : "It was kept before, under the same link."}
    </p>
    ${files(value.id)}
  </div>`;
}

export function files(id) {
  const fetch = async (e, kind) => {
    const button = e.currentTarget;
    button.disabled = true;
    const made = await call("file", `${id}/${kind}`);
    button.disabled = false;
    if (made.error) finish("keep", made.error);
    else save(made);
  };
  return html`<div class="sp-row">
    ${KINDS.map(
      ([kind, text]) =>
        html`<button type="button" class="sp-quietly" data-file=${kind} @click=${(e) => fetch(e, kind)}>
          ${text}
        </button>`,
    )}
  </div>`;
}

function save({ name, kind, data }) {
  const a = document.createElement("a");
  a.href = URL.createObjectURL(
    new Blob([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], { type: kind }),
  );
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 1000);
}

export const replay = (id) => send("keep", { do: "replay", case: id }, "Running it again");
export const fork = (id) => send("keep", { do: "fork", case: id }, "Opening it to go on");

/** What running a case again gave. */
export function replayed(value) {
  if (!value || !value.again) return nothing;
  const r = value.again;
  const same = r.runs.filter(([a, b]) => a === b).length;
  const apart = r.logprob_difference;
  return html`<p class="sp-verdict sp-again" aria-live="polite">
    <b>${r.agrees ? "It agrees." : "It does not agree."}</b> ${r.same_model
      ? "The same model"
      : "Another model"},
    ${r.same_sae ? "the same SAE" : "another SAE"}; the answer is
    “${r.answer}”${apart === null
      ? ", in other tokens"
      : html`, token for token, ${term("logprob", "log-probabilities")} at most ${apart.toExponential(1)} nats
        apart`}.
    ${r.runs.length ? `${same} of ${r.runs.length} edits give the answer that was kept.` : ""}
  </p>`;
}
