// How values are said: one place for each kind, so that the same number looks the same everywhere.
import { html, nothing } from "lit-html";

export const token = (text) => text.replace(/\n/g, "⏎").trim() || "␣";
export const percent = (share) => {
  const v = 100 * share;
  if (v > 0 && v < 0.001) return "under 0.001%";
  if (v > 0 && v < 0.1) return `${figures(v, 1)}%`; // something is never said to be nothing
  return `${v > 0 && v < 10 ? v.toFixed(1).replace(/\.0$/, "") : v.toFixed(0)}%`;
};
export const signed = (value) => `${value > 0 ? "+" : value < 0 ? "−" : ""}${Math.abs(value).toFixed(2)}`;
export const figures = (value, n = 2) => Number(value.toPrecision(n)).toString();
/** A log-probability or the like, with a true minus and no negative zero. */
export const nats = (value) =>
  signed(value)
    .replace("+", "")
    .replace(/^−(?=0\.00$)/, "");
/** Where an SAE reads: "layer 5" of the vision encoder, "projector", "language layer 2". */
export const point = ({ place, layer }) =>
  place === "projector" ? place : `${place === "language" ? "language " : ""}layer ${layer}`;
export const times = (n, singular, plural = `${singular}s`) => `${n} ${n === 1 ? singular : plural}`;

/** A latent in few words, where all is set in one ink: its name, its guess with a question mark, or its number. */
export const plain = (l) => l.name || (l.guess ? `${l.guess}?` : `#${l.id}`);

/** So many of the held-out pictures show the name: "24 of 25". */
export const counts = (l) =>
  l.precision === null || l.support === null ? "" : `${Math.round(l.precision * l.support)} of ${l.support}`;

/** A latent's name as a claim, or "unnamed" with its guess muted; with `counted`, how often pictures back it. */
export function name(l, { number = true, counted = false } = {}) {
  const id = number ? html`<small class="sp-id">#${l.id}</small>` : nothing;
  const seen = counted ? counts(l) : "";
  const title = seen ? backing(l) : nothing;
  if (l.name)
    return html`<span class="sp-claim">${l.name}</span> ${seen
        ? html`<small class="sp-id" title=${title}>${seen} pictures</small>`
        : nothing}
      ${id}`;
  const guess = l.guess
    ? html`<span class="sp-guess" title=${title}
        >${l.guess}? ${seen ? html`<small>${seen}</small>` : nothing}</span
      >`
    : nothing;
  return html`<span class="sp-unnamed">unnamed</span> ${guess} ${id}`;
}

/** The same where many stand in a row: a guess by itself, muted, with its question mark. */
export const brief = (l) =>
  l.name || !l.guess ? name(l, { number: false }) : html`<span class="sp-guess">${l.guess}?</span>`;

/** What stands behind a name, in place: "24 of 25 pictures where it fires this strongly". */
export function backing(l) {
  const seen = counts(l);
  if (!seen) return "";
  return `${seen} pictures where it fires this strongly show ${l.name ? "it" : `“${l.guess}”`}`;
}

/** Whole numbers in few characters: "0, 2-5"; "" for all, which is null or missing. */
export function spans(numbers) {
  const out = [];
  for (const n of [...(numbers || [])].sort((a, b) => a - b)) {
    const last = out[out.length - 1];
    if (last && last[1] === n - 1) last[1] = n;
    else out.push([n, n]);
  }
  return out.map(([a, b]) => (a === b ? `${a}` : `${a}-${b}`)).join(", ");
}

/** The log-probability as a chance: "94%". */
export const chance = (logprob) => percent(Math.exp(logprob));
