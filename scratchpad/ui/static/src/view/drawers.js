// What opens over the page from the side: the glossary, the gallery of cases, sharing, and the SAE's certificate.
import { html, nothing } from "lit-html";
import { draws } from "../directives.js";
import { set } from "../store.js";
import { words } from "../words.js";
import { certificateDrawer } from "./certificate.js";
import { showModal } from "./dialog.js";
import { share } from "./keep.js";

const DRAWERS = {
  glossary: ["Glossary", glossary],
  gallery: ["Gallery", gallery],
  share: ["Share", share],
  certificate: ["SAE certificate", certificateDrawer],
};

export function drawers(s) {
  if (!s.drawer) return nothing;
  const [title, view] = DRAWERS[s.drawer];
  const close = () => set({ drawer: null, term: null });
  return html`<dialog
    class="sp-dialog sp-drawer ${s.drawer === "certificate" ? "sp-drawer-wide" : ""}"
    id=${s.drawer === "share" ? "sp-keep" : `sp-${s.drawer}`}
    aria-label=${title}
    ${showModal}
    @close=${close}
    @click=${(e) => e.target === e.currentTarget && e.currentTarget.close()}
  >
    <header>
      <h2>${s.drawer === "share" && s.kase ? "Files" : title}</h2>
      <form method="dialog"><button class="sp-quietly">Close</button></form>
    </header>
    <div class="sp-drawer-body">${view(s)}</div>
  </dialog>`;
}

/** Every term's entry, alphabetically; the one that was asked for comes into view. */
function glossary(s) {
  const rows = Object.entries(words).sort((a, b) => a[1][0].localeCompare(b[1][0]));
  return html`<dl class="sp-glossary" ${draws(s.term, reveal)}>
    ${rows.map(
      ([key, [title, text]]) =>
        html`<div class=${s.term === key ? "sp-chosen" : ""} data-entry=${key}>
          <dt>${title}</dt>
          <dd>${text}</dd>
        </div>`,
    )}
  </dl>`;
}
const reveal = (list) =>
  requestAnimationFrame(() => list.querySelector(".sp-chosen")?.scrollIntoView({ block: "center" }));

export function gallery(s) {
  return html`<div class="sp-shelf">
    ${s.boot.listed.map(
      (row) =>
        html`<a
          href="?case=${encodeURIComponent(row.id)}"
          aria-current=${s.kase && s.kase.id === row.id ? "page" : nothing}
        >
          <img src=${row.image} alt="" /><span>${row.title}</span>
        </a>`,
    )}
  </div>`;
}
