// The right side: Concepts, Heatmap, Layers, Influence, Attention, Clusters, Compare, SAE, Maps, and a latent's own
// page, one at a time.
import { html, nothing } from "lit-html";
import { draws } from "../directives.js";
import { set } from "../store.js";
import { online } from "../wire.js";
import { attentionTab, openAttention } from "./attention.js";
import { clustersTab, openClusters } from "./clusters.js";
import { compareTab } from "./compare.js";
import { concepts } from "./concepts.js";
import { gallery } from "./drawers.js";
import { heatmap } from "./heatmap.js";
import { influenceTab } from "./influence.js";
import { latentPage } from "./latent.js";
import { layers, openLayers } from "./layers.js";
import { maps, openMaps } from "./maps.js";
import { openSae, saeTab } from "./sae.js";

const TABS = [
  { id: "concepts", text: "Concepts", view: concepts, shown: () => true },
  { id: "heatmap", text: "Heatmap", view: heatmap, shown: () => true },
  {
    id: "layers",
    text: "Layers",
    view: layers,
    open: openLayers,
    shown: (s) => online() && !s.kase && s.boot.offers.length > 1,
  },
  {
    id: "influence",
    text: "Influence",
    view: influenceTab,
    open: openLayers,
    shown: (s) => online() && !s.kase && s.boot.offers.length > 1,
  },
  {
    id: "attention",
    text: "Attention",
    view: attentionTab,
    open: openAttention,
    shown: (s) => online() && s.boot.live && !s.kase,
  },
  {
    id: "clusters",
    text: "Clusters",
    view: clustersTab,
    open: openClusters,
    shown: (s) => online() && s.boot.live && !s.kase,
  },
  {
    id: "compare",
    text: "Compare",
    view: compareTab,
    shown: (s) => online() && s.boot.live && !!s.analysis && !s.kase,
  },
  { id: "sae", text: "SAE", view: saeTab, open: openSae, shown: (s) => online() && s.boot.live && !s.kase },
  { id: "maps", text: "Maps", view: maps, open: openMaps, shown: (s) => online() && s.boot.live && !s.kase },
  { id: "latent", text: "Latent", view: latentPage, shown: (s) => !!s.reading },
];

export function tabs(s) {
  const shown = TABS.filter((tab) => tab.shown(s));
  const at = shown.find((tab) => tab.id === s.tab) || shown[0];
  if (at.open && s.analysis && !s.jobs.ask) at.open(s);
  return html`<div class="sp-right">
    <div
      class="sp-tabs"
      role="tablist"
      aria-label="Views"
      @keydown=${(e) => arrows(e, shown, at)}
      ${draws(at.id, inSight)}
    >
      ${shown.map((tab) => button(s, tab, at))}
    </div>
    <div
      class="sp-panel"
      id=${`sp-${at.id}`}
      role="tabpanel"
      aria-labelledby=${`sp-tab-${at.id}`}
      data-name=${at.text}
      tabindex="-1"
    >
      ${s.analysis || at.id === "sae" || at.id === "latent"
        ? at.view(s)
        : s.boot.live
          ? ghosts()
          : gallery(s)}
    </div>
  </div>`;
}

/** Scrolls the row of tabs to the chosen one, where it's wider than the screen. */
function inSight(row) {
  const tab = row.querySelector("[aria-selected=true]");
  row.scrollLeft = tab.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
}

const button = (s, tab, at) =>
  html`<button
    type="button"
    role="tab"
    id=${`sp-tab-${tab.id}`}
    aria-selected=${tab === at}
    aria-controls=${tab === at ? `sp-${tab.id}` : nothing}
    tabindex=${tab === at ? 0 : -1}
    @click=${() => set({ tab: tab.id, hover: null })}
  >
    ${tab.id === "latent" ? `Latent #${s.reading.id}` : tab.text}
  </button>`;

function arrows(e, shown, at) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
  if (!step) return;
  e.preventDefault();
  const next = shown[(shown.indexOf(at) + step + shown.length) % shown.length];
  set({ tab: next.id });
  queueMicrotask(() => document.getElementById(`sp-tab-${next.id}`)?.focus());
}

const ghosts = () =>
  html`<div class="sp-cards">${[1, 2, 3, 4, 5, 6].map(() => html`<div class="sp-ghost"></div>`)}</div>`;
