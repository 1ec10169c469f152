// The head of an open case: its title, its note, what it's made of, and what can be done with it.
import { html, nothing } from "lit-html";
import { unsafeHTML } from "lit-html/directives/unsafe-html.js";
import { point } from "../text.js";
import { online } from "../wire.js";
import { going, trouble } from "./going.js";
import { fork, replay, replayed } from "./keep.js";

export function caseBanner(s) {
  const k = s.kase;
  const a = s.analysis;
  const busy = !!s.jobs.keep;
  return html`<section class="sp-case" aria-label="Case">
    <div class="sp-caserow">
      <h2>${k.title || "A case"}</h2>
      ${online() ? actions(s, k, busy) : nothing}
    </div>
    ${k.notes_html ? html`<div class="sp-notes-shown">${unsafeHTML(k.notes_html)}</div>` : nothing}
    <details class="sp-made">
      <summary>Made ${k.made.at.slice(0, 10)} by ${k.made.by}</summary>
      <p class="sp-note">
        With ${a.model.name} (${a.model.identity}) and ${a.sae.name} (${a.sae.identity}),
        ${a.sae.place ? "" : "vision "}${point(a.sae)}. Its id is its content's hash: ${k.id}
      </p>
    </details>
    ${going(s, "keep")} ${trouble(s, "keep")} ${replayed(s.shared)}
  </section>`;
}

function actions(s, k, busy) {
  if (!s.boot.runs)
    return html`<span class="sp-note">No model loaded here: cases are shown, and can't be run again.</span>`;
  return html`<button
      type="button"
      class="sp-quietly"
      data-again
      ?disabled=${busy}
      @click=${() => replay(k.id)}
    >
      Run it again
    </button>
    <button type="button" class="sp-go" data-fork ?disabled=${busy} @click=${() => fork(k.id)}>
      Go on from here
    </button>`;
}
