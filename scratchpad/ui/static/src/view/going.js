// A request under way: what it does, how far it is, and the one button that ends it; and what went wrong.
import { html, nothing } from "lit-html";
import { cancellable, stop } from "../wire.js";

const SAYS = {
  answering: "Answering",
  testing: "Ablating",
  measuring: "Image",
  "reading layers": "Layer",
  "finding concepts": "Finding concepts",
};

export function going(s, name) {
  const job = s.jobs[name];
  if (!job) return nothing;
  const step = job.text ? `${job.text} …` : job.what ? SAYS[job.what] || job.what : `${job.label} …`;
  const of = job.of ? ` ${job.done} of ${job.of}` : "";
  const last = cancellable() === name;
  return html`<div class="sp-going">
    <p role="status">${step}${of}</p>
    ${job.of
      ? html`<progress max=${job.of} value=${job.done} aria-label="How far it is"></progress>`
      : html`<progress aria-label="How far it is"></progress>`}
    ${last
      ? html`<button
          type="button"
          class="sp-quietly"
          data-stop
          ?disabled=${job.stopping}
          @click=${() => stop(name)}
        >
          ${job.stopping ? "Stopping …" : "Cancel"}
        </button>`
      : nothing}
  </div>`;
}

export function trouble(s, name, again = null) {
  const sentence = s.errors[name];
  if (!sentence || s.jobs[name]) return nothing;
  return html`<p class="sp-error" role="alert">
    ${sentence}
    ${again
      ? html`<button type="button" class="sp-quietly" data-retry @click=${again}>Try again</button>`
      : nothing}
  </p>`;
}
