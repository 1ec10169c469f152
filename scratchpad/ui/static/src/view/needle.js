// NEEDLE: which map finds what it should? What was measured of this model, and a small sweep live.
import { html, nothing } from "lit-html";
import { draws } from "../directives.js";
import { level } from "../colour.js";
import { trustOf } from "../model.js";
import { png } from "../png.js";
import { set, state } from "../store.js";
import { percent } from "../text.js";
import { call, receives, send, underway } from "../wire.js";
import { meaning, term } from "../words.js";
import { going, trouble } from "./going.js";

const form = { by: "answer", dataset: "single-word", cells: "7x7", methods: null };
let known = null; // what there is to choose from, and what was measured before
let of = null; // the choice and model that it is of

export function openNeedle(s) {
  const key = `${s.draft.choice}/${form.by}`;
  if (of === key) return;
  of = key;
  queueMicrotask(fill);
}

async function fill() {
  known = await call("measured", [state.draft.choice, form.by]);
  if (known.methods) {
    const usual = [known.usual, "cosine", "gradient-input", "random"];
    form.methods = known.methods.filter((method) => usual.includes(method));
  }
  set({});
}

receives("needle", (value) => {
  if (underway("needle", value)) return;
  const trusts = { ...state.trusts };
  for (const [method, trust] of Object.entries(value.trust || {}))
    if (value.by === "page" ? method === "cosine" : method !== "cosine") trusts[method] = trustOf(trust);
  set({ needle: value, trusts });
  fill();
});

const measure = () => send("needle", { ...form }, "Measuring");

export function needle(s) {
  return html`<h2>Needle <small>which map finds what it should?</small></h2>
    <p class="sp-note">
      A grid of cells, one of them the ${term("needle")}, planted in every cell in turn. A map is right when
      its brightest cell is the needle's.
    </p>
    ${known && known.methods ? choices(s) : nothing}
    ${known && known.error ? html`<p class="sp-error" role="alert">${known.error}</p>` : nothing}
    ${going(s, "needle")} ${trouble(s, "needle", measure)} ${s.needle ? found(s.needle) : nothing}
    ${known && known.before ? before(known) : nothing}`;
}

function choices(s) {
  const pick = (key) => (e) => {
    form[key] = e.target.value;
    if (key === "by") openNeedle(state);
    set({});
  };
  const method = (name) => (e) => {
    form.methods = known.methods.filter((m) => (m === name ? e.target.checked : form.methods.includes(m)));
  };
  const option = (value, text, chosen) => html`<option value=${value} ?selected=${chosen}>${text}</option>`;
  return html`<div class="sp-bar">
      <label class="sp-field"
        >model
        <select data-of="by" @change=${pick("by")}>
          ${known.models.map((name, i) =>
            option(
              i ? "page" : "answer",
              i ? `${name} (retrieval)` : name,
              form.by === (i ? "page" : "answer"),
            ),
          )}
        </select></label
      >
      <label class="sp-field"
        >data set
        <select data-of="dataset" @change=${pick("dataset")}>
          ${known.datasets.map((name) => option(name, name, form.dataset === name))}
        </select></label
      >
      <label class="sp-field"
        >cells <input type="text" size="5" data-of="cells" .value=${form.cells} @input=${pick("cells")}
      /></label>
      <button type="button" class="sp-go" data-measure ?disabled=${!!s.jobs.needle} @click=${measure}>
        Measure
      </button>
      <span class="sp-gap"></span>${png()}
    </div>
    <fieldset class="sp-methods">
      <legend class="sp-kicker">maps</legend>
      ${known.methods.map(
        (name) =>
          html`<label class="sp-switch"
            ><input
              type="checkbox"
              value=${name}
              .checked=${form.methods.includes(name)}
              @change=${method(name)}
            />
            ${name}</label
          >`,
      )}
    </fieldset>`;
}

function found(r) {
  const best = r.rows[0];
  const side = Math.max(8, Math.floor(126 / Math.max(...r.cells)));
  return html`<div class="sp-found" aria-live="polite">
    <p class="sp-verdict">
      <b>${best.method}</b> finds it most often: in ${term("accuracy", percent(best.accuracy))} of
      ${r.cells[0] * r.cells[1]} pictures (${r.dataset}; ${term("chance", `${percent(r.chance)} by chance`)}).
    </p>
    <div class="sp-grids">
      <figure>
        <img src=${r.src} alt="" width="126" />
        <figcaption>one of the pictures</figcaption>
      </figure>
      ${r.rows.map(
        (row) =>
          html`<figure>
            <canvas
              role="img"
              aria-label="Where ${row.method} finds the needle: ${percent(row.accuracy)}"
              ${draws(row, (canvas) => grid(canvas, row.grid, side))}
            ></canvas>
            <figcaption>
              <b>${row.method}</b> ${percent(row.accuracy)}
              ${row.biases.length ? html`<br />drawn towards ${row.biases.join(", ")}` : nothing}
            </figcaption>
          </figure>`,
      )}
    </div>
    <p class="sp-note">
      <span class="sp-scale"><span>missed</span><i></i><span>found</span></span> Each cell: whether the needle
      there is found.
    </p>
  </div>`;
}

function grid(canvas, rows, side) {
  [canvas.width, canvas.height] = [side * rows[0].length, side * rows.length];
  const pen = canvas.getContext("2d");
  rows.forEach((row, y) =>
    row.forEach((v, x) => {
      pen.fillStyle = level(0.1 + 0.85 * v);
      pen.fillRect(x * side, y * side, side - 1, side - 1);
    }),
  );
}

function before({ before: table, columns }) {
  const methods = Object.keys(table);
  if (!methods.length) return html`<p class="sp-note">Nothing was measured of this model before.</p>`;
  const sets = columns.filter((name) => methods.some((m) => table[m][name] !== undefined));
  const mean = (m) => Object.values(table[m]).reduce((a, b) => a + b, 0) / sets.length;
  const cell = (v) =>
    v === undefined
      ? html`<td>–</td>`
      : html`<td>
          <span class="sp-meter" style="--v:${v.toFixed(3)}"></span
          ><span class="sp-num" title=${meaning("accuracy")}>${percent(v)}</span>
        </td>`;
  return html`<div class="sp-before">
    <p class="sp-kicker">Measured of this model: how often the map finds the needle</p>
    <div class="sp-scroll" tabindex="0" role="group" aria-label="Accuracy of every map">
      <table>
        <thead>
          <tr>
            <th scope="col">map</th>
            ${sets.map((name) => html`<th scope="col">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${methods
            .sort((a, b) => mean(b) - mean(a))
            .map(
              (m) =>
                html`<tr>
                  <th scope="row">${m}</th>
                  ${sets.map((name) => cell(table[m][name]))}
                </tr>`,
            )}
        </tbody>
      </table>
    </div>
  </div>`;
}
