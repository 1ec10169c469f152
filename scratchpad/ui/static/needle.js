// NEEDLE: which map finds what it should? What was measured of this model, and a small sweep live.
Scratchpad.needle = (element, trigger) => {
  const S = Scratchpad;
  element.innerHTML = `
    <section class="sp-panel sp-needle" aria-label="Needle">
      <details><summary><h2>Needle <span class="sp-of">which map finds what it should?</span></h2></summary>
      <p class="sp-note sp-text">A grid of cells, one of them the needle, planted in every cell in turn. A map is right when its brightest cell is the needle's.</p>
      <div class="sp-controls">
        <label class="sp-target">model <select data-of="by"></select></label>
        <label class="sp-target">data set <select data-of="dataset"></select></label>
        <label class="sp-target">cells <input type="text" size="5" value="7x7" data-of="cells"></label>
        <button type="button" class="sp-go" data-measure>Measure</button>${S.png}
      </div>
      <fieldset class="sp-methods"><legend class="sp-kicker">maps</legend></fieldset>
      <div class="sp-going"></div>
      <div class="sp-found" aria-live="polite"></div>
      <div class="sp-before"></div></details>
    </section>`;
  const q = (s) => element.querySelector(s), box = q("details"), going = S.going(q(".sp-going"), element.server, "needle"), of = (n) => q(`[data-of=${n}]`);
  let known = null, choice = null, running = false;
  const percent = (v) => `${(100 * v).toFixed(0)}%`;
  async function fill(wanted) {
    if (!box.open || S.state.kept) return;
    choice = S.choice();
    const by = typeof wanted === "string" ? wanted : of("by").value || "answer";
    known = JSON.parse(await element.server.measured([choice, by]));
    if (known.error) { q(".sp-found").innerHTML = `<p class="sp-error" role="alert">${S.escape(known.error)}</p>`; return; }
    if (of("by").childElementCount !== known.models.length || of("by").options[0].textContent !== known.models[0]) of("by").innerHTML = known.models.map((n, i) => `<option value="${i ? "page" : "answer"}">${S.escape(n)}${i ? " (retrieval)" : ""}</option>`).join("");
    of("by").value = by;
    if (!of("dataset").childElementCount) of("dataset").innerHTML = known.datasets.map((d) => `<option${d === "single-word" ? " selected" : ""}>${d}</option>`).join("");
    const first = [known.usual, "cosine", "gradient-input", "random"];
    q(".sp-methods").innerHTML = `<legend class="sp-kicker">maps</legend>${known.methods.map((m) => `<label class="sp-switch"><input type="checkbox" value="${m}"${first.includes(m) ? " checked" : ""}> ${m}</label>`).join("")}`;
    table(known.before);
  }
  function table(before) {
    const methods = Object.keys(before);
    if (!methods.length) { q(".sp-before").innerHTML = `<p class="sp-note">Nothing was measured of this model before.</p>`; return; }
    const sets = known.datasets.filter((d) => methods.some((m) => before[m][d] !== undefined));
    const mean = (m) => Object.values(before[m]).reduce((a, b) => a + b, 0) / sets.length;
    q(".sp-before").innerHTML = `<p class="sp-kicker">Measured of this model: how often the map finds the needle</p><div class="sp-scroll" tabindex="0" role="group" aria-label="Accuracy of every map"><table><thead><tr><th scope="col">map</th>${sets.map((d) => `<th scope="col">${d}</th>`).join("")}</tr></thead><tbody>${methods.sort((a, b) => mean(b) - mean(a)).map((m) => `<tr><th scope="row">${m}</th>${sets.map((d) => before[m][d] === undefined ? "<td>–</td>" : `<td><span class="sp-meter" style="--v:${before[m][d].toFixed(3)}"></span><span class="sp-num"${S.means("accuracy")}>${percent(before[m][d])}</span></td>`).join("")}</tr>`).join("")}</tbody></table></div>`;
  }
  function shown(r) {
    const side = Math.max(8, Math.floor(126 / Math.max(...r.cells)));
    q(".sp-found").innerHTML = `<p class="sp-verdict"><b>${S.escape(r.rows[0].method)}</b> finds it most often: <span${S.means("accuracy")}>${percent(r.rows[0].accuracy)} of ${r.cells[0] * r.cells[1]} images</span> (${S.escape(r.dataset)}; <span${S.means("chance")}>${percent(r.chance)} by chance</span>).</p>
      <div class="sp-grids"><figure><img src="${r.src}" alt="" style="width:126px"><figcaption>one of the images</figcaption></figure>${r.rows.map((row) => `<figure><canvas role="img" aria-label="Where ${row.method} finds the needle: ${percent(row.accuracy)}"></canvas><figcaption><b>${S.escape(row.method)}</b> <span${S.means("accuracy")}>${percent(row.accuracy)}</span>${row.biases.length ? `<br>drawn towards ${row.biases.map(S.escape).join(", ")}` : ""}</figcaption></figure>`).join("")}</div>
      <p class="sp-note"><span class="sp-bar"><i></i><span>missed</span><b>found</b></span> Each cell: whether the map finds the needle that lies there.</p>`;
    q(".sp-found").querySelectorAll("canvas").forEach((canvas, i) => {
      canvas.width = side * r.cells[1]; canvas.height = side * r.cells[0];
      const pen = canvas.getContext("2d");
      r.rows[i].grid.forEach((row, y) => row.forEach((v, x) => { pen.fillStyle = `rgb(${S.strength(0.1 + 0.85 * v)})`; pen.fillRect(x * side, y * side, side - 1, side - 1); }));
    });
  }
  function wait(on) {
    running = on; q("[data-measure]").disabled = on; q("[data-measure]").textContent = on ? "Measuring…" : "Measure";
    if (!on) going.end();
  }
  function measure(what) {
    if (running) return;
    wait(true); q(".sp-found").innerHTML = "";
    trigger("select", { ...what, ticket: going.begin(), at: Date.now() });
  }
  element.told = (value) => {
    if (value.progress) { if (value.progress.what === "measuring") going.step(value.progress); return; }
    wait(false);
    if (value.error) { q(".sp-found").innerHTML = `<p class="sp-error" role="alert">${S.escape(value.error)}</p>`; return; }
    shown(value); fill();
    S.set(value.by === "page" ? { pageTrust: value.trust.cosine } : {});
    const d = S.state.data;
    if (d && value.model === d.model) { d.trust = value.trust.attention; d.conceptTrust = value.trust["sae-attention"]; S.set({}); }
  };
  element.addEventListener("click", (e) => {
    if (e.target.closest("[data-measure]")) measure({ by: of("by").value, dataset: of("dataset").value, cells: of("cells").value, methods: [...q(".sp-methods").querySelectorAll("input:checked")].map((i) => i.value) });
  });
  of("by").addEventListener("change", fill);
  box.addEventListener("toggle", fill);
  S.measure = async (method) => { const by = method === "cosine" ? "page" : "answer"; box.open = true; element.scrollIntoView({ block: "start" }); await fill(by); measure({ by, dataset: "single-word", cells: "7x7", methods: [method] }); };
  S.on(element, (s) => { element.hidden = !s.data || !!s.kept; if (box.open && s.data && !s.kept && choice !== null && choice !== S.choice()) fill(); });
};
