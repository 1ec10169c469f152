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
          <p class="sp-mark"><button type="button" class="sp-quiet" data-mark aria-pressed="false" title="Limits tests to a part of the picture: drag over it, or choose a patch and extend with Shift and the arrow keys">Mark a region</button> <span></span> <label class="sp-whole" hidden></label></p>
        </div>
      </div>
    </section>`;
  const q = (s) => element.querySelector(s), canvas = q("canvas");
  const HIGHEST = 460;  // px of the map on the page
  const dropped = () => (S.state.region ? { region: null, image: null } : {});  // a picture that was chosen as a whole stays chosen
  const imageOf = (i) => (S.state.data.sizes.length > 1 ? i : null);  // of one picture nothing is said
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
    const [t, , row, col] = S.tileOf(d, s.patch), of = pictureOf(d, s.patch), tiles = d.tiles.filter((other) => (other.image || 0) === of), rows = S.ofPatch(d, s.patch).slice(0, 8);
    q(".sp-patch").innerHTML = `<p class="sp-kicker">Patch at row ${row}, column ${col}${tiles.length > 1 ? `, tile ${tiles.indexOf(t)}` : ""}${pictured(d, of)}</p><ul class="sp-list">${rows.map((l) =>
      `<li><button type="button" class="sp-link" data-latent="${l.id}" aria-pressed="${s.latent === l.id}">${S.escape(S.label(d, l.id))} <small>#${l.id}</small></button><span class="sp-meter" style="--v:${(l.value / rows[0].value).toFixed(3)}"></span><span class="sp-num"${S.means("activation")}>${l.value.toFixed(2)}</span></li>`).join("")}</ul>`;
  }
  const pictured = (d, image) => (d.sizes.length > 1 ? ` of picture ${image + 1}` : "");
  const pictureOf = (d, p) => S.tileOf(d, p)[0].image || 0;
  const boxOf = (d, p) => S.onSheet(d, pictureOf(d, p), S.patchBox(d, p));
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
    const key = `${d.key}/${s.token}/${s.latent}/${s.patch}/${s.region}/${s.image}`, [high, wide] = S.sheet(d).size;
    const box = s.region ? S.onSheet(d, s.image || 0, s.region) : s.patch !== null ? boxOf(d, s.patch) : s.image !== null ? S.sheet(d).places[s.image] : null;
    if (key !== painted) { painted = key; canvas.style.maxWidth = `${HIGHEST * wide / high}px`; canvas.classList.toggle("sp-sheet", d.sizes.length > 1); S.paint(canvas, d, values, { box }); }
    const mark = q("[data-mark]");
    q(".sp-mark").hidden = !!s.kept;
    mark.setAttribute("aria-pressed", s.marking); mark.textContent = s.marking ? "Drag over the picture" : s.region ? "Clear the region" : "Mark a region";
    q(".sp-mark span").textContent = s.region ? `Tests act inside rows ${s.region[0]}–${s.region[2]}, columns ${s.region[1]}–${s.region[3]} px${pictured(d, s.image || 0)}.` : "";
    const whole = q(".sp-whole");
    whole.hidden = d.sizes.length < 2 || !!s.region;
    if (whole.of !== d.sizes) whole.innerHTML = `Tests act on <select data-image aria-label="Which pictures tests act on"><option value="">all pictures</option>${d.sizes.map((_, i) => `<option value="${i}">picture ${i + 1}</option>`).join("")}</select>`;
    whole.of = d.sizes;
    whole.querySelector("select").value = s.image === null ? "" : String(s.image);
    whole.querySelector("select").disabled = !!s.kept;
    canvas.style.touchAction = s.marking ? "none" : "";
  }
  // Where a pointer is, in the pixels of the picture it's over or, with `image`, of that one.
  const point = (e, image = null) => {
    const d = S.state.data, r = canvas.getBoundingClientRect(), [high, wide] = S.sheet(d).size;
    return S.inPicture(d, (e.clientX - r.left) / r.width * wide, (e.clientY - r.top) / r.height * high, image);
  };
  let from = null;
  canvas.addEventListener("pointerdown", (e) => { if (S.state.marking && S.state.data) { from = point(e); canvas.setPointerCapture(e.pointerId); e.preventDefault(); } });
  canvas.addEventListener("pointermove", (e) => {
    if (!from) return;
    const to = point(e, from.image), ends = [Math.min(from.y, to.y), Math.min(from.x, to.x), Math.max(from.y, to.y), Math.max(from.x, to.x)];
    S.set({ region: ends.map(Math.round), image: imageOf(from.image) });
  });
  canvas.addEventListener("pointerup", () => {
    if (!from) return;
    from = null;
    const g = S.state.region, small = !g || g[2] - g[0] < 4 || g[3] - g[1] < 4;
    S.set(small ? { marking: false, ...dropped() } : { marking: false });
  });
  element.addEventListener("click", (e) => {
    const stop = e.target.closest("[data-stop]");
    if (stop) { stop.disabled = true; stop.textContent = "Stopping…"; element.server.stop(S.ticket("ask")); return; }
    if (e.target.closest("[data-mark]")) { S.set(S.state.region ? { ...dropped(), marking: false } : { marking: !S.state.marking, patch: null }); return; }
    const token = e.target.closest("[data-token]"), latent = e.target.closest("[data-latent]");
    if (token) S.set({ token: +token.dataset.token, latent: null, more: 12 });
    if (latent) { const id = +latent.dataset.latent; S.set({ latent: S.state.latent === id ? null : id }); }
  });
  canvas.addEventListener("click", (e) => {
    const d = S.state.data; if (!d || S.state.region || S.state.marking) return;
    const at = point(e), found = at.hit ? S.patchAt(d, at.image, at.y, at.x) : null;
    anchor = null;
    if (found !== null) S.set({ patch: S.state.patch === found ? null : found });
  });
  canvas.addEventListener("keydown", (e) => {
    const d = S.state.data, step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[e.key];
    if (!d) return;
    if (e.key === "Escape") { anchor = null; S.set({ patch: null, ...dropped(), marking: false }); return; }
    if (!step) return;
    e.preventDefault();
    const p = S.state.patch === null ? 0 : S.state.patch, next = S.state.patch === null ? 0 : inTile(d, p, step) ?? beside(d, p, step, e.shiftKey);
    if (next === null) return;
    const here = pictureOf(d, next);
    if (!e.shiftKey) anchor = null;
    else if (anchor === null || !S.state.region || pictureOf(d, anchor) !== here) anchor = pictureOf(d, p) === here ? p : next;  // a new region
    const [a, b] = [S.patchBox(d, anchor ?? next), S.patchBox(d, next)], lo = (i) => Math.round(Math.min(a[i], b[i])), hi = (i) => Math.round(Math.max(a[i], b[i]));
    S.set(anchor === null ? { patch: next, ...dropped() } : { patch: next, region: [lo(0), lo(1), hi(2), hi(3)], image: imageOf(here) });
  });
  function inTile(d, p, [down, right]) {
    const [t, , row, col] = S.tileOf(d, p), r = row + down, c = col + right;
    return r < 0 || r >= t.rows || c < 0 || c >= t.cols ? null : p + down * t.cols + right;
  }
  // The next patch on the sheet in a direction, over the gap to another picture too unless that would take a region along.
  function beside(d, p, [down, right], within) {
    const [x, y, w, h] = boxOf(d, p), own = pictureOf(d, p), [high, wide] = S.sheet(d).size, far = 0.05 * Math.max(high, wide);
    for (const [dx, dy] of [[w * right, h * down], [(w / 2 + far) * right, (h / 2 + far) * down]]) {
      const at = S.inPicture(d, x + w / 2 + dx, y + h / 2 + dy);
      if (at.hit && (!within || at.image === own)) { const found = S.patchAt(d, at.image, at.y, at.x); if (found !== null && found !== p) return found; }
    }
    return null;
  }
  element.addEventListener("change", (e) => { if (e.target.matches("[data-image]")) S.set({ image: e.target.value === "" ? null : +e.target.value }); });
  S.on(element, (s) => {
    element.classList.toggle("sp-busy", s.busy || !s.data);
    const stop = q("[data-stop]");
    stop.hidden = !element.server || !s.data;
    if (!s.busy) { stop.disabled = false; stop.textContent = "Cancel"; }
    if (!s.data) return;
    if (drawn !== s.data) { drawn = s.data; anchor = null; q(".sp-answer").textContent = s.data.answer || "(nothing)"; q(".sp-foreign").hidden = !s.data.note; q(".sp-foreign").textContent = s.data.note || ""; }
    const focus = document.activeElement && element.contains(document.activeElement) ? document.activeElement.dataset.token || document.activeElement.dataset.latent : null;
    tokens(s); patch(s); map(s);
    if (focus) { const again = q(`[data-token="${focus}"],[data-latent="${focus}"]`); if (again) again.focus({ preventScroll: true }); }
  });
};
