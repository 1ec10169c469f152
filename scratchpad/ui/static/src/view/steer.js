// What one latent does to the answer on show: dose and response in real runs, beside other latents; the words it speaks
// for, measured here and read off directly.
import { html, nothing, svg } from "lit-html";
import { chance, figures, nats, signed, token as say } from "../text.js";
import { online, send } from "../wire.js";
import { term } from "../words.js";
import { going, trouble } from "./going.js";
import { ticks } from "./plot.js";

const [W, H] = [480, 270];
const [LEFT, RIGHT, TOP, BOTTOM] = [58, 16, 34, 46];
const MOST = 4; // times

export function steering(s, id) {
  if (!s.analysis || s.kase || !online()) return nothing;
  if (!s.analysis.column.has(id))
    return html`<p class="sp-note">
      It doesn't fire on this picture, so its strength does nothing to the answer.
    </p>`;
  const ask = () => send("steer", { latent: id, token: place(s) }, "Asking again at seven strengths");
  const steered = s.reading.steered;
  return html`<section class="sp-steer" aria-label="What it does to this answer" data-name="steer">
    ${steered
      ? shown(s, steered)
      : s.jobs.steer
        ? nothing
        : html`<p class="sp-note">
            <button type="button" class="sp-button" data-steer @click=${ask}>Measure what it does</button>
            to this answer at strengths 0 to 4, and to which words. The model is asked some thirty times.
          </p>`}
    ${going(s, "steer")} ${trouble(s, "steer", ask)}
  </section>`;
}

/** The token of the answer in whose place words are measured: the chosen one, else the one the page opens on. */
function place(s) {
  const outputs = s.analysis.outputs.map((t) => t.index);
  return [s.token, s.page.open_token, outputs[0]].find((index) => outputs.includes(index)) ?? null;
}

function shown(s, v) {
  const said = s.analysis.byIndex.get(v.token);
  return html`<div class="sp-dosed">
    <figure>
      <figcaption class="sp-kicker">
        ${term("dose", "Dose and response")}: the answer as it's turned down and up
      </figcaption>
      ${curve(s, v)}
      <p class="sp-note">
        A filled mark changes the answer, a hollow one keeps it. Thin lines:
        ${v.others.length
          ? html`${v.others.length} other latents of like strength here (${term("control")}).`
          : "no other latent fires here."}
      </p>
    </figure>
    <div>
      <p class="sp-kicker">Words measured in the place of <b>${said ? say(said.text) : "the answer"}</b></p>
      ${v.raised.length + v.lowered.length
        ? html`<table class="sp-words">
            <thead>
              <tr>
                <th scope="col">word</th>
                <th scope="col">off</th>
                <th scope="col">doubled</th>
              </tr>
            </thead>
            <tbody>
              ${v.raised.map((word) => moved(word, "▲"))}${v.lowered.map((word) => moved(word, "▼"))}
            </tbody>
          </table>`
        : html`<p class="sp-note">
            None moves: every word is as likely when it's off and when it's doubled.
          </p>`}
      <p class="sp-note">How likely each is, of those that are at least 0.1% likely in either.</p>
      ${direct(v)}
    </div>
  </div>`;
}

const likely = (logprob) => (logprob < Math.log(1e-3) ? "<0.1%" : chance(logprob));
const moved = (word, arrow) =>
  html`<tr title=${`${signed(word.doubled - word.off)} nats`}>
    <th scope="row"><small aria-hidden="true">${arrow}</small> ${say(word.text)}</th>
    <td>${likely(word.off)}</td>
    <td>${likely(word.doubled)}</td>
  </tr>`;

function direct(v) {
  if (v.why_not_direct)
    return html`<p class="sp-note">No ${term("direct", "direct effect")}: ${v.why_not_direct}</p>`;
  const row = (words) =>
    words.map(([text, score]) => html`<span>${say(text)} <small>${signed(score)}</small></span>`);
  return html`<p class="sp-kicker">
      ${term("direct", "Read off directly")}, not run: logits against the mean word
    </p>
    <p class="sp-wordrow"><b>promotes</b> ${row(v.direct_raised)}</p>
    <p class="sp-wordrow"><b>suppresses</b> ${row(v.direct_lowered)}</p>`;
}

function curve(s, v) {
  const plain = v.doses.find((dose) => dose.strength === 1).logprob;
  const all = [...v.doses.map((dose) => dose.logprob), ...v.others.flatMap((other) => other.logprobs)];
  const spread = Math.max(0.1, Math.max(...all) - Math.min(...all));
  const [low, high] = [Math.min(...all) - 0.08 * spread, Math.max(...all) + 0.08 * spread];
  const x = (strength) => LEFT + ((W - LEFT - RIGHT) * strength) / MOST;
  const y = (logprob) => TOP + ((H - TOP - BOTTOM) * (high - logprob)) / (high - low);
  const path = (points) => `M${points.map(([a, b]) => `${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join("L")}`;
  const control = (other) =>
    [[1, plain], ...other.strengths.map((strength, i) => [strength, other.logprobs[i]])].sort(
      (a, b) => a[0] - b[0],
    );
  const before = s.analysis.answer;
  const middle = (TOP + H - BOTTOM) / 2;
  const says = (dose) => `at ${dose.strength} ${nats(dose.logprob)} nats, answers “${dose.answer}”`;
  return html`<svg
    class="sp-dose"
    viewBox="0 0 ${W} ${H}"
    role="img"
    aria-label=${`Log-probability of the answer by strength: ${v.doses.map(says).join("; ")}`}
  >
    ${ticks(low, high).map(
      (at) =>
        svg`<line x1=${LEFT} x2=${W - RIGHT} y1=${y(at)} y2=${y(at)} class="sp-lane" />
          <text x=${LEFT - 7} y=${y(at) + 4} text-anchor="end">${figures(at).replace("-", "−")}</text>`,
    )}
    <line x1=${x(1)} x2=${x(1)} y1=${TOP} y2=${H - BOTTOM} class="sp-zero" />
    ${[0, 1, 2, 3, 4].map(
      (at) => svg`<text x=${x(at)} y=${H - BOTTOM + 17} text-anchor="middle">${at}</text>`,
    )}
    <text x=${(LEFT + W - RIGHT) / 2} y=${H - 8} text-anchor="middle">
      strength, times (1 is as it is, 0 is off)
    </text>
    <text x="14" y=${middle} text-anchor="middle" transform="rotate(-90 14 ${middle})">
      log-probability, nats
    </text>
    ${v.others.map(
      (other) =>
        svg`<path d=${path(control(other))} class="sp-other"
          ><title>${other.latent.name || "unnamed"} #${other.latent.id}</title></path>`,
    )}
    <path d=${path(v.doses.map((dose) => [dose.strength, dose.logprob]))} class="sp-own" />
    ${v.doses.map((dose) => {
      const flips = dose.answer === before ? "" : "sp-flips";
      return svg`<circle cx=${x(dose.strength)} cy=${y(dose.logprob)} r="4.5" class=${flips}
        ><title>${says(dose)}</title></circle>`;
    })}
    ${answers(v.doses).map(
      ({ text, from, to }) =>
        svg`<path d="M${x(from) - 6} 24V20H${x(to) + 6}V24" class="sp-zero" />
          <text
            x=${(x(from) + x(to)) / 2}
            y="13"
            text-anchor=${anchor(from, to)}
            class=${text === before ? "" : "sp-changed"}
          >${brief(text, to - from)}</text>`,
    )}
  </svg>`;
}

/** Runs of doses with the same answer. */
function answers(doses) {
  const out = [];
  for (const { strength, answer } of doses) {
    const last = out[out.length - 1];
    if (last && last.text === answer) last.to = strength;
    else out.push({ text: answer, from: strength, to: strength });
  }
  return out;
}
const anchor = (from, to) => (from + to < 1 ? "start" : from + to > 2 * MOST - 1 ? "end" : "middle");
function brief(text, wide) {
  const most = Math.max(6, Math.round(14 * wide));
  const shown = text || "(nothing)";
  return shown.length > most ? `${shown.slice(0, most - 1)}…` : shown;
}
