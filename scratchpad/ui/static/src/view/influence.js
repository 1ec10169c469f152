// From layer to layer: each concept of an earlier place is ablated, and what those of a later one do is measured.
// A matrix: a row for each that is ablated, a column for each that is watched.
import { html, nothing } from "lit-html";
import { chooseLatent } from "../actions.js";
import { set } from "../store.js";
import { nats, percent, plain, point, times } from "../text.js";
import { send } from "../wire.js";
import { term } from "../words.js";
import { going, trouble } from "./going.js";

const LEGIBLE = 0.02; // smaller shares are a dot: they are there, and nothing to read

export function influenceTab(s) {
  const places = s.layers?.layers;
  if (!places) return html`${going(s, "layers")} ${trouble(s, "layers")}`;
  if (places.length < 2) return ALONE;
  const [source, target] = s.path ?? usual(s, places);
  const measure = () => {
    set({ pair: null });
    send("influence", { source, target }, "Reading both layers");
  };
  return html`<div class="sp-bar sp-flow">
      <h2>From ${menu(s, "source", source, target)} to ${menu(s, "target", target, source)}</h2>
      <button type="button" class="sp-button" data-measure ?disabled=${!!s.jobs.influence} @click=${measure}>
        Measure
      </button>
    </div>
    ${going(s, "influence")} ${trouble(s, "influence", measure)}
    ${s.influence ? matrix(s) : s.jobs.influence ? html`<div class="sp-ghost sp-ghost-tall"></div>` : HINT}`;
}

const HINT = html`<p class="sp-note">
  Switches the concepts of the earlier layer off, one after another, and measures what becomes of those of the
  later one, beside other latents that fire as much: a step of the way from patch to word.
</p>`;

const ALONE = html`<p class="sp-note">
  One SAE of this model is offered; a second one, of another layer, is needed:
  <code>scratchpad serve --offer</code>.
</p>`;

/** The layer on show and the one before it; of the first, the one behind it. */
function usual(s, places) {
  const shown = places.findIndex((l) => l.sae === s.analysis.sae.name);
  const later = Math.max(1, shown);
  return [later - 1, later];
}

function menu(s, side, chosen, other) {
  const places = s.layers.layers;
  const fits = (n) => (side === "source" ? n < places.length - 1 : n > 0);
  const choose = (n) => {
    const path = side === "source" ? [n, Math.max(other, n + 1)] : [Math.min(other, n - 1), n];
    set({ path, influence: null, pair: null });
  };
  return html`<select
    aria-label=${side === "source" ? "Layer whose concepts are ablated" : "Layer whose concepts are watched"}
    data-flow=${side}
    ?disabled=${!!s.jobs.influence}
    .value=${String(chosen)}
    @change=${(e) => choose(+e.target.value)}
  >
    ${places.map((l, n) =>
      fits(n) ? html`<option value=${n} ?selected=${n === chosen}>${point(l)}</option>` : nothing,
    )}
  </select>`;
}

function matrix(s) {
  const { influence: m, sources, targets } = s.influence;
  return html`<p class="sp-note" data-found>${found(m)}</p>
    <div class="sp-flowbox" role="region" aria-label="Effects">
      <table @keydown=${arrows}>
        <thead>
          <tr>
            <th scope="col"><small>without ↓</small><small>what becomes of →</small></th>
            ${m.targets.map((t, n) => html`<th scope="col">${concept(s, m.onto, t.latent, targets[n])}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${m.sources.map(
            (row, y) =>
              html`<tr>
                <th scope="row">${concept(s, m.sae, row.latent, sources[y])}</th>
                ${m.targets.map((_, x) => html`<td>${cell(s, m, y, x)}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <p class="sp-note" data-pair aria-live="polite">${s.pair ? says(m, ...s.pair) : KEY}</p>`;
}

const KEY = html`Rows and columns: the concepts of best score at either layer, at most ten. Each cell: how
  much of its ${term("activation", "activation")} over the picture the later concept loses (−) or gains (+)
  without the earlier one. <b>Ringed</b>: no other latent that fires as much does as much to any concept; with
  a thin ring: none does to that one. Choose a cell to read it; arrow keys go on.`;

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** Arrow keys go from cell to cell. */
function arrows(e) {
  const [step, at] = [STEPS[e.key], e.target.dataset.cell];
  if (!step || !at) return;
  const [y, x] = at.split(",").map(Number);
  const next = e.currentTarget.querySelector(`[data-cell="${y + step[0]},${x + step[1]}"]`);
  if (!next) return;
  e.preventDefault();
  next.focus();
}

/** How many stand out, beside what chance would bring. */
function found(m) {
  const rows = new Set();
  let alone = 0;
  m.as_much.forEach((row, y) =>
    row.forEach((count, x) => {
      if (!m.sources[y].others.length) return;
      if (!count) alone++;
      if (!m.as_much_anywhere[y][x]) rows.add(y);
    }),
  );
  return html`${rows.size} of ${times(m.sources.length, "concept")} of ${point(m.sae)}
  ${rows.size === 1 ? "does" : "do"} more to one of ${point(m.onto)} than any other latent that fires as much
  does to any; chance alone would bring ${m.expected_sources.toFixed(1)}. ${times(alone, "pair")} that no
  other equals, by chance ${m.expected.toFixed(1)}.`;
}

function concept(s, sae, latent, src) {
  const here = s.analysis.sae.identity === sae.identity;
  const label = html`<img src=${src} alt="" /><span>${plain({ guess: "", ...latent })}</span>`;
  return here
    ? html`<button
        type="button"
        class="sp-flowed"
        title="Where it fires"
        @click=${() => chooseLatent(latent.id)}
      >
        ${label}
      </button>`
    : html`<span class="sp-flowed">${label}</span>`;
}

function cell(s, m, y, x) {
  const effect = m.effects[y][x];
  const alone = m.sources[y].others.length > 0 && !m.as_much_anywhere[y][x];
  const single = m.sources[y].others.length > 0 && !m.as_much[y][x];
  const chosen = s.pair && s.pair[0] === y && s.pair[1] === x;
  const [row, column] = s.pair ?? [0, 0]; // what the Tab key reaches; arrows go on from there
  return html`<button
    type="button"
    class="sp-effect ${alone ? "sp-ringed" : single ? "sp-single" : ""}"
    tabindex=${row === y && column === x ? 0 : -1}
    aria-pressed=${chosen ? "true" : "false"}
    aria-label=${`${called(m.targets[x])} without ${called(m.sources[y])}: ${share(effect)}`}
    style=${`--share:${Math.min(1, Math.abs(effect)).toFixed(2)}`}
    data-sign=${effect < 0 ? "less" : "more"}
    data-cell=${`${y},${x}`}
    @click=${() => set({ pair: chosen ? null : [y, x] })}
  >
    ${Math.abs(effect) < LEGIBLE ? "·" : share(effect)}
  </button>`;
}

const called = (row) => plain({ guess: "", ...row.latent });
const share = (effect) => `${effect < 0 ? "−" : "+"}${percent(Math.abs(effect))}`;

/** A pair in a sentence. */
function says(m, y, x) {
  const [source, target, n] = [m.sources[y], m.targets[x], m.sources[y].others.length];
  const of = (latent, sae) => html`<b>${plain({ guess: "", ...latent })}</b> (#${latent.id}, ${point(sae)})`;
  const effect = m.effects[y][x];
  return html`Without ${of(source.latent, m.sae)}, ${of(target.latent, m.onto)}
  ${effect < 0 ? "loses" : "gains"} ${percent(Math.abs(effect))} of its activation. Of
  ${times(n, "other latent")} that fire as much, ${m.as_much[y][x]} do as much to it and
  ${m.as_much_anywhere[y][x]} to any of these ${m.targets.length}. ${onAnswer(m, source.effect)}`;
}

/** What the answer's log-probability does without a concept; changes that are said as 0.00 are none. */
function onAnswer(m, effect) {
  const by = nats(Math.abs(effect));
  return by === "0.00"
    ? `The answer “${m.answer}” stays as likely without it.`
    : `The answer “${m.answer}” becomes ${effect < 0 ? "less" : "more"} likely by ${by} nats without it.`;
}
