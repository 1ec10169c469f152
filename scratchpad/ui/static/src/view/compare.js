// COMPARE: what is on show beside another answer: to another question, of other pictures, or by another SAE. Each side
// with its answer, its map and its concepts; what is pointed at lights up on both.
import { html, nothing } from "lit-html";
import { chooseWord, goOnWithOther } from "../comparing.js";
import { attention } from "../derive.js";
import { draws } from "../directives.js";
import { paint } from "../paint.js";
import { firingOf, listed, lit, sideOf } from "../pairs.js";
import { png } from "../png.js";
import { figures, name, percent, plain, point, times, token as say } from "../text.js";
import { term } from "../words.js";
import { going, trouble } from "./going.js";
import { silent } from "./look.js";
import { shot } from "./map.js";
import { otherForm } from "./compare-form.js";
import { row } from "./compare-row.js";
import { chosen } from "./weighing.js";

const MOST = 12; // concepts of a side

export function compareTab(s) {
  const sides = s.other ? pair(s) : s.jobs.compare ? ghosts : nothing;
  return html`${otherForm(s)}
    <div class="sp-status" aria-live="polite">${going(s, "compare")} ${trouble(s, "compare")}</div>
    ${sides}`;
}

const ghosts = html`<div class="sp-beside-sides">
  <div class="sp-ghost sp-ghost-tall"></div>
  <div class="sp-ghost sp-ghost-tall"></div>
</div>`;

function pair(s) {
  const at = lit(s);
  return html`<div class="sp-bar">
      <p class="sp-note sp-fills" data-matched=${s.other.matched.by}>${matching(s)}</p>
      <button
        type="button"
        class="sp-quietly"
        data-go-on
        ?disabled=${!!s.jobs.ask}
        title="Asks the right one's question in place of the one on show, for all that the other tabs do"
        @click=${goOnWithOther}
      >
        Go on with the right one
      </button>
      ${png()}
    </div>
    <div class="sp-beside-sides ${s.jobs.compare ? "sp-waiting" : ""}">
      ${column(s, "left", at)} ${column(s, "right", at)}
    </div>
    <p class="sp-note">
      Concepts behind each side's chosen word; those that fire ${term("everywhere", "everywhere")} are left
      out unless the filter sets them among the others. A rank is a place among all that fire there.
    </p>`;
}

/** What makes two concepts the same here. */
function matching(s) {
  const { by, concepts } = s.other.matched;
  if (by === "latent")
    return html`One SAE, ${s.analysis.sae.name}, reads both, so a ${term("latent", "latent")} is itself on
    either side. Firing on both: ${times(concepts.length, "latent")}.`;
  const many = times(concepts.length, "name");
  return html`Two SAEs read them, whose latents have only their names in common.
  ${term("name", "Claimed names")} are matched, guesses are not:
  ${concepts.length ? `${many} on both sides.` : "no name is claimed on both sides."}`;
}

function column(s, side, at) {
  const of = sideOf(s, side);
  const a = of.analysis;
  const model = s.analysis.model.identity === s.other.analysis.model.identity ? "" : ` · ${a.model.name}`;
  const rows = listed(s, side, MOST);
  return html`<section class="sp-beside-side" data-side=${side} aria-label=${TITLES[side]}>
    <header>
      <h2>${TITLES[side]}</h2>
      <p class="sp-note">${a.sae.name} · ${point(a.sae)}${model}</p>
    </header>
    ${picture(s, side, at)}
    <div>
      ${words(of, side)}
      <ol class="sp-beside-list" aria-label="Its concepts">
        ${rows.map((l) => row(s, side, l, rows[0].value, at))}
      </ol>
      ${rows.length ? nothing : html`<p class="sp-note">${empty(a, of.token)}</p>`}
    </div>
  </section>`;
}

const TITLES = { left: "On show", right: "Beside it" };

const empty = (a, token) =>
  a.attentionRow.has(token)
    ? "No concept behind this word passes the filter."
    : "This word comes before the picture and can't see it: choose another.";

function picture(s, side, at) {
  const of = sideOf(s, side);
  const ids = at ? at[side] : null;
  const values = ids ? firingOf(of.analysis, ids) : attention(of.analysis, of.token);
  const key = [of.page.key, side, ids ? `l${ids}` : of.token, s.mode].join("/");
  const top = values ? values.reduce((most, v) => Math.max(most, v), 0) : 0;
  const says = ids ? ofConcept(s, side, at, top) : ofWord(of, top);
  return html`<figure>
    <canvas
      role="img"
      aria-label="The picture under the map that is described below it"
      class="sp-beside-map"
      ${draws(key, (canvas) => paint(canvas, shot(of), values, { mode: s.mode }))}
    ></canvas>
    <figcaption class="sp-note">${says}</figcaption>
  </figure>`;
}

function ofWord(of, top) {
  const t = of.analysis.byIndex.get(of.token);
  if (!t) return nothing;
  if (!(top > 0)) return html`<b>${say(t.text)}</b> comes before the picture and can't see it.`;
  return html`Where <b>${say(t.text)}</b> looked${chosen(of.analysis)}: at most ${percent(top)} on one patch.`;
}

/** What a side's map shows of the concept that is lit on either side. */
function ofConcept(s, side, at, top) {
  const own = sideOf(s, side).analysis.latents;
  const from = sideOf(s, at.by).analysis.latents.get(at.id) ?? { id: at.id };
  const other = sideOf(s, side === "left" ? "right" : "left").analysis.latents;
  const ids = at[side];
  if (!ids.length) return html`Nothing here is matched with <b>${plain(from)}</b>.`;
  const each = ids.map((id) => own.get(id) ?? other.get(id) ?? { id, name: "", guess: "" });
  const names = each.map((l, n) => html`${n ? ", " : ""}${name(l)}`);
  return top > 0
    ? html`Where ${names} fires: at most ${figures(top)} strong.`
    : html`${names} doesn't fire here.`;
}

/** The answer and the question, each word a button as in LOOK. */
function words(of, side) {
  const a = of.analysis;
  const button = (t) =>
    html`<button
      type="button"
      class="sp-token sp-${t.role}"
      data-word=${t.index}
      aria-pressed=${of.token === t.index}
      @click=${() => chooseWord(side, t.index)}
    >
      ${say(t.text)}
    </button>`;
  const prompt = a.tokens.filter((t) => t.role === "prompt");
  return html`<div class="sp-said">
    <div class="sp-answer" role="group" aria-label="Answer, token by token">
      ${a.outputs.length ? a.outputs.map(button) : html`<em class="sp-nothing">${silent(a)}</em>`}
    </div>
    <div class="sp-asked" role="group" aria-label="Question, token by token">${prompt.map(button)}</div>
    ${of.page.note ? html`<p class="sp-note sp-foreign">${of.page.note}</p>` : nothing}
  </div>`;
}
