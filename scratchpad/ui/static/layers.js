// LAYERS: the same question, read at every layer that an SAE is offered for: position and colour early, things late.
Scratchpad.layers = (element, trigger) => {
  const S = Scratchpad;
  element.innerHTML = `
    <section class="sp-panel sp-layers" aria-label="Layers">
      <details><summary><h2>Layers <span class="sp-of">the same answer's concepts, layer by layer</span></h2></summary>
      <p class="sp-note sp-stage-wait" role="status"></p><div class="sp-depth"></div></details>
    </section>`;
  const q = (s) => element.querySelector(s), box = q("details");
  let of = "";
  function ask() {
    const d = S.state.data, key = d && `${d.image.length}/${d.key.split("/").slice(2).join("/")}`;
    if (!d || d.kept || !box.open || key === of) return;
    of = key; q(".sp-stage-wait").textContent = "Asking the model…"; q(".sp-depth").innerHTML = "";
    trigger("select", { ticket: S.next(), key });
  }
  element.told = (value) => {
    if (value.progress) { q(".sp-stage-wait").textContent = value.progress.of ? `Layer ${value.progress.done + 1} of ${value.progress.of}…` : "Asking the model…"; return; }
    if (value.error) { of = ""; q(".sp-stage-wait").innerHTML = `<span class="sp-error">${S.escape(value.error)}</span>`; return; }
    q(".sp-stage-wait").textContent = "";
    q(".sp-depth").innerHTML = value.layers.map((l) => `<div class="sp-layer"><p><b>Layer ${l.layer}</b> of 0–${value.blocks - 1}<br><span class="sp-note">${S.escape(l.sae)}${l.explained === null ? "" : `, explains ${(100 * l.explained).toFixed(0)}% here`}</span></p>
      <div class="sp-row">${l.latents.map((r) => `<figure><img src="${r.src}" alt="Where ${S.escape(r.name)} fires"><figcaption><b>${S.escape(r.name)}</b> <small>#${r.id}</small><br>${r.score.toPrecision(2)}</figcaption></figure>`).join("") || "<p class='sp-note'>nothing but what fires nearly everywhere</p>"}</div></div>`).join("")
      + `<p class="sp-note">The six concepts that the answer's attention weighs most at each layer; those that fire on more than half of the reference pictures are left out.</p>`;
  };
  box.addEventListener("toggle", ask);
  S.on(element, (s) => { element.hidden = !s.data || !!s.kept; if (!s.busy) ask(); });
};
