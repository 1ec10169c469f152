// TEST: switch concepts off, ask again, and see old and new answer side by side with the control that makes it a claim.
Scratchpad.test = (element, trigger) => {
  const S = Scratchpad;
  element.innerHTML = `
    <section class="sp-panel sp-test" aria-label="Test">
      <header><h2>Test <span class="sp-of">does the answer depend on it?</span></h2><div class="sp-row sp-runs"></div>${S.png}</header>
      <div class="sp-row sp-picked"></div>
      <div class="sp-controls">
        <label class="sp-strength">activation × <input type="range" min="0" max="3" step="0.1" value="0"><output>0 (off)</output></label>
        <label class="sp-target" title="What the answer should have said: how likely it becomes, what the smallest set must bring out, what a diagnosis takes as right">expected answer <input type="text" maxlength="200" placeholder="a word or two"></label>
        <button type="button" class="sp-go" data-do="go">Ask again</button>
      </div>
      <div class="sp-controls sp-second">
        <button type="button" class="sp-quiet" data-do="suggest">Take the suggested set</button>
        <button type="button" class="sp-quiet" data-do="smallest" title="Searches the fewest concepts without which the answer changes, or becomes the expected one; every set it tries is really ablated">Find the smallest set</button>
        <button type="button" class="sp-quiet" data-do="diagnose" title="Which of three failure modes a wrong answer fits; put what it should have said into the field on the left">Diagnose</button>
        <button type="button" class="sp-quiet" data-do="verify" title="Ablates the latents of the largest predicted effects, up to 128 and one by one, and sets what happened beside what one backward pass predicted">Verify the predictions</button>
        <button type="button" class="sp-quiet" data-do="undo" title="Takes back the last change of the test">Undo</button>
        <button type="button" class="sp-quiet" data-do="clear">Clear</button>
      </div>
      <details class="sp-how"><summary>More ways to ask</summary><div class="sp-controls">
        <label class="sp-switch" title="On: what the SAE doesn't explain of the activations stays. Off: the SAE's reconstruction takes their place, edits and all"><input type="checkbox" data-how="keepError" checked> keep the SAE's error</label>
        <label class="sp-field" title="Beside the greedy answers, one drawn before and one after, from the same chance; empty: none">also draw at temperature <input type="text" inputmode="decimal" data-how="temperature" size="4" placeholder="0.7"></label>
        <label class="sp-field" title="Of that chance: the same seed draws the same">seed <input type="text" inputmode="numeric" data-how="seed" size="4" value="0"></label></div></details>
      <div class="sp-going"></div>
      <div class="sp-verified" aria-live="polite"></div>
      <div class="sp-diagnosis" aria-live="polite"></div>
      <div class="sp-result" aria-live="polite"></div>
    </section>`;
  const q = (s) => element.querySelector(s), slider = q(".sp-strength input"), target = q(".sp-target input");
  const going = S.going(q(".sp-going"), element.server, "test");
  let written = "";  // the edit that the chips show, which isn't written anew under a visitor's hands
  let shown = null;  // the verified effects that are drawn
  const say = (v) => (+v === 0 ? "0 (off)" : (+v).toFixed(1));
  slider.addEventListener("input", () => { q(".sp-strength output").textContent = say(slider.value); S.set({ strength: +slider.value }); });
  element.addEventListener("change", (e) => {
    const { own: id, op, how } = e.target.dataset;
    if (how === "keepError") S.set({ keepError: e.target.checked });
    if (op !== undefined) {
      const chosen = e.target.value, start = { scale: undefined, set: 0, add: 1 }[chosen], own = { ...S.state.own };
      if (start === undefined) delete own[op]; else own[op] = start;
      S.set({ ops: { ...S.state.ops, [op]: chosen }, own });
    }
    if (id === undefined) return;
    const own = { ...S.state.own }, value = parseFloat(e.target.value);
    if (Number.isFinite(value)) own[id] = value; else delete own[id];
    S.set({ own });
  });
  target.addEventListener("input", () => { S.state.target = target.value; });
  element.addEventListener("click", (e) => {
    const act = e.target.closest("[data-do]"), drop = e.target.closest("[data-drop]"), run = e.target.closest("[data-run]");
    if (drop && !S.state.kept) S.toggle([+drop.dataset.drop]);
    if (run) S.recall(+run.dataset.run);
    const take = e.target.closest("[data-take]"), point = e.target.closest("circle[data-latent]");
    if (point) S.set({ latent: +point.dataset.latent });
    if (take) S.toggle([+take.dataset.take]);
    if (!act || !S.state.data) return;
    const what = { target: S.state.target.trim() || null, region: S.state.region, image: S.state.image, key: S.state.data.key };
    if (act.dataset.do === "suggest") S.set({ picked: [...S.state.data.suggested] });
    if (act.dataset.do === "undo") S.undo();
    if (act.dataset.do === "clear") S.set({ picked: [], own: {}, ops: {}, keepError: true, comparison: null, diagnosis: null, verified: null, region: null, image: null, at: -1 });
    if (act.dataset.do === "smallest" && !S.state.testing) {
      S.set({ testing: "Searching…" });
      trigger("select", { ...what, ticket: going.begin(), smallest: true });
    }
    if (act.dataset.do === "diagnose" && !S.state.testing) {
      S.set({ testing: "Diagnosing…" });
      trigger("select", { ...what, ticket: going.begin(), diagnose: true });
    }
    if (act.dataset.do === "verify" && !S.state.testing) {
      S.set({ testing: "Verifying…" });
      trigger("select", { ...what, ticket: going.begin(), verify: true });
    }
    if (act.dataset.do === "go" && ready(S.state) && !S.state.testing) {
      S.set({ testing: "Asking…" });
      trigger("select", { ...what, ticket: going.begin(), latents: S.state.picked, scale: S.state.strength, keep_error: S.state.keepError,
        scales: some(S.state.own), ops: some(S.state.ops), temperature: q("[data-how=temperature]").value.trim() || null, seed: q("[data-how=seed]").value.trim() });
    }
  });
  const some = (of) => Object.fromEntries(S.state.picked.filter((id) => of[id] !== undefined).map((id) => [id, of[id]]));
  const ready = (s) => s.picked.length > 0 || !s.keepError;  // the bare reconstruction is an edit too
  const words = (parts, skip) => parts.filter(([k]) => k !== skip).map(([k, t]) => k === "same" ? S.escape(t) : `<mark class="sp-${k}">${S.escape(t)}</mark>`).join("") || "<em>(nothing)</em>";
  const signed = (v) => `${v > 0 ? "+" : ""}${v.toFixed(2)}`;
  function bars(c) {
    const most = Math.max(0.5, ...c.delta_logprob.tokens.map(Math.abs));
    const likely = (list) => list.slice(0, 3).map(([t, p]) => `${t.trim() || "␣"} ${(100 * Math.exp(p)).toFixed(0)}%`).join(", ");
    return c.before.tokens.map((t, i) => {
      const v = c.delta_logprob.tokens[i], [r, g, b] = S.change(-v / most), a = c.alternatives[i];
      const title = a ? `likeliest before: ${likely(a.before)}; now: ${likely(a.after)}` : "";
      return `<div class="sp-delta" title="${S.escape(title)}"><span class="sp-col"><i style="height:${(100 * Math.abs(v) / most).toFixed(1)}%;background:rgb(${r},${g},${b})"></i></span><span class="sp-num"${S.means("change")}>${signed(v)}</span><span>${S.shown(t.text)}</span></div>`;
    }).join("");
  }
  function control(c) {
    const k = c.control;
    if (!k.n) return `<p class="sp-note">No control: too few other active latents to draw as many at random.</p>`;
    const all = [0, c.delta_logprob.answer, k.reconstruction.effect, ...k.effects, ...k.noise.effects];
    const low = Math.min(...all), span = Math.max(1e-6, Math.max(...all) - low);
    const x = (v) => (100 * (v - low) / span).toFixed(2);
    const verdict = k.verdict ? `no evidence: ${S.escape(k.verdict)}` : `${k.n - k.as_strong} of ${k.n} random sets do less`;
    return `<div class="sp-control"><p class="sp-kicker"${S.means("control")}>Control: ${k.n} random sets of ${c.latents} active latent${c.latents === 1 ? "" : "s"}</p>
      <div class="sp-strip" role="img" aria-label="Change of log-probability: this edit ${c.delta_logprob.answer.toFixed(2)}, random sets between ${Math.min(...k.effects).toFixed(2)} and ${Math.max(...k.effects).toFixed(2)}">
      ${k.noise.effects.map((v) => `<i class="sp-noise" style="left:${x(v)}%"></i>`).join("")}
      ${k.effects.map((v) => `<i style="left:${x(v)}%"></i>`).join("")}<u style="left:${x(k.reconstruction.effect)}%"></u><b style="left:${x(c.delta_logprob.answer)}%"></b></div>
      <p class="sp-legend"><span><b></b>this edit</span> <span><i></i>random sets of like activation</span> <span><i class="sp-noise"></i>noise as strong</span> <span><u></u>bare reconstruction</span></p>
      <p${S.means("control")}><b>${verdict}</b>; ${k.flipped} of ${k.n} change the answer${c.changed && 10 * k.flipped > k.n ? ", so the change by itself is no evidence" : ""}. Noise as strong changes it ${k.noise.flipped} of ${k.noise.n} times, the bare reconstruction ${k.reconstruction.flipped ? "does too" : "does not"}.</p></div>`;
  }
  function beside(s, c) {
    const notes = [];
    if (c.inactive.length) notes.push(`Not active where the test acts, so without effect: ${c.inactive.map((id) => `${S.escape(S.label(s.data, id))} #${id}`).join(", ")}.`);
    if (!c.keep_error) notes.push("The SAE's reconstruction stands in place of the activations.");
    if (c.sampled) notes.push(`Drawn at temperature ${c.sampled.temperature}, seed ${c.sampled.seed}: before “${S.escape(c.sampled.before)}”, after “${words(c.sampled.diff, "gone").replace(/^(<mark[^>]*>)?\s+/, "$1")}”.`);
    if (c.blank) notes.push(c.blank.same ? `<b>With a grey picture in its place the model answers the same</b>: this answer may be habit, not sight.`
      : `With a grey picture in its place it answers “${S.escape(c.blank.answer)}”; there <span${S.means("likely")}>the original answer's log-probability is ${c.blank.logprob.toFixed(2)}, here ${c.blank.seen.toFixed(2)}</span>.`);
    if (c.target) notes.push(`<span${S.means("logprob")}>Log-probability of “${S.escape(c.target.text)}” as the answer: ${c.target.before.toFixed(2)} before, ${c.target.after.toFixed(2)} now (${signed(c.target.delta_logprob)}).</span>`);
    if (c.risen.length) notes.push(`<span${S.means("risen")}>More active now, where a concept may come back: ${c.risen.slice(0, 4).map((r) => `${S.escape(r.name)} #${r.id} (${r.before.toPrecision(2)} → ${r.after.toPrecision(2)})`).join(", ")}.</span>`);
    return notes.map((n) => `<p class="sp-note">${n}</p>`).join("");
  }
  S.on(element, (s) => {
    element.classList.toggle("sp-testing", !!s.testing);
    for (const row of element.querySelectorAll(".sp-controls")) row.hidden = !!s.kept;
    if (!s.testing) going.end(); else if (s.progress) going.step(s.progress);
    q("[data-do=go]").disabled = !s.data || !ready(s) || !!s.testing;
    q("[data-do=undo]").disabled = !S.canUndo();
    q("[data-do=verify]").disabled = !s.data || !!s.testing;
    q("[data-do=verify]").textContent = s.testing === "Verifying…" ? s.testing : "Verify the predictions";
    q(".sp-how").hidden = !!s.kept;
    q("[data-how=keepError]").checked = s.keepError;
    q("[data-do=go]").textContent = s.testing === "Asking…" ? s.testing : "Ask again";
    q("[data-do=smallest]").disabled = !s.data || !!s.testing;
    q("[data-do=smallest]").textContent = s.testing === "Searching…" ? s.testing : "Find the smallest set";
    q("[data-do=diagnose]").disabled = !s.data || !!s.testing;
    q("[data-do=diagnose]").textContent = s.testing === "Diagnosing…" ? s.testing : "Diagnose";
    q("[data-do=suggest]").disabled = !s.data || !s.data.suggested.length;
    if (+slider.value !== s.strength) { slider.value = s.strength; q(".sp-strength output").textContent = say(s.strength); }
    if (!s.data) return;
    q(".sp-runs").innerHTML = s.runs.length > 1 || (s.runs.length && s.at < 0) ? s.runs.map((r, i) => `<button type="button" class="sp-chip" data-run="${i}" aria-pressed="${s.at === i}" title="${S.escape(r.comparison.after.answer)}">${i + 1} · ${r.comparison.changed ? "changed" : "stayed"}</button>`).join("") : "";
    const edit = JSON.stringify([s.data.key, s.picked, s.own, s.ops, s.strength, s.region, s.image, s.keepError, !!s.kept, s.picked.map((id) => S.label(s.data, id))]);
    if (edit !== written) q(".sp-picked").innerHTML = (s.picked.map((id) => `<span class="sp-chip sp-in"><span>${S.escape(S.label(s.data, id))} <small>#${id}</small></span><select data-op="${id}"${s.kept ? " disabled" : ""} aria-label="What is done to ${S.escape(S.label(s.data, id))}" title="× multiplies its activation, = sets it, + adds to it, on every patch">${[["scale", "×"], ["set", "="], ["add", "+"]].map(([op, sign]) => `<option value="${op}"${(s.ops[id] || "scale") === op ? " selected" : ""}>${sign}</option>`).join("")}</select><input type="number" step="0.1" data-own="${id}" value="${s.own[id] ?? ""}" placeholder="${s.strength}"${s.kept ? " disabled" : ""} aria-label="by how much, ${S.escape(S.label(s.data, id))}" title="By how much; empty: as the slider says">${s.kept ? "" : `<button type="button" class="sp-link" data-drop="${id}" title="Leave it out of the test" aria-label="Leave ${S.escape(S.label(s.data, id))} out of the test">✕</button>`}</span>`).join("")
      || (s.kept ? "" : `<p class="sp-note">Switch off concepts from the cards, a cluster from the heatmap, or take the suggested set: the ${s.data.suggested.length} latents that one backward pass predicts the answer leans on most.</p>`))
      + (s.picked.length && (s.region || s.image !== null) ? `<span class="sp-note">only ${s.region ? `inside rows ${s.region[0]}–${s.region[2]}, columns ${s.region[1]}–${s.region[3]} px` : "on"}${s.data.sizes.length > 1 ? ` ${s.region ? "of " : ""}picture ${(s.image || 0) + 1}` : ""}${s.keepError ? "" : "; the reconstruction stands everywhere"}</span>` : "");
    written = edit;
    const v = q(".sp-verified");
    if (shown !== s.verified) { shown = s.verified; v.innerHTML = shown ? S.effects(shown) : ""; }
    for (const point of v.querySelectorAll("circle")) point.classList.toggle("sp-lit", +point.dataset.latent === s.latent);
    const g = s.diagnosis;
    q(".sp-diagnosis").innerHTML = g ? `<p class="sp-verdict"><b>${g.verdict === "none" ? "Fits none of the three modes" : `Fits: ${S.escape(g.verdict)}`}</b>. ${S.escape(g.why[0].toUpperCase() + g.why.slice(1))}</p>
      <ul class="sp-findings">${g.tests.map((t) => `<li><b>${t.holds ? "holds" : "does not hold"}</b> ${S.escape(t.says)}</li>`).join("")}</ul>
      ${g.latents.length ? `<div class="sp-row">${g.latents.map((l) => `<button type="button" class="sp-chip" data-take="${l.id}" title="Put it in the test">${S.escape(l.name)} <small>#${l.id}</small></button>`).join("")}</div>` : ""}` : "";
    const c = s.comparison;
    if (!c) { q(".sp-result").innerHTML = ""; return; }
    if (c.error) { q(".sp-result").innerHTML = `<p class="sp-error" role="alert">${S.escape(c.error)}</p>`; return; }
    q(".sp-result").innerHTML = `
      <div class="sp-pair"><div><p class="sp-kicker">Before</p><p class="sp-answer">${words(c.diff, "new")}</p></div>
      <div><p class="sp-kicker">After</p><p class="sp-answer">${words(c.diff, "gone")}</p></div></div>
      ${c.sufficient ? `<p class="sp-note">The smallest set found${c.sufficient.target ? ` that brings out “${S.escape(c.sufficient.target)}”` : ""}: ${c.sufficient.latents.length} of ${s.data.active.length} active latents, after ablating ${c.sufficient.tried} sets. ${c.sufficient.minimal ? "None of them can be left out." : ""} As many random latents of like activation do it in ${c.sufficient.controls.flipped} of ${c.sufficient.controls.n} sets.</p>` : ""}
      <p class="sp-verdict"><b>${c.changed ? "The answer changed." : "The answer stayed."}</b> <span${S.means("total")}>Change of the original answer's log-probability: ${signed(c.delta_logprob.answer)} nats.</span></p>
      <div class="sp-evidence"><div><p class="sp-kicker">Change of log-probability per token</p><div class="sp-deltas">${bars(c)}</div></div>${control(c)}</div>${beside(s, c)}`;
  });
};
