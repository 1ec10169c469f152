// Predicted against actual effects: what one backward pass says of every latent, and what its ablation really did.
Scratchpad.effects = (v) => {
  const S = Scratchpad, W = 420, H = 260, PAD = 40, round = (e) => `${+e.toPrecision(1)}`.replace("-", "−");
  if (!v.effects.length) return `<p class="sp-note">No latent is active in this picture.</p>`;
  // Effects span many powers of ten on both sides of zero: linear below `near`, logarithmic beyond.
  const most = Math.max(...v.effects.flatMap((e) => [Math.abs(e.predicted), Math.abs(e.actual)]), 1e-9), near = Math.max(most / 1e4, 1e-7);
  const bend = (x) => Math.sign(x) * Math.log10(1 + Math.abs(x) / near) / Math.log10(1 + most / near);
  const x = (e) => (PAD + (W - 2 * PAD) * (bend(e) + 1) / 2).toFixed(1), y = (e) => (PAD + (H - 2 * PAD) * (1 - bend(e)) / 2).toFixed(1);
  const say = (e) => `${e.name || "latent"} #${e.id}: predicted ${e.predicted.toPrecision(2)}, actual ${e.actual.toPrecision(2)} nats`;
  const points = v.effects.map((e) => `<circle cx="${x(e.predicted)}" cy="${y(e.actual)}" r="4" data-latent="${e.id}"><title>${S.escape(say(e))}</title></circle>`).join("");
  const worst = [...v.effects].sort((a, b) => a.actual - b.actual).slice(0, 5).filter((e) => e.actual < 0);
  const ends = [-most, 0, most].map((e) => `<text x="${x(e)}" y="${H - 8}" text-anchor="middle">${round(e)}</text><text x="${PAD - 6}" y="${+y(e) + 4}" text-anchor="end">${round(e)}</text>`).join("");
  return `<div class="sp-effects"><figure><svg viewBox="0 0 ${W} ${H}" role="img" aria-label="Predicted effect (across) against actual effect (up) of ${v.effects.length} latents">
      <path d="M${PAD} ${y(0)}H${W - PAD}M${x(0)} ${PAD}V${H - PAD}M${x(-most)} ${y(-most)}L${x(most)} ${y(most)}"/>${ends}${points}</svg>
      <figcaption class="sp-note"${S.means("change")}>Across: predicted by one backward pass. Up: each latent really ablated. Logarithmic away from zero, nats.</figcaption></figure>
    <div><p class="sp-verdict"${S.means("spearman")}><b>Rank correlation ${v.spearman === null ? "can't be told" : v.spearman.toFixed(2)}</b> over ${v.effects.length} of ${v.active} active latents. Where the two part, the ablation is right.</p>
      ${worst.length ? `<p class="sp-kicker">The answer loses most without</p><div class="sp-row">${worst.map((e) => `<button type="button" class="sp-chip" data-take="${e.id}" title="${S.escape(say(e))}. Put it in the test">${S.escape(e.name || "latent")} <small>#${e.id} ${e.actual.toPrecision(2)}</small></button>`).join("")}</div>` : ""}</div></div>`;
};
