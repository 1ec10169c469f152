// CONCEPTS: what is behind the chosen token, in the whole picture or in a patch, each shown by what it looks like.
import { html, nothing } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { chooseLatent, choosePatch } from "../actions.js";
import { brush, ranking, scored } from "../derive.js";
import { placeText } from "../place.js";
import { set } from "../store.js";
import { tileOf } from "../sheet.js";
import { figures, brief, name, times, token as say } from "../text.js";
import { png } from "../png.js";
import { term } from "../words.js";
import { card } from "./card.js";
import { filters } from "./filters.js";
import { weighing } from "./weighing.js";

const FIRST = 12; // cards at first, as the store has it
const ON_A_PHONE = 8; // of those, as page.css has it

export function concepts(s) {
  const { cards, apart, hidden } = ranking(s);
  const lit = brush(s);
  const best = cards.length ? cards[0].value : 1;
  return html`<div class="sp-bar sp-bar-concepts">
      ${scopes(s)} ${apart.length ? scenery(s, apart, lit) : html`<span class="sp-gap"></span>`}
      ${hidden ? html`<small class="sp-quiet">${hidden} filtered out</small>` : nothing}
      <button
        type="button"
        class="sp-quietly"
        data-compare
        aria-pressed=${s.compare}
        title="Attention-weighted and plain ranking, side by side"
        @click=${() => set({ compare: !s.compare })}
      >
        Both rankings
      </button>
      ${weighing(s)} ${filters(s)} ${png()}
    </div>
    ${s.compare ? rankings(s) : nothing}
    <div class="sp-cards ${lit.lit ? "sp-brushed" : ""} ${s.more === FIRST ? "sp-first" : ""}">
      ${repeat(
        cards.slice(0, s.more),
        (l) => l.id,
        (l) => card(s, l, best, lit),
      )}
      ${cards.length ? nothing : empty(s, apart)}
    </div>
    ${cards.length > s.more || (s.more === FIRST && cards.length > ON_A_PHONE)
      ? html`<button
          type="button"
          class="sp-quietly sp-more ${cards.length > s.more ? "" : "sp-narrow"}"
          @click=${() => set({ more: s.more + 12 })}
        >
          Show more of ${cards.length}
        </button>`
      : nothing}`;
}

function scopes(s) {
  const a = s.analysis;
  const t = a.byIndex.get(s.token);
  const segment = (scope, text, act, title) =>
    html`<button
      type="button"
      data-scope=${scope}
      aria-pressed=${s.scope === scope}
      title=${title}
      @click=${act}
    >
      ${text}
    </button>`;
  const at = s.patch === null ? null : tileOf(a, s.patch);
  return html`<div class="sp-segments" role="group" aria-label="Concepts of what">
    ${segment(
      "token",
      html`behind <b>${t ? say(t.text) : "the token"}</b>`,
      () => set({ scope: "token", more: 12 }),
      "Weighted by the chosen token's attention",
    )}
    ${segment(
      "picture",
      "whole picture",
      () => set({ scope: "picture", more: 12 }),
      "Plain mean over all patches: no token has a say",
    )}
    ${at
      ? segment(
          "patch",
          html`patch ${at.row + 1}, ${at.col + 1}`,
          () => (s.scope === "patch" ? choosePatch(null) : set({ scope: "patch" })),
          "What fires in the chosen patch",
        )
      : nothing}
    ${s.place
      ? segment(
          "region",
          placeText(a, s.place.region, s.place.image),
          () => set({ scope: "region", more: 12 }),
          "What fires in this region and not elsewhere in the picture",
        )
      : nothing}
  </div>`;
}

/** Latents that fire nearly everywhere: marked and within reach, not among the rest. */
const scenery = (s, apart, lit) =>
  html`<div class="sp-scenery" role="group" aria-label="Latents that fire everywhere">
    <small>${term("everywhere", `${apart.length} everywhere`)}</small>
    ${apart
      .slice(0, 12)
      .map(
        (l) =>
          html`<button
            type="button"
            class="sp-chip ${lit.lit?.has(l.id) ? "sp-lit" : ""}"
            data-latent=${l.id}
            aria-pressed=${s.latent === l.id}
            @click=${() => chooseLatent(l.id)}
            @pointerenter=${() => set({ hover: { latent: l.id } })}
            @pointerleave=${() => set({ hover: null })}
          >
            ${brief(l)}<small>${figures(l.value)}</small>
          </button>`,
      )}
    <button
      type="button"
      class="sp-link"
      data-among
      @click=${() => set({ filter: { ...s.filter, everywhere: "among" } })}
    >
      show as cards
    </button>
  </div>`;

/** The same latents in two orders; a line leads from one to the other by its light. */
function rankings(s) {
  const column = (title, scope) => {
    const rows = ranking(s, scope).cards.slice(0, 12);
    return html`<div>
      <p class="sp-kicker">${title}</p>
      <ol>
        ${rows.map(
          (l) =>
            html`<li class=${s.hover?.latent === l.id || s.latent === l.id ? "sp-lit" : ""}>
              <button
                type="button"
                class="sp-link"
                data-latent=${l.id}
                aria-pressed=${s.latent === l.id}
                @click=${() => chooseLatent(l.id)}
                @pointerenter=${() => set({ hover: { latent: l.id } })}
                @pointerleave=${() => set({ hover: null })}
              >
                ${name(l)}
              </button>
              <span class="sp-meter" style="--v:${(l.value / rows[0].value).toFixed(3)}"></span>
              <span class="sp-num">${figures(l.value)}</span>
            </li>`,
        )}
      </ol>
    </div>`;
  };
  const t = s.analysis.byIndex.get(s.token);
  return html`<div class="sp-rankings">
    ${column(html`weighted by what <b>${t ? say(t.text) : ""}</b> attends to (${term("score")})`, "token")}
    ${column(html`${term("plain", "plain mean")} over the picture`, "picture")}
  </div>`;
}

function empty(s, apart) {
  if (!scored(s).length)
    return html`<p class="sp-note sp-empty">
      ${s.analysis.active.length
        ? "This token comes before the picture and can't see it: choose another."
        : "No latent is active on this picture."}
    </p>`;
  const wide = { ...s.filter, sparsest: 0, densest: 1, mean: 0 };
  return html`<p class="sp-note sp-empty">
    ${apart.length
      ? `Nothing else: ${times(apart.length, "latent")} that fire everywhere, above.`
      : "No latent passes the filters."}
    ${apart.length
      ? nothing
      : html`<button type="button" class="sp-link" @click=${() => set({ filter: wide })}>
          Clear the filters
        </button>`}
  </p>`;
}
