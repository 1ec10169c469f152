// THE SAE: every latent at once, found by a word or a point, with what the index knows of it. Loaded when it's opened.
Scratchpad.sae = (element) => {
  const S = Scratchpad, server = element.server;
  element.innerHTML = `
    <section class="sp-panel sp-sae" aria-label="The SAE as a whole">
      <details><summary><h2>The SAE <span class="sp-of">every latent, found by a word or a point</span></h2></summary>
      <div class="sp-cols">
        <figure><canvas class="sp-scatter" tabindex="0" role="img" aria-label="Latents by sparsity and mean activation"></canvas>
          <figcaption class="sp-note">Each point a latent: how many of the index's images it fires on (across), how strongly where it does (up), both logarithmic; bright where its top images carry many labels. Arrow keys step through them.</figcaption></figure>
        <div><label class="sp-target">find <input type="text" class="sp-find" maxlength="80" placeholder="octopus"></label>
          ${S.png}<div class="sp-row sp-hits"></div><div class="sp-latent" aria-live="polite"></div></div>
      </div></details>
    </section>`;
  const q = (s) => element.querySelector(s), canvas = q(".sp-scatter");
  let all = null, chosen = null, spots = [];
  const log = (v, floor) => Math.log10(Math.max(v, floor));
  function draw() {
    if (!all || !all.ids.length) return;
    const w = canvas.clientWidth || 420, h = 300, ratio = window.devicePixelRatio || 1, pen = canvas.getContext("2d");
    canvas.width = w * ratio; canvas.height = h * ratio; pen.scale(ratio, ratio); pen.clearRect(0, 0, w, h);
    const left = 44, bottom = 30, right = 46, top = 40, most = Math.max(...all.mean, 1e-6), least = Math.max(1e-6, Math.min(...all.mean.filter((v) => v > 0), most));
    const floor = 0.5 / Math.max(1, all.images), x = (v) => left + (w - left - right) * (log(v, floor) - Math.log10(floor)) / -Math.log10(floor);
    const y = (v) => h - bottom - (h - bottom - top) * (log(v, least) - Math.log10(least)) / Math.max(1e-6, Math.log10(most) - Math.log10(least));
    const ink = getComputedStyle(q(".sp-sae")).getPropertyValue("--sp-quiet").trim() || "#666", high = Math.max(...all.entropy.map((e) => e ?? 0), 1e-6);
    pen.font = "12px ui-sans-serif, system-ui, sans-serif"; pen.fillStyle = ink; pen.strokeStyle = ink; pen.globalAlpha = 0.9;
    for (const v of [1, 0.1, 0.01]) if (v >= floor) pen.fillText(`${100 * v}%`, x(v) - 10, h - 10);
    pen.fillText(most.toPrecision(2), 4, y(most) + 4); pen.fillText(least.toPrecision(1), 4, y(least) + 4);
    spots = all.ids.map((id, i) => [x(all.sparsity[i]), y(all.mean[i]), id]);
    const across = new Array(40).fill(0), up = new Array(24).fill(0);  // the marginals
    for (const [sx, sy] of spots) { across[Math.min(39, Math.max(0, Math.floor(40 * (sx - left) / (w - left - right))))]++; up[Math.min(23, Math.max(0, Math.floor(24 * (sy - top) / (h - bottom - top))))]++; }
    pen.globalAlpha = 0.35;
    across.forEach((n, i) => { const t = 30 * n / Math.max(...across); pen.fillRect(left + i * (w - left - right) / 40, top - 6 - t, (w - left - right) / 40 - 1, t); });
    up.forEach((n, i) => { const t = 36 * n / Math.max(...up); pen.fillRect(w - right + 6, top + i * (h - bottom - top) / 24, t, (h - bottom - top) / 24 - 1); });
    pen.globalAlpha = 0.85;
    spots.forEach(([sx, sy, id], i) => { const [r, g, b] = S.strength(0.15 + 0.75 * (all.entropy[i] ?? 0) / high); pen.fillStyle = `rgb(${r},${g},${b})`; pen.beginPath(); pen.arc(sx, sy, id === chosen ? 6 : 3, 0, 7); pen.fill(); });
    const at = spots.find((s) => s[2] === chosen);
    pen.globalAlpha = 1;
    if (at) { pen.strokeStyle = ink; pen.lineWidth = 1.5; pen.beginPath(); pen.arc(at[0], at[1], 8, 0, 7); pen.stroke(); }
  }
  function bars(h) {
    const most = Math.max(...h, 1);
    return `<div class="sp-hist" role="img" aria-label="Histogram of activations"${S.means("histogram")}>${h.map((n) => `<i style="height:${(100 * Math.log1p(n) / Math.log1p(most)).toFixed(1)}%"></i>`).join("")}</div><p class="sp-note">activations on patches, from 2⁻⁶ to 2⁹, heights logarithmic</p>`;
  }
  async function show(id) {
    chosen = id; draw();
    const d = JSON.parse(await server.latent([S.choice(), id]));
    if (chosen !== id) return;
    if (d.error) { q(".sp-latent").innerHTML = `<p class="sp-error">${S.escape(d.error)}</p>`; return; }
    q(".sp-latent").innerHTML = `<p class="sp-verdict"><b>${S.escape(d.name || `latent ${id}`)}</b> <small>#${id}</small>${d.source ? ` <span class="sp-note">named after ${S.escape(d.source)}${d.auroc === null ? "" : `, <span${S.means("auroc")}>AUROC ${d.auroc.toFixed(2)}</span>`}</span>` : ""}</p>
      <p class="sp-note"><span${S.means("sparsity")}>fires on ${(100 * d.sparsity).toFixed(1)}% of images</span>, <span${S.means("mean")}>mean ${d.mean_activation.toPrecision(2)} where it does</span>${d.cluster === undefined ? "" : `, <button type="button" class="sp-link" data-group="${+d.cluster}">decoder cluster ${+d.cluster}</button>`}</p>
      <button type="button" class="sp-quiet" data-put="${id}">${S.state.picked.includes(id) ? "✓ in the test" : "put it in the test"}</button>
      <div class="sp-refs sp-many"></div>${d.histogram ? bars(d.histogram) : ""}
      ${d.neighbours ? `<p class="sp-kicker">Writes most alike (cosine of decoder rows)</p><div class="sp-row">${d.neighbours.map((n) => `<button type="button" class="sp-chip" data-show="${n.id}">${S.escape(n.name)} <small${S.means("cosine")}>${n.cosine.toFixed(2)}</small></button>`).join("")}</div>` : ""}`;
    if (element.naming) q(".sp-latent").insertAdjacentHTML("beforeend", `<form class="sp-target sp-naming"><label>name it <input type="text" maxlength="80" value="${S.escape(d.source === "user" ? d.name : "")}" placeholder="${S.escape(d.name || "a few words")}"></label> <button class="sp-quiet">${d.source === "user" ? "Rename" : "Name"}</button> <span class="sp-note"></span></form>`);
    for (const r of d.references) {
      const c = document.createElement("canvas"); c.title = r.labels; q(".sp-many").append(c);
      S.paint(c, { images: [r.src], sizes: [[96, 96]], tiles: [{ box: [0, 0, 96, 96], rows: r.rows, cols: r.cols }] }, Float32Array.from(atob(r.mask), (x) => x.charCodeAt(0) / 255), { width: 96, dim: 0.6 });
    }
  }
  element.addEventListener("submit", async (e) => {
    if (!e.target.closest(".sp-naming")) return;
    e.preventDefault();
    const told = JSON.parse(await server.rename([S.choice(), chosen, e.target.querySelector("input").value]));
    if (told.error) { e.target.querySelector(".sp-note").textContent = told.error; return; }
    if (S.state.data && S.state.data.latents[chosen]) { S.state.data.latents[chosen].name = told.name || `latent ${chosen}`; S.set({ more: S.state.more }); }
    show(chosen);
  });
  let waiting = 0;
  q(".sp-find").addEventListener("input", (e) => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const found = JSON.parse(await server.search([S.choice(), e.target.value]));
      if (found.error) { q(".sp-hits").innerHTML = `<p class="sp-error">${S.escape(found.error)}</p>`; return; }
      q(".sp-hits").innerHTML = found.latents.map((l) => `<button type="button" class="sp-chip" data-show="${l.id}">${S.escape(l.name)} <small>#${l.id}</small></button>`).join("") || (e.target.value.trim() ? `<p class="sp-note">No latent is named so.</p>` : "");
    }, 200);
  });
  function list(found, none, head = "") {
    q(".sp-hits").innerHTML = (head && found.length ? `<span class="sp-note">${head}</span> ` : "") + (found.map((l) => `<button type="button" class="sp-chip" data-show="${l.id}">${S.escape(l.name)} <small>#${l.id}</small></button>`).join("") || none);
  }
  element.addEventListener("click", async (e) => {
    const b = e.target.closest("[data-show]"), group = e.target.closest("[data-group]");
    if (b) show(+b.dataset.show);
    const pick = e.target.closest("[data-put]");
    if (pick && S.state.data && !S.state.kept) { S.toggle([+pick.dataset.put]); pick.textContent = S.state.picked.includes(+pick.dataset.put) ? "✓ in the test" : "put it in the test"; }
    if (group) list(JSON.parse(await server.search([S.choice(), +group.dataset.group])).latents || [], "", `decoder cluster ${+group.dataset.group}, what fires most first:`);
  });
  canvas.addEventListener("click", (e) => {
    const r = canvas.getBoundingClientRect(), px = e.clientX - r.left, py = e.clientY - r.top;
    const near = spots.reduce((a, s) => { const d = (s[0] - px) ** 2 + (s[1] - py) ** 2; return d < a[0] ? [d, s[2]] : a; }, [400, null]);
    if (near[1] !== null) show(near[1]);
  });
  canvas.addEventListener("keydown", (e) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
    if (!step || !all) return;
    e.preventDefault();
    const order = [...spots].sort((a, b) => a[0] - b[0]).map((s) => s[2]), at = order.indexOf(chosen);
    show(order[Math.min(Math.max(at + step, 0), order.length - 1)]);
  });
  let of = null;  // the choice whose latents are drawn
  async function fill() {
    if (!q("details").open || of === S.choice()) { draw(); return; }
    of = S.choice(); chosen = null; q(".sp-latent").innerHTML = ""; q(".sp-hits").innerHTML = "";
    all = JSON.parse(await server.overview(of));
    if (all.error) { q(".sp-latent").innerHTML = `<p class="sp-error">${S.escape(all.error)}</p>`; all = null; of = null; return; }
    if (!all.ids.length) q("figcaption").textContent = "This SAE has no index; scratchpad index makes one.";
    draw();
    if (S.state.latent !== null) show(S.state.latent);
  }
  q("details").addEventListener("toggle", fill);
  S.on(element, (s) => { if (s.data && of !== null && of !== S.choice()) fill(); });
  addEventListener("resize", draw);
  new MutationObserver(draw).observe(document.body, { attributes: true, attributeFilter: ["class"] });
};
