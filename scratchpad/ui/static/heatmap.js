// HEATMAP: tokens x latents, each column scaled to its own 0 .. 1; clusters bracketed. One canvas, as wide as the panel,
// draws the columns in view alone, so that a thousand latents cost what fifty do.
Scratchpad.heatmap = (element) => {
  const S = Scratchpad, CELL = 20, ROW = 22, HEAD = 132, LEFT = 104;
  element.innerHTML = `
    <section class="sp-panel" aria-label="Token-latent heatmap">
      <header><h2>Heatmap <span class="sp-of">which token drew on which concept</span></h2>
      <span class="sp-bar"${S.means("heatmap")}><i></i><span>column's least</span><b>most</b></span>${S.png}</header>
      <div class="sp-scroll" tabindex="0" role="group" aria-label="Heatmap of tokens by latents. Arrow keys move, Enter puts the latent in the test."><div class="sp-wide"><canvas role="img"></canvas></div></div>
      <div class="sp-clusters" aria-label="Clusters"></div>
      <p class="sp-note">Columns whose activations rise and fall together across tokens stand together (1 − Pearson, average linkage). Choose a column for its concept, a cluster to test it as one.</p>
    </section>`;
  const canvas = element.querySelector("canvas"), scroll = element.querySelector(".sp-scroll");
  const wide = element.querySelector(".sp-wide");
  let at = null, drawn = null, waiting = 0;
  const ink = () => getComputedStyle(element.querySelector(".sp-panel")).getPropertyValue("--sp-ink").trim() || "#222";
  const whole = (h) => LEFT + CELL * h.latents.length + 70;
  function draw(s) {
    const h = s.data.heatmap, all = whole(h);
    wide.style.width = `${all}px`;
    sketch(s, canvas, Math.max(1, Math.min(all, scroll.clientWidth || all)), scroll.scrollLeft, window.devicePixelRatio || 1);
    canvas.setAttribute("aria-label", `${h.tokens.length} tokens by ${h.latents.length} latents in ${h.clusters.length} clusters`);
  }
  canvas.whole = () => {  // for a picture of it, which nobody scrolls
    const paper = document.createElement("canvas"), all = whole(S.state.data.heatmap);
    sketch(S.state, paper, all, 0, Math.min(2, 16000 / all));
    return paper;
  };
  function sketch(s, canvas, w, x0, ratio) {
    const d = s.data, h = d.heatmap, height = HEAD + ROW * h.tokens.length + 8;
    if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(height * ratio)) { canvas.width = Math.round(w * ratio); canvas.height = Math.round(height * ratio); canvas.style.width = `${w}px`; canvas.style.height = `${height}px`; }
    const pen = canvas.getContext("2d"); pen.setTransform(ratio, 0, 0, ratio, 0, 0); pen.clearRect(0, 0, w, height);
    const paint = ink(), left = (c) => LEFT + CELL * c - x0;
    const from = Math.max(0, Math.floor(x0 / CELL) - 6), to = Math.min(h.latents.length, Math.ceil((x0 + w - LEFT) / CELL) + 1);
    const text = d.byIndex || (d.byIndex = new Map(d.tokens.map((t) => [t.index, t])));
    h.tokens.forEach((index, r) => {
      const t = text.get(index);
      pen.fillStyle = paint; pen.globalAlpha = s.token === index ? 1 : t.role === "output" ? 0.92 : 0.6; pen.textAlign = "right";
      pen.font = `${s.token === index ? "700 " : ""}12px ui-sans-serif, system-ui, sans-serif`;
      pen.fillText((t.text.trim() || "␣").slice(0, 14), LEFT - 8, HEAD + ROW * r + 15); pen.globalAlpha = 1;
    });
    pen.save(); pen.beginPath(); pen.rect(LEFT - 2, 0, w, height); pen.clip();
    h.tokens.forEach((_, r) => {
      for (let c = from; c < to; c++) { const [a, b, g] = S.strength(h.values[r][c]); pen.fillStyle = `rgb(${a},${b},${g})`; pen.fillRect(left(c), HEAD + ROW * r, CELL - 1, ROW - 1); }
    });
    pen.textAlign = "left"; pen.fillStyle = paint;
    for (let c = from; c < to; c++) {
      const id = h.latents[c], picked = s.picked.includes(id);
      pen.save(); pen.translate(left(c) + CELL / 2 + 3, HEAD - 14); pen.rotate(-Math.PI / 3);
      pen.globalAlpha = s.latent === id || picked ? 1 : 0.72;
      pen.font = `${s.latent === id ? "700 " : ""}12px ui-sans-serif, system-ui, sans-serif`;
      pen.fillText(`${picked ? "✓ " : ""}${S.label(d, id)}`.slice(0, 18), 0, 0); pen.restore();
    }
    let c = 0;
    pen.strokeStyle = paint; pen.lineWidth = 1.5; pen.globalAlpha = 0.75;
    for (const k of h.clusters) {
      const a = left(c) + 1, b = left(c + k.latents.length) - 3;
      if (b > 0 && a < w) { pen.beginPath(); pen.moveTo(a, HEAD - 4); pen.lineTo(a, HEAD - 8); pen.lineTo(b, HEAD - 8); pen.lineTo(b, HEAD - 4); pen.stroke(); }
      c += k.latents.length;
    }
    pen.globalAlpha = 1;
    const col = h.latents.indexOf(s.latent);
    if (col >= 0) for (const [style, width] of [["#fff", 3], ["#111", 1]]) { pen.strokeStyle = style; pen.lineWidth = width; pen.strokeRect(left(col) - 1, HEAD - 1, CELL + 1, ROW * h.tokens.length + 1); }
    pen.restore();
  }
  function chips(s) {
    const box = element.querySelector(".sp-clusters"), on = (k) => k.latents.every((id) => s.picked.includes(id));
    if (drawn === s.data.heatmap) { for (const b of box.children) b.setAttribute("aria-pressed", on(drawn.clusters[+b.dataset.cluster])); return; }
    drawn = s.data.heatmap;
    box.innerHTML = drawn.clusters.map((k, i) => {
      const names = [...new Set(k.latents.map((id) => S.label(s.data, id)))];
      return `<button type="button" class="sp-chip" data-cluster="${i}" aria-pressed="${on(k)}"><b>${k.id}</b> ${S.escape(names.slice(0, 3).join(", "))}${names.length > 3 ? " …" : ""} <small${S.means("cluster")}>${k.latents.length}</small></button>`;
    }).join("");
  }
  const again = () => { if (S.state.data && !waiting) waiting = requestAnimationFrame(() => { waiting = 0; draw(S.state); }); };
  scroll.addEventListener("scroll", again);
  addEventListener("resize", again);
  function reveal(c) {  // the keyboard's column comes into view
    const a = CELL * c, seen = scroll.clientWidth - LEFT - CELL;
    if (a < scroll.scrollLeft) scroll.scrollLeft = a; else if (a > scroll.scrollLeft + seen) scroll.scrollLeft = a - seen;
  }
  function under(e) {  // [row, column] of a point
    const r = canvas.getBoundingClientRect(), x = e.clientX - r.left;
    return [Math.floor((e.clientY - r.top - HEAD) / ROW), x < LEFT ? -1 : Math.floor((x + scroll.scrollLeft - LEFT) / CELL)];
  }
  canvas.addEventListener("pointermove", (e) => {
    const d = S.state.data; if (!d) return;
    const [y, c] = under(e), h = d.heatmap, id = h.latents[c], at = h.tokens[y];
    canvas.title = id === undefined ? "" : `${S.label(d, id)} #${id}${at === undefined ? "" : ` at “${d.byIndex.get(at).text.trim()}”: ${h.values[y][c].toFixed(2)} on its column's scale of 0 to 1. ${S.words.heatmap}`}`;
  });
  canvas.addEventListener("click", (e) => {
    const d = S.state.data; if (!d) return;
    const [y, c] = under(e), h = d.heatmap, change = {};
    if (y >= 0 && y < h.tokens.length) { change.token = h.tokens[y]; change.latent = null; }
    if (c >= 0 && c < h.latents.length) { change.latent = h.latents[c]; at = c; }
    if (Object.keys(change).length) S.set(change);
  });
  scroll.addEventListener("keydown", (e) => {
    const d = S.state.data; if (!d) return;
    const h = d.heatmap, row = h.tokens.indexOf(S.state.token);
    if (e.key === "ArrowRight" || e.key === "ArrowLeft") { at = at === null ? 0 : Math.min(Math.max(at + (e.key === "ArrowRight" ? 1 : -1), 0), h.latents.length - 1); e.preventDefault(); reveal(at); S.set({ latent: h.latents[at] }); }
    if (e.key === "ArrowDown" || e.key === "ArrowUp") { const next = Math.min(Math.max(row + (e.key === "ArrowDown" ? 1 : -1), 0), h.tokens.length - 1); e.preventDefault(); S.set({ token: h.tokens[next] }); }
    if (e.key === "Enter" && S.state.latent !== null) { e.preventDefault(); S.toggle([S.state.latent]); }
  });
  element.querySelector(".sp-clusters").addEventListener("click", (e) => {
    const b = e.target.closest("[data-cluster]"); if (!b) return;
    S.toggle(S.state.data.heatmap.clusters[+b.dataset.cluster].latents);
  });
  S.on(element, (s) => {
    element.classList.toggle("sp-busy", s.busy || !s.data);
    if (!s.data) return;
    draw(s); chips(s);
  });
  new MutationObserver(() => S.state.data && draw(S.state)).observe(document.body, { attributes: true, attributeFilter: ["class"] });
};
