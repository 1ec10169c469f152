// LAYERS: the same question, read at every layer that an SAE is offered for: position and colour early, things late.
Scratchpad.layers = (element, trigger) => {
  const S = Scratchpad;
  element.innerHTML = `
    <section class="sp-panel sp-layers" aria-label="Layers">
      <details><summary><h2>Layers <span class="sp-of">the same answer's concepts, layer by layer</span></h2></summary>
      <div class="sp-going"></div><div class="sp-failed" aria-live="polite"></div><div class="sp-depth"></div></details>
    </section>`;
  const q = (s) => element.querySelector(s), box = q("details"), going = S.going(q(".sp-going"), element.server, "layers"), failed = q(".sp-failed");
  let of = "";
  function ask() {
    const d = S.state.data, key = d && d.key.split("/").slice(2).join("/");
    if (!d || d.kept || !box.open || key === of) return;
    of = key; failed.innerHTML = q(".sp-depth").innerHTML = "";
    trigger("select", { ticket: going.begin(), key: d.key });
  }
  element.told = (value) => {
    if (value.progress) { going.step(value.progress); return; }
    going.end();
    if (value.error) { failed.innerHTML = S.failure(value.error); return; }
    q(".sp-depth").innerHTML = value.layers.map((l) => `<div class="sp-layer"><p><b>Layer ${l.layer}</b> of 0–${value.blocks - 1}<br><span class="sp-note">${S.escape(l.sae)}${l.explained === null ? "" : `, <span${S.means("explained")}>explains ${(100 * l.explained).toFixed(0)}% here</span>`}</span><br><span class="sp-note">${S.trust(l.trust, "sae-attention", true)}</span></p>
      <div class="sp-row">${l.latents.map((r) => `<figure><img src="${r.src}" alt="Where ${S.escape(r.name)} fires"><figcaption><b>${S.escape(r.name)}</b> <small>#${r.id}</small><br><span class="sp-num"${S.means("score")}>${r.score.toPrecision(2)}</span></figcaption></figure>`).join("") || "<p class='sp-note'>nothing but what fires nearly everywhere</p>"}</div></div>`).join("")
      + `<p class="sp-note">The six concepts that the answer's attention weighs most at each layer; those that fire on more than half of the reference pictures are left out.</p>`;
  };
  element.addEventListener("click", (e) => { if (e.target.closest("[data-retry]")) { of = ""; ask(); } });
  box.addEventListener("toggle", ask);
  S.on(element, (s) => { element.hidden = !s.data || !!s.kept; if (!s.busy) ask(); });
};
