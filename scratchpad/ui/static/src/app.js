// The page as a whole: one tree, drawn anew from the state after every change. Where its parts stand is page.css's.
import { html, nothing, render } from "lit-html";
import { outdated } from "./asking.js";
import { state, subscribe } from "./store.js";
import { online } from "./wire.js";
import { askBar } from "./view/ask.js";
import { caseBanner } from "./view/case.js";
import { drawers } from "./view/drawers.js";
import { header } from "./view/header.js";
import { openAddressed } from "./view/latent.js";
import { look } from "./view/look.js";
import { enlarged } from "./view/reference.js";
import { tabs } from "./view/tabs.js";
import { testBar } from "./view/testbar.js";
import { tour } from "./view/tour.js";
import "./png.js";

/** Draws the page into an element, and keeps it drawn. */
export function mount(element) {
  let addressed = false; // what the address names is opened, once there is something to open it in
  const draw = () => {
    if (!addressed && state.analysis && !state.jobs.ask)
      queueMicrotask(() => {
        addressed = addressed || openAddressed();
      });
    document.body.classList.toggle("sp-reading", !!state.kase);
    render(page(state), element);
  };
  subscribe(draw);
  draw();
}

function page(s) {
  const old = outdated(s) && !s.jobs.ask ? "sp-old" : "";
  const bar = s.kase ? caseBanner(s) : online() ? askBar(s) : nothing;
  return html`<div class="sp-page ${s.jobs.ask ? "sp-busy" : ""}">
    ${header(s)} ${bar}
    <div class="sp-work ${old}">${look(s)} ${tabs(s)}</div>
    ${testBar(s, old)} ${drawers(s)} ${enlarged(s)} ${tour(s)}
  </div>`;
}
