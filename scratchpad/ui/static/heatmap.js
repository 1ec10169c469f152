// HEATMAP: tokens x latents, each column scaled to its own 0 .. 1; clusters bracketed; one canvas, so that size costs nothing.
Scratchpad.heatmap = (element) => {
  const S = Scratchpad, CELL = 20, ROW = 22, HEAD = 132, LEFT = 104;
  element.innerHTML = `
    <section class="sp-panel" aria-label="Token-latent heatmap">
      <header><h2>Heatmap <span class="sp-of">which token drew on which concept</span></h2>
      <span class="sp-bar"><i></i><span>column's least</span><b>most</b></span></header>
      <div class="sp-scroll" tabindex="0" role="group" aria-label="Heatmap of tokens by latents. Arrow keys move, Enter puts the latent in the test."><canvas role="img"></canvas></div>
      <div class="sp-clusters" aria-label="Clusters"></div>
      <p class="sp-note">Columns whose activations rise and fall together across tokens stand together (1 − Pearson, average linkage). Choose a column for its concept, a cluster to test it as one.</p>
    </section>`;
  const canvas = element.querySelector("canvas"), scroll = element.querySelector(".sp-scroll");
  let at = null;
  const ink = () => getComputedStyle(element.querySelector(".sp-panel")).getPropertyValue("--sp-ink").trim() || "#222";
  function draw(s) {
    const d = s.data, h = d.heatmap, ratio = window.devicePixelRatio || 1;
    const w = LEFT + CELL * h.latents.length + 70, height = HEAD + ROW * h.tokens.length + 8;
    canvas.width = w * ratio; canvas.height = height * ratio; canvas.style.width = `${w}px`; canvas.style.height = `${height}px`;
    const pen = canvas.getContext("2d"); pen.scale(ratio, ratio); pen.font = "12px ui-sans-serif, system-ui, sans-serif";
    const paint = ink();
    h.tokens.forEach((index, r) => {
      const t = d.tokens.find((x) => x.index === index);
      pen.fillStyle = paint; pen.globalAlpha = s.token === index ? 1 : t.role === "output" ? 0.92 : 0.6; pen.textAlign = "right";
      pen.font = `${s.token === index ? "700 " : ""}12px ui-sans-serif, system-ui, sans-serif`;
      pen.fillText((t.text.trim() || "␣").slice(0, 14), LEFT - 8, HEAD + ROW * r + 15); pen.globalAlpha = 1;
      h.latents.forEach((id, c) => { const [a, b, g] = S.strength(h.values[r][c]); pen.fillStyle = `rgb(${a},${b},${g})`; pen.fillRect(LEFT + CELL * c, HEAD + ROW * r, CELL - 1, ROW - 1); });
    });
    pen.textAlign = "left"; pen.font = "12px ui-sans-serif, system-ui, sans-serif";
    h.latents.forEach((id, c) => {
      pen.save(); pen.translate(LEFT + CELL * c + CELL / 2 + 3, HEAD - 14); pen.rotate(-Math.PI / 3);
      pen.fillStyle = paint; pen.globalAlpha = s.latent === id || s.picked.includes(id) ? 1 : 0.72;
      pen.font = `${s.latent === id ? "700 " : ""}12px ui-sans-serif, system-ui, sans-serif`;
      pen.fillText(`${s.picked.includes(id) ? "✓ " : ""}${S.label(d, id)}`.slice(0, 18), 0, 0); pen.restore();
    });
    let c = 0;
    pen.strokeStyle = paint; pen.lineWidth = 1.5;
    for (const k of h.clusters) {
      const x0 = LEFT + CELL * c + 1, x1 = LEFT + CELL * (c + k.latents.length) - 3;
      pen.globalAlpha = 0.75; pen.beginPath(); pen.moveTo(x0, HEAD - 4); pen.lineTo(x0, HEAD - 8); pen.lineTo(x1, HEAD - 8); pen.lineTo(x1, HEAD - 4); pen.stroke(); pen.globalAlpha = 1;
      c += k.latents.length;
    }
    const col = h.latents.indexOf(s.latent);
    if (col >= 0) { pen.strokeStyle = "#fff"; pen.lineWidth = 3; pen.strokeRect(LEFT + CELL * col - 1, HEAD - 1, CELL + 1, ROW * h.tokens.length + 1); pen.strokeStyle = "#111"; pen.lineWidth = 1; pen.strokeRect(LEFT + CELL * col - 1, HEAD - 1, CELL + 1, ROW * h.tokens.length + 1); }
    canvas.setAttribute("aria-label", `${h.tokens.length} tokens by ${h.latents.length} latents in ${h.clusters.length} clusters`);
  }
  canvas.addEventListener("click", (e) => {
    const d = S.state.data; if (!d) return;
    const r = canvas.getBoundingClientRect(), c = Math.floor((e.clientX - r.left - LEFT) / CELL), y = Math.floor((e.clientY - r.top - HEAD) / ROW);
    const h = d.heatmap, change = {};
    if (y >= 0 && y < h.tokens.length) { change.token = h.tokens[y]; change.latent = null; }
    if (c >= 0 && c < h.latents.length) { change.latent = h.latents[c]; at = c; }
    if (Object.keys(change).length) S.set(change);
  });
  scroll.addEventListener("keydown", (e) => {
    const d = S.state.data; if (!d) return;
    const h = d.heatmap, row = h.tokens.indexOf(S.state.token);
    if (e.key === "ArrowRight" || e.key === "ArrowLeft") { at = at === null ? 0 : Math.min(Math.max(at + (e.key === "ArrowRight" ? 1 : -1), 0), h.latents.length - 1); e.preventDefault(); S.set({ latent: h.latents[at] }); }
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
    draw(s);
    element.querySelector(".sp-clusters").innerHTML = s.data.heatmap.clusters.map((k, i) => {
      const names = [...new Set(k.latents.map((id) => S.label(s.data, id)))];
      return `<button type="button" class="sp-chip" data-cluster="${i}" aria-pressed="${k.latents.every((id) => s.picked.includes(id))}"><b>${k.id}</b> ${S.escape(names.slice(0, 3).join(", "))}${names.length > 3 ? " …" : ""} <small>${k.latents.length}</small></button>`;
    }).join("");
  });
  new MutationObserver(() => S.state.data && draw(S.state)).observe(document.body, { attributes: true, attributeFilter: ["class"] });
};
