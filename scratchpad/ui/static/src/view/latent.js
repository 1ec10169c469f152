// A latent's own page, with its own link: what it is called and why, the pictures on which it fires by strength, the
// counter-examples, its histogram, its neighbours.
import { html, nothing } from "lit-html";
import { toggle } from "../actions.js";
import { everywhere, labelled, latentOf } from "../derive.js";
import { choose } from "../asking.js";
import { detail } from "../references.js";
import { choiceShown, set, state } from "../store.js";
import { backing, brief, figures, name, percent } from "../text.js";
import { call, can } from "../wire.js";
import { meaning, term } from "../words.js";
import { refs } from "./reference.js";
import { showCluster } from "./sae.js";
import { steering } from "./steer.js";

/** Opens a latent's page. */
export async function openLatent(id) {
  set({ reading: { id }, tab: "latent" });
  remember(id);
  const [told, { references, error }] = await Promise.all([
    can("latent") ? call("latent", [choiceShown(), id]) : {},
    detail(id),
  ]);
  const data = told.entry ?? { error: told.error };
  if (state.reading?.id === id) set({ reading: { ...state.reading, data, references, error } });
}

/** The address says which latent is open, so that it can be passed on. */
function remember(id) {
  if (!location.protocol.startsWith("http")) return;
  const address = new URL(location);
  address.searchParams.set("latent", id);
  if (state.analysis) address.searchParams.set("sae", state.analysis.sae.name);
  history.replaceState(null, "", address);
}

let asked = false; // whether the answer was asked for by the address's SAE

/** Opens what the address names, first asking by its SAE where another is on show; true once there is no more to do. */
export function openAddressed() {
  const wanted = new URLSearchParams(location.search);
  const [id, sae] = [Number(wanted.get("latent")), wanted.get("sae")];
  if (!wanted.get("latent") || !Number.isInteger(id) || state.reading) return true;
  if (sae && !state.kase && sae !== state.analysis.sae.name) {
    const offer = state.boot.offers.find((each) => each.sae === sae);
    if (!offer) {
      const says = `The link is of latent ${id} of the SAE “${sae}”, which isn't offered here.`;
      set({ errors: { ...state.errors, link: says } });
      return true;
    }
    if (asked && !state.jobs.ask) return true; // it couldn't be asked: that is said where questions are
    if (!asked) choose(offer.id);
    asked = true;
    return false;
  }
  openLatent(id);
  requestAnimationFrame(() => {
    const page = document.querySelector("#sp-latent"); // on a narrow screen it lies below the picture
    if (page && page.getBoundingClientRect().top > window.innerHeight / 2)
      page.scrollIntoView({ block: "start" });
  });
  return true;
}

export function latentPage(s) {
  const { id, data = {}, references = null, error } = s.reading;
  const l = { ...(s.analysis ? latentOf(s.analysis, id) : { id, name: "", guess: "", sparsity: null }) };
  const off = s.picked.includes(id);
  const wrong = data.error || error;
  if (wrong) return html`<p class="sp-error" role="alert">${wrong}</p>`;
  const sparsity = data.sparsity ?? l.sparsity ?? null;
  const strength = data.mean_activation ?? l.mean_activation ?? null;
  if (data.source === "user") l.name = data.name;
  else if (!l.name && !l.guess && data.name) l.guess = data.name;
  return html`<div class="sp-bar">
      <h2>${name(l)}</h2>
      ${sparsity !== null && everywhere({ sparsity })
        ? html`<span class="sp-tag">${term("everywhere")}</span>`
        : nothing}
      <span class="sp-gap"></span>
      ${s.analysis && !s.kase
        ? html`<button
            type="button"
            class="sp-pick"
            data-put=${id}
            aria-pressed=${off}
            @click=${() => toggle([id])}
          >
            ${off ? "✓ off" : "switch off"}
          </button>`
        : nothing}
      ${location.protocol.startsWith("http")
        ? html`<button type="button" class="sp-quietly" @click=${copy} title="A link that opens this latent">
            Copy link
          </button>`
        : nothing}
    </div>
    <ul class="sp-facts">
      ${backing(l) ? html`<li>${backing(l)} (${term("name", "held-out pictures")})</li>` : nothing}
      ${sparsity === null
        ? nothing
        : html`<li>fires in ${term("sparsity", `${percent(sparsity)} of pictures`)}</li>`}
      ${strength === null
        ? nothing
        : html`<li>${term("mean", "mean strength")} ${figures(strength)} where it does</li>`}
      ${data.auroc === null || data.auroc === undefined
        ? nothing
        : html`<li>${term("auroc", "AUROC")} ${data.auroc.toFixed(2)} for its label</li>`}
      ${data.source ? html`<li>labelled after ${data.source}</li>` : nothing}
      ${data.cluster === undefined || data.cluster === null
        ? nothing
        : html`<li>
            <button
              type="button"
              class="sp-link"
              data-group=${data.cluster}
              @click=${() => showCluster(data.cluster)}
            >
              decoder cluster ${data.cluster}
            </button>
          </li>`}
    </ul>
    ${steering(s, id)}
    ${references
      ? intervals(id, references)
      : html`<div class="sp-many">${[1, 2, 3, 4, 5, 6].map(() => html`<i class="sp-ghost"></i>`)}</div>`}
    ${data.histogram ? histogram(data.histogram) : nothing}
    ${data.neighbours && data.neighbours.length ? neighbours(data.neighbours) : nothing}
    ${s.boot.naming ? naming(s, id, l, data) : nothing}`;
}

/** The references by how strongly it fires on them; counter-examples last. */
function intervals(id, references) {
  if (!references.length) return html`<p class="sp-note">No reference pictures: the SAE has no index.</p>`;
  const groups = new Map();
  for (const r of references) groups.set(r.interval, [...(groups.get(r.interval) || []), r]);
  return html`<div class="sp-intervals">
    ${[...groups].map(([interval, rows]) => {
      const strengths = rows.map((r) => r.activation);
      const [low, high] = [Math.min(...strengths), Math.max(...strengths)];
      const range = low === high ? figures(high) : `${figures(low)} to ${figures(high)}`;
      return html`<section aria-label=${interval}>
        <p class="sp-kicker">
          ${interval === "counter-example" ? term("counter", "counter-examples") : interval}
          <small>strength ${range}</small>
        </p>
        <div class="sp-many">${refs(id, rows)}</div>
      </section>`;
    })}
  </div>`;
}

function histogram(h) {
  const most = Math.max(...h, 1);
  return html`<p class="sp-kicker">${term("histogram", "How often it fires how strongly")}</p>
    <div class="sp-hist" role="img" aria-label="Histogram of strengths">
      ${h.map((n) => html`<i style="height:${((100 * Math.log1p(n)) / Math.log1p(most)).toFixed(1)}%"></i>`)}
    </div>
    <p class="sp-note sp-hist-axis"><span>2⁻⁶</span><span>strength on patches</span><span>2⁹</span></p>`;
}

const neighbours = (rows) =>
  html`<p class="sp-kicker">Writes most alike (${term("cosine")} of decoder rows)</p>
    <div class="sp-row">
      ${rows.map(
        (n) =>
          html`<button type="button" class="sp-chip" data-show=${n.id} @click=${() => openLatent(n.id)}>
            ${brief(labelled(n))} <small class="sp-id">#${n.id}</small>
            <small title=${meaning("cosine")}>${n.cosine.toFixed(2)}</small>
          </button>`,
      )}
    </div>`;

async function copy(e) {
  const button = e.currentTarget;
  await navigator.clipboard.writeText(location.href);
  button.textContent = "Copied";
}

function naming(s, id, l, data) {
  const submit = async (e) => {
    e.preventDefault();
    const told = await call("rename", [choiceShown(), id, e.target.querySelector("input").value]);
    const entry = told.entry ?? { ...data, error: told.error };
    if (!told.error && s.analysis?.latents.has(id)) s.analysis.latents.get(id).name = entry.name || "";
    set({ reading: { ...state.reading, data: entry } });
  };
  return html`<form class="sp-field sp-naming-form" @submit=${submit}>
    <label
      >name it
      <input
        type="text"
        maxlength="80"
        .value=${data.source === "user" ? data.name || "" : ""}
        placeholder="a few words"
    /></label>
    <button class="sp-quietly">Name</button>
  </form>`;
}
