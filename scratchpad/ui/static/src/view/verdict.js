// One verdict: its word, the answer before and after, its sentence; all from the record.
import { html, nothing } from "lit-html";
import { shownRun } from "../store.js";
import { term } from "../words.js";

const SIGNS = { supported: "✓", "not supported": "✕", inconclusive: "?" };

export const badge = (kind) =>
  html`<span class="sp-kind" data-kind=${kind}><span aria-hidden="true">${SIGNS[kind]}</span> ${kind}</span>`;

/** The parts of two answers read together, of which one side is shown. */
export const side = (diff, skip) => {
  const parts = diff.filter(([kind]) => kind !== skip);
  if (!parts.some(([, text]) => text.trim())) return html`<em>(nothing)</em>`;
  const trimmed = (text, n) => (n ? text : text.trimStart());
  return parts.map(([kind, text], n) =>
    kind === "same" ? trimmed(text, n) : html`<mark class="sp-${kind}">${trimmed(text, n)}</mark>`,
  );
};

export function verdict(s) {
  const { run, stale } = shownRun(s);
  if (!run) return html`<p class="sp-verdict sp-quiet" aria-live="polite">${none(s)}</p>`;
  const { comparison, verdict: v } = run.test;
  return html`<div class="sp-verdict ${stale ? "sp-stale" : ""}" aria-live="polite">
    ${stale ? html`<small class="sp-staleness">before the last change</small>` : nothing} ${badge(v.kind)}
    <span class="sp-change"
      ><q>${side(comparison.diff, "new")}</q> → <q>${side(comparison.diff, "gone")}</q></span
    >
    <span class="sp-sentence">${v.sentence}</span>
  </div>`;
}

/** What the bar says where no test of what is in it is on show, though there were some. */
function elsewhere(s) {
  const so = s.runs.length === 1 ? "one test so far stands" : `${s.runs.length} tests so far stand`;
  return s.picked.length || !s.keepError
    ? `Not asked again yet with this in the test; the ${so} beside.`
    : `Nothing is in the test; the ${so} beside.`;
}

const none = (s) =>
  s.kase
    ? "Nothing was tested in this case."
    : s.runs.length
      ? elsewhere(s)
      : html`<span
          >Nothing tested yet: the ${term("verdict")} and its ${term("control", "controls")} stand here.</span
        >`;
