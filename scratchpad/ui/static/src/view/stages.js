// PROCESSING: how the picture becomes what a map is drawn over, for the VLM, or for a retrieval model and a query.
import { html, nothing } from "lit-html";
import { attention } from "../derive.js";
import { draws } from "../directives.js";
import { trustOf, unpack } from "../model.js";
import { paint } from "../paint.js";
import { png } from "../png.js";
import { set, state } from "../store.js";
import { token as say } from "../text.js";
import { send } from "../wire.js";
import { term } from "../words.js";
import { going, trouble } from "./going.js";
import { shot } from "./map.js";
import { sentence } from "./trust.js";

let by = "answer"; // or "page", the retrieval model
let query = "";
let chosen = 0; // the query's token

export function openStages(s) {
  if (!s.stages && !s.jobs.stages && !s.errors.stages) queueMicrotask(ask);
}
function ask() {
  chosen = 0;
  send("stages", { by, query: query.trim() || null }, "Following the picture");
}
function again() {
  if (state.jobs.stages) return;
  set({ stages: null });
}

export function stages(s) {
  const retriever = s.page.retriever;
  const button = (key, text) =>
    html`<button type="button" data-by=${key} aria-pressed=${by === key} @click=${() => change(s, key)}>
      ${text}
    </button>`;
  return html`<h2>Processing <small>how the picture becomes what a map is drawn over</small></h2>
    <div class="sp-bar">
      ${retriever
        ? html`<div class="sp-segments" role="group" aria-label="Which model">
            ${button("answer", s.analysis.model.name)}
            ${button("page", html`${retriever} <small>retrieval</small>`)}
          </div>`
        : nothing}
      ${by === "page"
        ? html`<form class="sp-field" @submit=${look}>
            <label>look for <input type="text" maxlength="200" .value=${query} /></label>
            <button class="sp-quietly">Show</button>
          </form>`
        : nothing}
      <span class="sp-gap"></span>${png()}
    </div>
    ${going(s, "stages")} ${trouble(s, "stages", ask)} ${s.stages ? made(s, s.stages) : nothing}`;
}

function change(s, key) {
  if (by === key || state.jobs.stages) return;
  by = key;
  if (key === "page" && !query) query = s.analysis.answer.trim().slice(0, 200);
  again();
}
function look(e) {
  e.preventDefault();
  query = e.target.querySelector("input").value;
  again();
}

function made(s, value) {
  return html`<ol class="sp-steps">
      ${value.stages.map(
        (step, i) =>
          html`<li>
            <figure>
              <img src=${step.src} alt="" />
              <figcaption><b>${i + 1}. ${step.title}</b> ${step.says}</figcaption>
            </figure>
          </li>`,
      )}
      <li>${value.cosines ? cosine(s, value) : last(s, value)}</li>
    </ol>
    ${value.cosines ? tokens(value) : nothing}`;
}

function last(s, value) {
  const t = s.analysis.byIndex.get(s.token);
  const values = t ? attention(s.analysis, t.index) : null;
  return html`<figure>
    <canvas
      ${draws(`${s.page.key}/${s.token}`, (canvas) =>
        paint(canvas, shot(s), values, { mode: "colour", width: 320 }),
      )}
    ></canvas>
    <figcaption>
      <b>${value.stages.length + 1}. The map.</b> Attention of <b>${t ? say(t.text) : ""}</b>, shared out
      among the patches of each image token. What the encoder made of a patch has every other patch mixed into
      it: a bright spot is where a token stands, not what it was made of.
    </figcaption>
  </figure>`;
}

function cosine(s, value) {
  value.maps ||= unpackCosines(value.cosines);
  value.shot ||= { images: [s.page.images[0]], sizes: [value.size], tiles: value.tiles };
  const first = Math.max(
    0,
    value.tokens.findIndex((t) => t.part === "query"),
  );
  const at = chosen || first;
  const n = value.maps.length / value.tokens.length;
  const values = value.maps.subarray(at * n, (at + 1) * n);
  const [low, top] = [Math.min(...values), Math.max(...values)];
  const scaled = Float32Array.from(values, (v) => (v - low) / Math.max(1e-9, top - low));
  const trust = s.trusts.cosine !== undefined ? s.trusts.cosine : trustOf(value.trust);
  return html`<figure class="sp-cosine">
    <canvas
      ${draws(`${s.page.key}/${value.query}/${at}`, (canvas) =>
        paint(canvas, value.shot, scaled, { mode: "colour", width: 320 }),
      )}
    ></canvas>
    <figcaption class="sp-what">
      <b>${value.stages.length + 1}. The map.</b> ${s.page.images.length > 1
        ? "The first picture alone is looked at. "
        : ""}
      ${term("cosine", "Cosine")} of <b>${say(value.tokens[at].text)}</b> with every image token,
      ${low.toFixed(2)} to ${top.toFixed(2)}. The query's score (${term("maxsim", "MaxSim")}) is
      ${value.score.toFixed(2)}. ${sentence(trust, "Maps of this kind")}
    </figcaption>
  </figure>`;
}
const unpackCosines = (packed) => unpack(typeof packed === "string" ? { dtype: "f4", data: packed } : packed);

function tokens(value) {
  const pick = (i) => {
    chosen = i;
    set({});
  };
  return html`<div class="sp-row" role="group" aria-label="Query tokens">
    ${value.tokens.map((t, i) =>
      t.part === "query"
        ? html`<button
            type="button"
            class="sp-chip"
            data-at=${i}
            aria-pressed=${i === chosen}
            @click=${() => pick(i)}
          >
            ${say(t.text)}
          </button>`
        : nothing,
    )}
  </div>`;
}
