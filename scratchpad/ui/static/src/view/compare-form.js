// What is compared with: other pictures, another question, another SAE. What isn't changed is as on show.
import { html, nothing } from "lit-html";
import { addOther, compare, draftOther, otherDraft } from "../comparing.js";
import { offered } from "./header.js";

export function otherForm(s) {
  const draft = otherDraft(s);
  const submit = (e) => {
    e.preventDefault();
    compare();
  };
  return html`<form class="sp-other" id="sp-other" aria-label="Compare with" @submit=${submit}>
    <div class="sp-other-pictures" role="group" aria-label="Of which picture">${pictures(s, draft)}</div>
    <label class="sp-field sp-other-question"
      ><span>question</span>
      <input
        type="text"
        maxlength="4000"
        data-other="prompt"
        .value=${draft.prompt}
        @input=${(e) => draftOther({ prompt: e.target.value })}
    /></label>
    ${s.boot.offers.length > 1
      ? html`<label class="sp-field"
          ><span>${offered(s)}</span>
          <select data-other="choice" @change=${(e) => draftOther({ choice: e.target.value })}>
            ${s.boot.offers.map(
              (o) => html`<option value=${o.id} ?selected=${o.id === draft.choice}>${o.label}</option>`,
            )}
          </select></label
        >`
      : nothing}
    <button class="sp-go" data-compare-go ?disabled=${!!s.jobs.compare || !!s.jobs.ask}>Compare</button>
    ${s.other ? nothing : html`<p class="sp-note">${SAYS} ${offered(s)}.</p>`}
  </form>`;
}

const SAYS =
  "Keeps what is on show on the left, and sets beside it another picture, another question, or another";

function pictures(s, draft) {
  const of = draft.images[0]?.ref ?? {};
  const choice = (images, pressed, label, src, extra = "") =>
    html`<button
      type="button"
      class="sp-other-picture"
      aria-pressed=${pressed}
      aria-label=${label}
      title=${label}
      data-picture=${extra}
      @click=${() => draftOther({ images })}
    >
      <img src=${src} alt="" />
    </button>`;
  const shown = s.page.images.map((src, n) => ({ src, ref: { shown: n } }));
  const many = shown.length > 1 ? `The ${shown.length} pictures on show` : "The picture on show";
  return html`${choice(shown, "shown" in of, many, shown[0]?.src, "shown")}
    ${"upload" in of ? choice(draft.images, true, "What was added", draft.images[0].src, "upload") : nothing}
    ${s.boot.examples.map((row, n) =>
      choice(
        [{ src: row.src, ref: { example: n } }],
        of.example === n,
        `Example: ${row.question}`,
        row.src,
        n,
      ),
    )}
    <label class="sp-add" title="Another picture, or several that are read together"
      ><input
        type="file"
        accept="image/*"
        multiple
        aria-label="Another picture"
        @change=${(e) => {
          const files = [...e.target.files];
          e.target.value = "";
          if (files.length) addOther(files);
        }}
      /><span aria-hidden="true">+</span></label
    >`;
}
