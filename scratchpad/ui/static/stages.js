// PROCESSING: how the picture becomes what a map is drawn over, step by step; for the VLM, or for a retrieval model and a query.
Scratchpad.stages = (element, trigger) => {
  const S = Scratchpad;
  element.innerHTML = `
    <section class="sp-panel sp-stages" aria-label="Processing">
      <details><summary><h2>Processing <span class="sp-of">how the picture becomes what a map is drawn over</span></h2></summary>
      <div class="sp-controls"><div class="sp-row" role="group" aria-label="Which model"></div>
        <form class="sp-target" hidden><label>look for <input type="text" maxlength="200"></label> <button class="sp-quiet">Show</button></form>${S.png}</div>
      <div class="sp-going"></div><div class="sp-failed" aria-live="polite"></div>
      <ol class="sp-steps"></ol>
      <div class="sp-cols sp-last" hidden>
        <figure class="sp-map"><canvas role="img" aria-label="The map of the chosen token"></canvas><figcaption><span class="sp-bar"><i></i><span class="sp-least">0</span><b class="sp-top"></b></span><span><b class="sp-step-no"></b> <span class="sp-what"></span></span></figcaption></figure>
        <div class="sp-side"><div class="sp-tokens"></div></div>
      </div></details>
    </section>`;
  const q = (s) => element.querySelector(s), box = q("details"), form = q("form"), names = { answer: "", page: "" };
  const going = S.going(q(".sp-going"), element.server, "stages"), failed = q(".sp-failed");
  let by = "answer", of = "", made = null, token = 0, asked = null, running = false;
  function ask(again) {
    const d = S.state.data;
    if (!d || d.kept || !box.open || running) return;  // one at a time; what was chosen meanwhile follows
    const key = `${d.key}/${by}/${by === "page" ? q("form input").value : ""}`;
    if (key === of && !again) return;
    of = key; made = null; running = true; failed.innerHTML = q(".sp-steps").innerHTML = ""; q(".sp-last").hidden = true;
    trigger("select", { by, query: q("form input").value.trim() || null, ticket: going.begin(), key: d.key, at: key });
  }
  function models() {
    q(".sp-controls .sp-row").innerHTML = Object.entries(names).filter(([, n]) => n).map(([k, n]) => `<button type="button" class="sp-chip" data-by="${k}" aria-pressed="${by === k}">${S.escape(n)}${k === "page" ? " <small>retrieval</small>" : ""}</button>`).join("");
    form.hidden = by !== "page";
  }
  function last() {
    const map = by === "page" ? made && made.cosines : null, d = S.state.data;
    q(".sp-last").hidden = !made || !made.stages;
    if (!made || !made.stages) return;
    q(".sp-bar").title = S.words[map ? "range" : "attention"];
    q(".sp-step-no").textContent = `${made.stages.length + 1}. The map.`;
    if (map) {
      q("canvas").classList.remove("sp-sheet");
      const n = map.length / made.tokens.length, values = map.subarray(token * n, (token + 1) * n), low = Math.min(...values), top = Math.max(...values);
      S.paint(q("canvas"), made.shot, Float32Array.from(values, (v) => (v - low) / Math.max(1e-9, top - low)));
      q(".sp-least").textContent = low.toFixed(2); q(".sp-top").textContent = top.toFixed(2);
      q(".sp-what").innerHTML = `${d.images.length > 1 ? "The first picture alone is looked at. " : ""}Cosine of query token <b>${S.shown(made.tokens[token].text)}</b> with every image token. <span${S.means("maxsim")}>The page's score for the whole query (MaxSim) is ${made.score.toFixed(2)}.</span> ${S.trust(S.state.pageTrust === undefined ? made.trust : S.state.pageTrust, "cosine")}`;
      const chips = (part) => made.tokens.map((t, i) => (t.part === part ? `<button type="button" class="sp-chip sp-${part === "query" ? "output" : "system"}" data-at="${i}" aria-pressed="${i === token}">${S.shown(t.text)}</button>` : "")).join("");
      q(".sp-tokens").innerHTML = `<p class="sp-kicker">Your words</p><div class="sp-row">${chips("query")}</div><details><summary>Prefix and augmentation tokens</summary><div class="sp-row">${chips("prefix")}${chips("augmentation")}</div></details>`;
      return;
    }
    const t = d.tokens.find((x) => x.index === S.state.token), values = t && d.row.has(t.index) ? S.attention(d, t.index) : null;
    let top = 0; if (values) for (const v of values) if (v > top) top = v;
    q("canvas").classList.toggle("sp-sheet", d.sizes.length > 1);
    S.paint(q("canvas"), d, values);
    q(".sp-least").textContent = "0"; q(".sp-top").textContent = `${(100 * top).toFixed(1)}%`;
    q(".sp-what").innerHTML = t ? `Attention of ${t.role} token <b>${S.shown(t.text)}</b>, shared out among the patches of each image token. Choose another token above. ${S.trust(d.trust, "attention")}` : "";
    q(".sp-tokens").innerHTML = `<p class="sp-note">What the encoder made of a patch (step 4) has every other patch mixed into it before the language model reads it (5), and again on the way out (6): a bright spot in a map is where a token stands, not what it was made of.</p>`;
  }
  element.told = (value) => {
    if (value.progress) { going.step(value.progress); return; }
    going.end(); running = false;
    const d = S.state.data, now = d && `${d.key}/${by}/${by === "page" ? q("form input").value : ""}`;
    if (now && now !== of) { ask(); return; }  // it was asked before another choice
    if (value.error) { failed.innerHTML = S.failure(value.error); return; }
    made = value;
    if (value.cosines) { made.shot = { images: [d.images[0]], sizes: [value.size], tiles: value.tiles }; made.cosines = new Float32Array(Uint8Array.from(atob(value.cosines), (c) => c.charCodeAt(0)).buffer); token = Math.max(0, made.tokens.findIndex((t) => t.part === "query")); }
    q(".sp-steps").innerHTML = value.stages.map((s, i) => `<li><figure><img src="${s.src}" alt=""><figcaption><b>${i + 1}. ${S.escape(s.title)}</b> ${S.escape(s.says)}</figcaption></figure></li>`).join("");
    last();
  };
  element.addEventListener("click", (e) => {
    const b = e.target.closest("[data-by]"), at = e.target.closest("[data-at]");
    if (b && b.dataset.by !== by) { by = b.dataset.by; models(); if (by === "page" && !q("form input").value) q("form input").value = S.state.data.tokens.filter((t) => t.role === "output").map((t) => t.text).join("").trim().slice(0, 200); ask(); }
    if (e.target.closest("[data-retry]")) ask(true);
    if (at) { token = +at.dataset.at; last(); }
  });
  form.addEventListener("submit", (e) => { e.preventDefault(); ask(); });
  box.addEventListener("toggle", () => ask());
  S.on(element, (s) => {
    element.hidden = !s.data || !!s.kept;
    if (!s.data || s.kept) return;
    if (asked !== s.data) { asked = s.data; names.answer = s.data.model || "the VLM"; names.page = s.data.retriever || ""; models(); if (!s.busy) ask(); }
    if (box.open && made) last();
  });
};
