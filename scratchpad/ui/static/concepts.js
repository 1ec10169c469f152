// CONCEPTS: the latents behind the chosen token as cards: a name, where it fires here, where it fires elsewhere.
Scratchpad.concepts = (element) => {
  const S = Scratchpad;
  element.innerHTML = `
    <section class="sp-panel sp-concepts" aria-label="Concepts">
      <header><h2>Concepts <span class="sp-of"></span></h2>${S.png}
        <div class="sp-filters">
          <label class="sp-switch" title="On: activation weighted by the chosen token's attention. Off: plain mean over the image."><input type="checkbox" data-set="weighted" checked> weigh by attention</label>
          <label title="${S.words.sparsity}">fires on at most <input type="range" data-set="maxSparsity" min="0.01" max="1" step="0.01" value="0.5"><output>50%</output></label>
          <label title="${S.words.sparsity}">at least <input type="range" data-set="minSparsity" min="0" max="0.2" step="0.002" value="0"><output>0%</output></label>
          <label title="${S.words.mean}">mean activation over <input type="range" data-set="minMean" min="0" max="1" step="0.01" value="0"><output>0</output></label>
        </div></header>
      <p class="sp-note sp-worth"></p>
      <div class="sp-cards"></div>
      <button type="button" class="sp-quiet sp-more">Show more</button>
    </section>`;
  const cards = element.querySelector(".sp-cards"), more = element.querySelector(".sp-more");
  let key = "";
  function card(s, l, best) {
    const sure = l.auroc === null ? "" : `<span class="sp-auroc"${S.means("auroc")}>${l.auroc.toFixed(2)}</span>`;
    return `<article class="sp-card" data-id="${l.id}">
      <button type="button" class="sp-name" data-latent="${l.id}" aria-pressed="${s.latent === l.id}">${S.escape(l.name)}<small>#${l.id}</small>${sure}</button>
      <div class="sp-score"${S.means(s.weighted ? "score" : "plain")}><span class="sp-meter" style="--v:${(l.score / best).toFixed(3)}"></span><span class="sp-num">${l.score.toPrecision(2)}</span></div>
      <div class="sp-pics"><canvas class="sp-here" aria-hidden="true"></canvas><div class="sp-refs" aria-hidden="true"></div></div>
      <footer><span${S.means("sparsity")}>${l.sparsity === null ? "" : `fires on ${(100 * l.sparsity).toFixed(1)}%`}</span>
      <button type="button" class="sp-pick" data-pick="${l.id}" aria-pressed="${s.picked.includes(l.id)}">${s.picked.includes(l.id) ? "✓ in the test" : "switch off"}</button></footer></article>`;
  }
  async function pictures(s, node, l) {
    const d = s.data;
    S.paint(node.querySelector(".sp-here"), d, S.firing(d, l.id), { width: 192 });
    const found = await S.detail(l.id), refs = node.querySelector(".sp-refs");
    if (refs.childElementCount) return;
    if (found.error) { refs.textContent = found.error; return; }
    for (const r of found.references.slice(0, 4)) {
      const c = document.createElement("canvas"); c.title = r.labels; refs.append(c);
      S.paint(c, { images: [r.src], sizes: [[96, 96]], tiles: [{ box: [0, 0, 96, 96], rows: r.rows, cols: r.cols }] }, Float32Array.from(atob(r.mask), (x) => x.charCodeAt(0) / 255), { width: 96, dim: 0.6 });
    }
    if (!found.references.length) refs.innerHTML = "<em>no reference images</em>";
  }
  const percent = (v) => `${(100 * v).toFixed(v < 0.1 ? 1 : 0)}%`;
  element.addEventListener("input", (e) => {
    const name = e.target.dataset.set; if (!name) return;
    const value = e.target.type === "checkbox" ? e.target.checked : +e.target.value;
    if (e.target.nextElementSibling) e.target.nextElementSibling.textContent = name === "minMean" ? value.toFixed(2) : percent(value);
    S.set({ [name]: value });
  });
  element.addEventListener("click", (e) => {
    const latent = e.target.closest("[data-latent]"), pick = e.target.closest("[data-pick]");
    if (latent) { const id = +latent.dataset.latent; S.set({ latent: S.state.latent === id ? null : id }); }
    if (pick) S.toggle([+pick.dataset.pick]);
    if (e.target === more) S.set({ more: S.state.more + 12 });
  });
  S.on(element, (s) => {
    element.classList.toggle("sp-busy", s.busy || !s.data);
    if (!s.data) { cards.innerHTML = `<article class="sp-card sp-ghost"></article>`.repeat(6); return; }
    const token = s.data.tokens.find((t) => t.index === s.token);
    const rows = S.ranking(s), hidden = S.ranking({ ...s, minSparsity: 0, maxSparsity: 1, minMean: 0 }).length - rows.length;
    element.querySelector(".sp-of").innerHTML = (s.weighted && token ? `behind <b>${S.shown(token.text)}</b>` : "in the whole image") + (hidden ? ` · ${hidden} hidden by the filters` : "");
    element.querySelector(".sp-worth").innerHTML = S.trust(s.data.conceptTrust, "sae-attention", s.data.kept);
    const next = [s.data.key, s.token, s.weighted, s.minSparsity, s.maxSparsity, s.minMean, s.more, rows.slice(0, s.more).map((l) => l.name)].join("/");
    if (next !== key) {
      key = next;
      cards.innerHTML = rows.slice(0, s.more).map((l) => card(s, l, rows[0].score)).join("") || `<p class="sp-note">No latent passes these filters for this token. Widen them, or choose a token that sees the image.</p>`;
      rows.slice(0, s.more).forEach((l) => pictures(s, cards.querySelector(`[data-id="${l.id}"]`), l));
    } else {
      for (const b of cards.querySelectorAll("[data-latent]")) b.setAttribute("aria-pressed", +b.dataset.latent === s.latent);
      for (const b of cards.querySelectorAll("[data-pick]")) { const on = s.picked.includes(+b.dataset.pick); b.setAttribute("aria-pressed", on); b.textContent = on ? "✓ in the test" : "switch off"; }
    }
    for (const c of cards.querySelectorAll(".sp-card")) c.classList.toggle("sp-lit", +c.dataset.id === s.latent);
    more.hidden = rows.length <= s.more;
  });
};
