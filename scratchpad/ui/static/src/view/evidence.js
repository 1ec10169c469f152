// The test bar, opened: the checks behind the verdict, the controls' plot, the answer token by token, and what else
// was found out. What is older than the last change is folded and says so.
import { html, nothing } from "lit-html";
import { latentOf } from "../derive.js";
import { change } from "../colour.js";
import { png } from "../png.js";
import { shownRun } from "../store.js";
import { chance, figures, name, nats, signed, token as say } from "../text.js";
import { meaning, term } from "../words.js";
import { diagnosis } from "./diagnosis.js";
import { effects } from "./effects.js";
import { plot } from "./plot.js";
import { badge, side } from "./verdict.js";

export function evidence(s) {
  const { run, stale } = shownRun(s);
  return html`<div class="sp-evidence" role="region" aria-label="Evidence" data-name="evidence" tabindex="0">
    ${png()} ${s.diagnosis ? diagnosis(s, s.diagnosis) : nothing}
    ${s.verified ? effects(s, s.verified) : nothing}
    ${run
      ? html`<details class="sp-of-run" ?open=${!stale}>
          <summary>
            ${stale ? "The test before the last change" : "This test"} ${badge(run.test.verdict.kind)}
          </summary>
          ${ofRun(s, run)}
        </details>`
      : nothing}
  </div>`;
}

function ofRun(s, run) {
  const t = run.test;
  const c = t.comparison;
  return html`<div class="sp-columns">
    <div>
      <div class="sp-sides">
        <div>
          <p class="sp-kicker">Before</p>
          <p class="sp-text">${side(c.diff, "new")}</p>
        </div>
        <div>
          <p class="sp-kicker">After</p>
          <p class="sp-text">${side(c.diff, "gone")}</p>
        </div>
      </div>
      <ul class="sp-checks">
        ${t.verdict.checks.map(check)}
      </ul>
      ${beside(s, run)}
    </div>
    <div>
      ${t.control.effects.length
        ? plot(t)
        : html`<p class="sp-note">No control: too few other active latents to draw as many at random.</p>`}
      <p class="sp-kicker">${term("change", "Change of log-probability")} per token, nats</p>
      <div class="sp-deltas">${deltas(c)}</div>
    </div>
  </div>`;
}

export const check = (one) =>
  html`<li data-holds=${String(one.holds)}>
    <b>${one.holds === null ? "not tested" : one.holds ? "holds" : "doesn’t hold"}</b>
    <span>${one.says}</span>
  </li>`;

function deltas(c) {
  const most = Math.max(0.5, ...c.delta_logprob.map(Math.abs));
  const likely = (list) =>
    list
      .slice(0, 3)
      .map(([text, p]) => `${say(text)} ${chance(p)}`)
      .join(", ");
  return c.delta_logprob.map((v, i) => {
    const a = c.alternatives[i];
    const t = c.before.tokens[i];
    const title = a ? `likeliest before: ${likely(a.before)}; now: ${likely(a.after)}` : "";
    return html`<div class="sp-delta" title=${title}>
      <span class="sp-col"
        ><i
          style="height:${((100 * Math.abs(v)) / most).toFixed(1)}%;background:rgb(${change(-v / most)})"
        ></i
      ></span>
      <span class="sp-num">${signed(v)}</span><span>${t ? say(t.text) : "end"}</span>
    </div>`;
  });
}

/** What else the test found, a line each. */
function beside(s, { test: t, blank }) {
  const c = t.comparison;
  const of = (id) => name(latentOf(s.analysis, id));
  const lines = [];
  const set = t.sufficient;
  if (set)
    lines.push(
      html`${set.minimality === "smallest" ? "The smallest set" : "The smallest set found"}${set.target
        ? ` that brings out “${set.target}”`
        : ""}:
      ${set.latents.length} of ${s.analysis.active.length} active latents, after ablating ${set.tried}
      sets${set.spent ? ", where the search was ended" : ""}.
      ${set.minimality === "none" ? "" : "None of them can be left out."} As many random latents do it in
      ${set.random_flips} of ${set.n_random_sets} sets.`,
    );
  if (c.inactive.length)
    lines.push(html`Not active where the test acts, so without effect: ${c.inactive.map(of)}.`);
  if (!c.edit.keep_error) lines.push("The SAE's reconstruction stands in place of the activations.");
  if (blank)
    lines.push(
      blank.same
        ? html`<b>With a ${term("grey", "grey picture")} the model answers the same:</b> this answer may be
            habit, not sight.`
        : html`With a ${term("grey", "grey picture")} it answers “${blank.answer}”; the original answer's
          ${term("logprob", "log-probability")} is ${nats(blank.logprob)} there, ${nats(blank.with_picture)}
          here.`,
    );
  if (c.toward)
    lines.push(
      html`${term("logprob", "Log-probability")} of “${c.toward.text}” as the answer: ${nats(c.toward.before)}
      before, ${nats(c.toward.after)} now (${signed(c.toward.after - c.toward.before)}).`,
    );
  if (c.sampled)
    lines.push(
      html`Drawn at temperature ${c.sampled.sampling.temperature}, seed ${c.sampled.sampling.seed}: before
      “${c.sampled.before}”, after “${side(c.sampled.diff, "gone")}”.`,
    );
  if (c.risen.length)
    lines.push(
      html`${term("risen", "More active now")}:
      ${c.risen.slice(0, 4).map(
        (r) =>
          html`${of(r.latent)}
            <small title=${meaning("mean")}>(mean ${figures(r.before)} → ${figures(r.after)})</small> `,
      )}`,
    );
  return lines.map((line) => html`<p class="sp-note">${line}</p>`);
}
