// One selection, many views. Panels read `data` and the selection, and redraw when either changes; nothing here computes
// a score: every number comes from the server with the analysis.
window.Scratchpad = window.Scratchpad || (() => {
  const listeners = new Set();
  const state = { data: null, comparison: null, token: null, latent: null, patch: null, picked: [], own: {}, ops: {}, strength: 0, keepError: true, weighted: true,
    minSparsity: 0, maxSparsity: 0.5, minMean: 0, busy: false, testing: false, more: 12,
    runs: [], at: -1, region: null, image: null, marking: false, target: "", kept: null, diagnosis: null, verified: null, progress: null };
  // What an edit is made of; `past` holds what it was before each change, for undo. Changes in one stroke (a slider, a drag) count once.
  const EDIT = ["picked", "own", "ops", "strength", "region", "image", "keepError"], past = [];
  const STROKES = ["strength", "region,image"];
  let stroke = "", struck = 0;
  const page = [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
  let jobs = 0;
  const tickets = {};
  const details = new Map();
  let ask = null;

  const floats = (s) => new Float32Array(bytes(s).buffer);
  const ints = (s) => new Int32Array(bytes(s).buffer);
  const bytes = (s) => Uint8Array.from(atob(s), (c) => c.charCodeAt(0));

  function set(change, undone = false) {
    if (!undone && EDIT.some((k) => k in change && JSON.stringify(change[k]) !== JSON.stringify(state[k]))) {
      const what = Object.keys(change).join(), now = Date.now();
      if (what !== stroke || now - struck > 800 || !STROKES.includes(what)) past.push(Object.fromEntries(EDIT.map((k) => [k, state[k]])));
      stroke = what; struck = now;
      if (past.length > 100) past.shift();
    }
    Object.assign(state, change); for (const f of [...listeners]) f(state);
  }
  function undo() { const before = past.pop(); stroke = ""; if (before) set(before, true); }

  function load(text) {
    if (!text) return;
    const data = JSON.parse(text);
    if (state.data && state.data.key === data.key && !!state.data.kept === !!data.kept) return;
    if (!data.kept && !state.data && new URLSearchParams(location.search).has("case")) return;  // the case is on its way
    data.maps = floats(data.maps); data.scores = floats(data.scores); data.means = floats(data.means);
    data.codeValues = floats(data.codeValues); data.codeIndices = ints(data.codeIndices);
    data.row = new Map(data.rows.map((index, i) => [index, i]));
    data.column = new Map(data.active.map((id, i) => [id, i]));
    const outputs = data.tokens.filter((t) => t.role === "output");
    const named = outputs.find((t) => data.nameToken === t.index) || outputs[0] || data.tokens[data.tokens.length - 1];
    set({ data, comparison: null, token: named ? named.index : null, latent: null, patch: null, picked: [], own: {}, ops: {}, keepError: true, busy: false, testing: false, more: 12,
      runs: [], at: -1, region: null, image: null, marking: false, diagnosis: null, verified: null, kept: data.kept || null }, true);
    for (const run of data.runs || []) remember(run);
    if (state.runs.length) recall(0);
    past.length = 0;
    set({});
  }

  // Every comparison of this answer, oldest first; one of them is on show.
  function remember(comparison) {
    const items = comparison.items, op = (i) => (i.op === "set" && i.value === 0 ? "scale" : i.op), each = (f) => Object.fromEntries(items.map((i) => [i.latent, f(i)]));
    const alike = items.every((i) => op(i) === "scale" && i.value === items[0].value);
    const runs = [...state.runs, { comparison, picked: items.map((i) => i.latent), strength: alike && items.length ? items[0].value : 0, own: alike ? {} : each((i) => i.value),
      ops: alike ? {} : each(op), region: items.length ? items[0].region : null, image: items.length ? items[0].image : null, keepError: comparison.keep_error }];
    set({ runs, at: runs.length - 1, comparison });
  }
  function recall(at) {
    const run = state.runs[at];
    set(run ? { at, comparison: run.comparison, picked: run.picked, strength: run.strength, own: run.own, ops: run.ops, region: run.region, image: run.image, keepError: run.keepError } : { at: -1, comparison: null, picked: [], own: {}, ops: {}, region: null, image: null });
  }

  function compare(text) {
    if (!text) return;
    const comparison = JSON.parse(text);
    if (comparison.progress) { set({ progress: comparison.progress }); return; }
    set({ progress: null });
    if (comparison.error) { set({ comparison, diagnosis: null, testing: false }); return; }
    if (comparison.verified) { set({ verified: comparison.verified, testing: false }); return; }
    if (comparison.diagnosis) { set({ diagnosis: comparison.diagnosis, testing: false }); return; }
    if (state.runs.some((r) => r.comparison.nonce === comparison.nonce)) return;
    set({ testing: false });
    remember(comparison);
    recall(state.runs.length - 1);
  }

  const patches = (d) => d.tiles.reduce((n, t) => n + t.rows * t.cols, 0);
  function attention(d, token) { const n = patches(d), r = d.row.get(token); return d.maps.subarray(r * n, (r + 1) * n); }
  function firing(d, latent) {
    const n = patches(d), k = d.codeValues.length / n, out = new Float32Array(n);
    for (let i = 0; i < d.codeValues.length; i++) if (d.codeIndices[i] === latent && d.codeValues[i] > 0) out[Math.floor(i / k)] = d.codeValues[i];
    return out;
  }
  function ofPatch(d, p) {
    const k = d.codeValues.length / patches(d), out = [];
    for (let i = p * k; i < (p + 1) * k; i++) if (d.codeValues[i] > 0) out.push({ id: d.codeIndices[i], value: d.codeValues[i] });
    return out.sort((a, b) => b.value - a.value);
  }
  function ranking(s) {
    const d = s.data, n = d.active.length, row = d.row.get(s.token);
    const score = s.weighted && row !== undefined ? d.scores.subarray(row * n, (row + 1) * n) : d.means;
    return d.active.map((id, i) => ({ ...d.latents[id], id, score: score[i], mean: d.means[i] }))
      .filter((l) => l.score > 0 && (l.sparsity === null || (l.sparsity >= s.minSparsity && l.sparsity <= s.maxSparsity)) &&
        (l.mean_activation === null || l.mean_activation >= s.minMean))
      .sort((a, b) => b.score - a.score);
  }
  const label = (d, id) => (d.latents[id] ? d.latents[id].name : `latent ${id}`);
  function toggle(ids) {
    const all = ids.every((id) => state.picked.includes(id));
    set({ picked: all ? state.picked.filter((id) => !ids.includes(id)) : [...new Set([...state.picked, ...ids])] });
  }

  const escape = (s) => String(s).replace(/[&<>"']/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[c]);
  const shown = (text) => escape(text.replace(/\n/g, "⏎").trim() || "␣");
  const failure = (sentence) => `<p class="sp-error" role="alert">${escape(sentence)} <button type="button" class="sp-quiet" data-retry>Try again</button></p>`;
  // What a map of a kind is worth, as far as it was measured of this model; `kept` where nothing can be measured any more, undefined where a case doesn't say.
  const TRUST = { attention: "Maps of this kind", "sae-attention": "Maps of the concepts that an answer weighs", cosine: "Maps of this kind" };
  const trust = (t, method, kept) => (t === undefined ? "" : t ? `<span title="Needle. ${api.words.accuracy}">${TRUST[method]} found the needle in <b>${(100 * t.accuracy).toFixed(0)}%</b> of images (${escape(t.dataset)}; ${(100 * t.chance).toFixed(0)}% by chance).</span>`
    : `How well ${TRUST[method].replace("Maps", "maps")} find things in this model is not measured${kept || !api.measure ? "" : `: <button type="button" class="sp-link" data-trust="${method}">measure it</button>`}.`);
  document.addEventListener("click", (e) => { const b = e.target.closest("[data-trust]"); if (b) api.measure(b.dataset.trust); });
  const choice = () => (state.data && state.data.choice) || "";
  async function detail(id) {
    const key = `${state.data ? state.data.sae : ""}/${id}`;
    if (!details.has(key)) { if (details.size > 600) details.clear(); details.set(key, state.data && state.data.details && state.data.details[id] ? Promise.resolve(state.data.details[id]) : ask ? ask([choice(), id]).then((text) => JSON.parse(text)).catch(() => ({ error: "The server can't be reached." })).then((told) => { if (told.error) details.delete(key); return { references: [], ...told }; }) : Promise.resolve({ references: [] })); }
    return details.get(key);
  }
  const on = (element, draw) => {
    const f = (s) => { if (!element.isConnected) { listeners.delete(f); return; } draw(s); };
    listeners.add(f); draw(state);
  };
  // What the server knows this page's jobs by: the last of each panel's.
  // A request that the server didn't take, as its panel is told of it.
  function lost(panel) {
    const sentence = "The server couldn't take this; try again.";
    set({ busy: false });
    if (panel === "test") compare(JSON.stringify({ error: sentence }));
    const root = document.querySelector(`#sp-${panel} .sp-root`);
    if (root && root.told) root.told({ error: sentence });
  }
  const ticket = (what) => tickets[what] || "", next = (what) => (tickets[what] = `${page}/${++jobs}`);
  const api = { state, set, lost, undo, canUndo: () => past.length > 0, ticket, next, choice, load, compare, recall, on, toggle, attention, firing, ofPatch, ranking, label, escape, shown, failure, trust, detail, patches,
    serve: (f) => { ask = f; } };
  return api;
})();
