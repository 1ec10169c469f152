// The question bar: pictures, question, Ask; the examples as a strip. What goes wrong is said right under it.
import { html, nothing } from "lit-html";
import { addPictures, ask, example } from "../asking.js";
import { set } from "../store.js";
import { online } from "../wire.js";
import { going, trouble } from "./going.js";

const MOST = 10; // pictures of a question, as records.question has it

export function askBar(s) {
  const { images, prompt } = s.draft;
  const write = (e) => set({ draft: { ...s.draft, prompt: e.target.value } });
  const submit = (e) => {
    e.preventDefault();
    ask();
  };
  const enter = (e) => {
    if (e.key === "Enter" && !e.shiftKey) submit(e);
  };
  return html`<form
    class="sp-ask"
    id="sp-ask"
    aria-label="Ask"
    ?hidden=${!s.boot.live}
    @submit=${submit}
    @dragover=${(e) => e.preventDefault()}
    @drop=${drop}
    @paste=${paste}
  >
    <div class="sp-pictures" role="group" aria-label="Pictures">
      ${images.map((image, n) => thumb(s, image, n))} ${images.length < MOST ? add(images) : nothing}
    </div>
    <textarea
      class="sp-question"
      aria-label="Question"
      placeholder="Ask about the picture"
      rows="1"
      maxlength="4000"
      .value=${prompt}
      @input=${write}
      @keydown=${enter}
    ></textarea>
    <button class="sp-go" id="sp-go" ?disabled=${!!s.jobs.ask || !online()}>Ask</button>
    ${strip(s)}
    <div class="sp-status" id="sp-status" aria-live="polite">
      ${going(s, "ask")} ${trouble(s, "ask")} ${trouble(s, "link")} ${several(images, own(s))}
    </div>
  </form>`;
}

function thumb(s, image, n) {
  const drop = () => set({ draft: { ...s.draft, images: s.draft.images.filter((_, i) => i !== n) } });
  return html`<span class="sp-thumb"
    ><img src=${image.src} alt="Picture ${n + 1}" @error=${(e) => broken(e, image)} /><button
      type="button"
      aria-label="Take picture ${n + 1} out"
      @click=${drop}
    >
      ×
    </button></span
  >`;
}

/** A file that is no picture stays in the bar as an empty frame; the server says what is wrong with it. */
function broken(e, image) {
  e.target.classList.add("sp-broken");
  image.broken = true; // the next one that is added takes its place
}

function add(images) {
  const text = images.length ? "Add or replace" : "Add a picture";
  return html`<label class="sp-add" title="${text}: choose, drop or paste. Several are read together.">
    <input type="file" accept="image/*" multiple aria-label=${text} @change=${chosen} />
    <span aria-hidden="true">+</span></label
  >`;
}

/** New pictures take the place of those of the answer on show, and join those that were just added. */
function take(files) {
  if (files.length)
    addPictures(
      files,
      Scratchpad.state.draft.images.every((image) => !("upload" in image.ref)),
    );
}
function chosen(e) {
  take([...e.target.files]);
  e.target.value = "";
}
function drop(e) {
  e.preventDefault();
  take([...e.dataTransfer.files]);
}
function paste(e) {
  const files = [...e.clipboardData.files];
  if (!files.length) return;
  e.preventDefault();
  take(files);
}

const own = (s) => s.boot.offers.find((o) => o.id === (s.draft.choice || s.boot.choice))?.own;

const several = (images, own) =>
  images.length < 2
    ? nothing
    : html`<p class="sp-note">
        ${images.length} pictures, read together. Write <code>&lt;image&gt;</code> into the question where
        each stands; else they stand before it.${own ? " The demo model was trained on one at a time." : ""}
      </p>`;

function strip(s) {
  const { examples } = s.boot;
  if (!examples.length) return nothing;
  return html`<div class="sp-strip" role="group" aria-label="Examples" id="sp-examples">
    <small>examples</small>
    ${examples.map(
      (row, n) =>
        html`<button
          type="button"
          data-example=${n}
          title=${row.question}
          aria-label=${`Example: ${row.question}`}
          ?disabled=${!!s.jobs.ask}
          @click=${() => example(n)}
        >
          <img src=${row.src} alt="" />
        </button>`,
    )}
  </div>`;
}
