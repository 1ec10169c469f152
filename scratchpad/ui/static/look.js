// LOOK: the answer and every token as chips, the picture under the chosen map, the latents of a chosen patch.
Scratchpad.look = (element) => {
  const S = Scratchpad;
  element.innerHTML = `
    <section class="sp-look" aria-label="Look">
      <div class="sp-said">${S.png}<p class="sp-kicker">Answer</p><p class="sp-answer" aria-live="polite"></p><p class="sp-note sp-wait"><span role="status">Asking the model…</span> <button type="button" class="sp-quiet" data-stop>Cancel</button></p><p class="sp-note sp-foreign" hidden></p></div>
      <div class="sp-cols">
        <figure class="sp-map">
          <canvas tabindex="0" role="img"></canvas>
          <figcaption><span class="sp-bar"><i></i><span>0</span><b class="sp-top"></b></span><span class="sp-what"></span></figcaption>
        </figure>
        <div class="sp-side">
          <div class="sp-tokens"></div>
          <div class="sp-patch"></div>
          <p class="sp-mark"><button type="button" class="sp-quiet" data-mark aria-pressed="false" title="Limits tests to a part of the picture: drag over it, or choose a patch and extend with Shift and the arrow keys">Mark a region</button> <span></span></p>
        </div>
      </div>
    </section>`;
  const q = (s) => element.querySelector(s), canvas = q("canvas");
  let drawn = null, painted = "", anchor = null;

  const chip = (t, s, extra = "") => `<button type="button" class="sp-chip sp-${t.role}" data-token="${t.index}" aria-pressed="${s.token === t.index && s.latent === null}"
    title="${t.logprob === null ? t.role + " token" : `log-probability ${t.logprob.toFixed(2)}. ${S.words.logprob}`}">${S.shown(t.text)}${extra}</button>`;

  function tokens(s) {
    const d = s.data, part = (role) => d.tokens.filter((t) => t.role === role).map((t) => chip(t, s)).join("");
    q(".sp-tokens").innerHTML = `
      <p class="sp-kicker">Answer tokens</p><div class="sp-row">${part("output") || "<em>none</em>"}</div>
      <p class="sp-kicker">Your question</p><div class="sp-row">${part("prompt")}</div>
      <details><summary>System and template tokens</summary><div class="sp-row">${part("system")}</div></details>`;
  }
  function patch(s) {
    const d = s.data;
    if (s.patch === null) { q(".sp-patch").innerHTML = `<p class="sp-note">Choose a token to see where it looked. Click a patch of the picture to list its concepts.</p>`; return; }
    const [tile, row, col] = place(d, s.patch), rows = S.ofPatch(d, s.patch).slice(0, 8);
    q(".sp-patch").innerHTML = `<p class="sp-kicker">Patch at row ${row}, column ${col}${d.tiles.length > 1 ? `, tile ${tile}` : ""}</p><ul class="sp-list">${rows.map((l) =>
      `<li><button type="button" class="sp-link" data-latent="${l.id}" aria-pressed="${s.latent === l.id}">${S.escape(S.label(d, l.id))} <small>#${l.id}</small></button><span class="sp-meter" style="--v:${(l.value / rows[0].value).toFixed(3)}"></span><span class="sp-num"${S.means("activation")}>${l.value.toFixed(2)}</span></li>`).join("")}</ul>`;
  }
  function place(d, p) { let i = 0; for (const t of d.tiles) { const n = t.rows * t.cols; if (p < n) return [i, Math.floor(p / t.cols), p % t.cols]; p -= n; i++; } return [0, 0, 0]; }
  function boxOf(d, p) {
    let i = p;
    for (const t of d.tiles) {
      const n = t.rows * t.cols;
      if (i < n) { const [y0, x0, y1, x1] = t.box, ch = (y1 - y0) / t.rows, cw = (x1 - x0) / t.cols; return [x0 + (i % t.cols) * cw, y0 + Math.floor(i / t.cols) * ch, cw, ch]; }
      i -= n;
    }
    return null;
  }
  function map(s) {
    const d = s.data, latent = s.latent !== null, values = latent ? S.firing(d, s.latent) : s.token !== null && d.row.has(s.token) ? S.attention(d, s.token) : null;
    let top = 0; if (values) for (const v of values) if (v > top) top = v;
    const token = d.tokens.find((t) => t.index === s.token);
    const what = latent ? `Where <b>${S.escape(S.label(d, s.latent))}</b> #${s.latent} fires: its activation on each patch. ${S.trust(d.conceptTrust, "sae-attention", d.kept)}`
      : token ? `Attention of ${token.role} token <b>${S.shown(token.text)}</b>: ${token.role === "output" ? "the row of the position that predicts it" : "the row of its own position"}, mean over heads and layers. ${S.trust(d.trust, "attention", d.kept)}` : "";
    q(".sp-what").innerHTML = top > 0 || latent ? what : `${what} It comes before the image and can't see it.`;
    q(".sp-bar").title = S.words[latent ? "activation" : "attention"];
    q(".sp-top").textContent = latent ? top.toFixed(2) : `${(100 * top).toFixed(1)}%`;
    canvas.setAttribute("aria-label", (latent ? `Map of latent ${s.latent}` : `Attention map of token ${token ? token.text : ""}`) + ". Arrow keys choose a patch.");
    const key = `${d.key}/${s.token}/${s.latent}/${s.patch}/${s.region}`;
    const box = s.region ? [s.region[1], s.region[0], s.region[3] - s.region[1], s.region[2] - s.region[0]] : s.patch === null ? null : boxOf(d, s.patch);
    if (key !== painted) { painted = key; S.paint(canvas, d.image, d.size, d.tiles, values, { box }); }
    const mark = q("[data-mark]");
    q(".sp-mark").hidden = !!s.kept;
    mark.setAttribute("aria-pressed", s.marking); mark.textContent = s.marking ? "Drag over the picture" : s.region ? "Clear the region" : "Mark a region";
    q(".sp-mark span").textContent = s.region ? `Tests act inside rows ${s.region[0]}–${s.region[2]}, columns ${s.region[1]}–${s.region[3]} px.` : "";
    canvas.style.touchAction = s.marking ? "none" : "";
  }
  const point = (e) => {
    const d = S.state.data, r = canvas.getBoundingClientRect(), inside = (v, most) => Math.round(Math.min(Math.max(v, 0), 1) * most);
    return [inside((e.clientY - r.top) / r.height, d.size[0]), inside((e.clientX - r.left) / r.width, d.size[1])];
  };
  let from = null;
  canvas.addEventListener("pointerdown", (e) => { if (S.state.marking && S.state.data) { from = point(e); canvas.setPointerCapture(e.pointerId); e.preventDefault(); } });
  canvas.addEventListener("pointermove", (e) => {
    if (!from) return;
    const to = point(e);
    S.set({ region: [Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.max(from[0], to[0]), Math.max(from[1], to[1])] });
  });
  canvas.addEventListener("pointerup", () => {
    if (!from) return;
    from = null;
    const g = S.state.region, small = !g || g[2] - g[0] < 4 || g[3] - g[1] < 4;
    S.set({ marking: false, region: small ? null : g });
  });
  element.addEventListener("click", (e) => {
    const stop = e.target.closest("[data-stop]");
    if (stop) { stop.disabled = true; stop.textContent = "Stopping…"; element.server.stop(S.ticket("ask")); return; }
    if (e.target.closest("[data-mark]")) { S.set(S.state.region ? { region: null, marking: false } : { marking: !S.state.marking, patch: null }); return; }
    const token = e.target.closest("[data-token]"), latent = e.target.closest("[data-latent]");
    if (token) S.set({ token: +token.dataset.token, latent: null, more: 12 });
    if (latent) { const id = +latent.dataset.latent; S.set({ latent: S.state.latent === id ? null : id }); }
  });
  canvas.addEventListener("click", (e) => {
    const d = S.state.data; if (!d || S.state.region || S.state.marking) return;
    const r = canvas.getBoundingClientRect(), x = (e.clientX - r.left) / r.width * d.size[1], y = (e.clientY - r.top) / r.height * d.size[0];
    let p = 0;
    for (const t of d.tiles) {
      const [y0, x0, y1, x1] = t.box, row = Math.floor((y - y0) / (y1 - y0) * t.rows), col = Math.floor((x - x0) / (x1 - x0) * t.cols);
      if (row >= 0 && row < t.rows && col >= 0 && col < t.cols) { const found = p + row * t.cols + col; S.set({ patch: S.state.patch === found ? null : found }); return; }
      p += t.rows * t.cols;
    }
  });
  canvas.addEventListener("keydown", (e) => {
    const d = S.state.data, step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[e.key];
    if (!d) return;
    if (e.key === "Escape") { anchor = null; S.set({ patch: null, region: null, marking: false }); return; }
    if (!step) return;
    e.preventDefault();
    const t = d.tiles[0], p = S.state.patch === null ? 0 : S.state.patch, row = Math.floor(p / t.cols) + step[0], col = p % t.cols + step[1];
    if (row < 0 || row >= t.rows || col < 0 || col >= t.cols) return;
    const next = S.state.patch === null ? 0 : row * t.cols + col;
    anchor = e.shiftKey ? anchor ?? p : null;
    const [a, b] = [boxOf(d, anchor ?? next), boxOf(d, next)], lo = (i) => Math.round(Math.min(a[i], b[i])), hi = (i) => Math.round(Math.max(a[i] + a[i + 2], b[i] + b[i + 2]));
    S.set({ patch: next, region: anchor === null ? null : [lo(1), lo(0), hi(1), hi(0)] });
  });
  S.on(element, (s) => {
    element.classList.toggle("sp-busy", s.busy || !s.data);
    const stop = q("[data-stop]");
    stop.hidden = !element.server || !s.data;
    if (!s.busy) { stop.disabled = false; stop.textContent = "Cancel"; }
    if (!s.data) return;
    if (drawn !== s.data) { drawn = s.data; q(".sp-answer").textContent = s.data.answer || "(nothing)"; q(".sp-foreign").hidden = !s.data.note; q(".sp-foreign").textContent = s.data.note || ""; }
    const focus = document.activeElement && element.contains(document.activeElement) ? document.activeElement.dataset.token || document.activeElement.dataset.latent : null;
    tokens(s); patch(s); map(s);
    if (focus) { const again = q(`[data-token="${focus}"],[data-latent="${focus}"]`); if (again) again.focus({ preventScroll: true }); }
  });
};
