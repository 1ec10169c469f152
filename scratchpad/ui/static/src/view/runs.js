// What was asked again, as a strip of small before -> after cards; choosing one restores its edit and its result.
import { html, nothing } from "lit-html";
import { latentOf } from "../derive.js";
import { draws } from "../directives.js";
import { recall } from "../store.js";
import { plain, times } from "../text.js";

export function strip(s) {
  if (s.runs.length < 2 && s.at >= 0) return nothing;
  if (!s.runs.length) return nothing;
  return html`<div
    class="sp-runs"
    role="group"
    aria-label="Tests so far"
    ${draws(`${s.at}/${s.runs.length}`, inSight)}
  >
    ${s.runs.map((run, n) => card(s, run, n))}
  </div>`;
}

function card(s, run, n) {
  const { comparison, verdict } = run.test;
  const latents = run.edit.picked;
  const what =
    latents.length > 1
      ? times(latents.length, "latent")
      : latents.map((id) => plain(latentOf(s.analysis, id)));
  const before = comparison.before.text.trim() || "(nothing)";
  const after = comparison.after.text.trim() || "(nothing)";
  return html`<button
    type="button"
    class="sp-run"
    data-run=${n}
    data-kind=${verdict.kind}
    aria-pressed=${s.at === n}
    title="${what}${how(run.edit)}: “${before}” → “${after}”, ${verdict.kind}"
    @click=${() => recall(n)}
  >
    <small>${n + 1}</small> ${before} → ${after} <small>${what}${how(run.edit)}</small>
  </button>`;
}

/** What an edit does beside switching off, in few words. */
function how({ picked, own, ops, strength, region, image, keepError }) {
  if (!picked.length) return "the bare reconstruction";
  const each = Object.keys(own).length || Object.keys(ops).length ? ", some otherwise" : "";
  const part = region ? ", in a region" : image !== null ? `, picture ${image + 1}` : "";
  return `${strength ? ` ×${strength}` : " off"}${each}${part}${keepError ? "" : ", no SAE error"}`;
}

/** The chosen run stays in sight as the strip grows. */
const inSight = (strip) =>
  strip.querySelector("[aria-pressed=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
