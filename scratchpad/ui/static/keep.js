// KEEP: a title, a note and a link for what is on show; or, when a case is open, what it says of itself.
Scratchpad.keep = (element, trigger) => {
  const S = Scratchpad, server = element.server || null;  // none in a page that was exported
  let listed = [], runs = false;
  element.innerHTML = `
    <section class="sp-panel sp-keep" aria-label="Keep">
      <header><h2>Keep <span class="sp-of">a case that opens anywhere, model or not</span></h2></header>
      <div class="sp-making">
        <label>Title <input type="text" class="sp-title" maxlength="200"></label>
        <label>Note <textarea class="sp-notes" rows="3" maxlength="20000" placeholder="What does it show? Markdown: **bold**, *italic*, \`code\`, lists, links"></textarea></label>
        <div class="sp-controls"><label class="sp-switch" title="Otherwise only who has the link finds it"><input type="checkbox" class="sp-listed"> show it in the gallery</label>
        <button type="button" class="sp-go" data-keep>Keep this case</button></div>
      </div>
      <div class="sp-case"></div>
      <div class="sp-going"></div><div class="sp-kept" aria-live="polite"></div>
      <div class="sp-gallery"></div>
    </section>`;
  const q = (s) => element.querySelector(s), kept = q(".sp-kept"), going = S.going(q(".sp-going"), server, "keep");
  let running = false;  // a request of this panel, or none
  const save = (name, kind, base64) => {
    const a = document.createElement("a");
    a.href = URL.createObjectURL(new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], { type: kind }));
    a.download = name; a.click(); setTimeout(() => URL.revokeObjectURL(a.href), 1000);
  };
  // The little of Markdown that a note needs; everything is escaped before, links go to http and https alone.
  function markdown(text) {
    const inline = (t) => t.replace(/`([^`]+)`/g, "<code>$1</code>").replace(/\*\*([^*]+)\*\*/g, "<b>$1</b>").replace(/\*([^*]+)\*/g, "<i>$1</i>")
      .replace(/\[([^\]]+)\]\((https?:\/\/[^\s)]+)\)/g, '<a href="$2" rel="noopener nofollow" target="_blank">$1</a>');
    return S.escape(text).split(/\n{2,}/).map((block) => {
      const lines = block.split("\n");
      if (lines.every((l) => /^\s*[-*] /.test(l))) return `<ul>${lines.map((l) => `<li>${inline(l.replace(/^\s*[-*] /, ""))}</li>`).join("")}</ul>`;
      const head = /^#{1,4} (.*)$/.exec(block);
      return head ? `<h3>${inline(head[1])}</h3>` : `<p>${inline(block).replace(/\n/g, "<br>")}</p>`;
    }).join("");
  }
  const link = (id) => `${location.origin}${location.pathname}?case=${id}`;
  const files = (id) => server ? `<div class="sp-row"><button type="button" class="sp-quiet" data-file="case" data-id="${id}">Bundle</button><button type="button" class="sp-quiet" data-file="html" data-id="${id}">One page that opens from disk</button><button type="button" class="sp-quiet" data-file="png" data-id="${id}">Map as PNG</button><button type="button" class="sp-quiet" data-file="zip" data-id="${id}">Tables as CSV</button></div>` : "";
  const guard = async (button, busy, act) => {
    const before = button.textContent; button.disabled = true; button.textContent = busy;
    try { await act(); } catch (e) { kept.innerHTML = `<p class="sp-error" role="alert">The server can't be reached; try again.</p>`; }
    button.disabled = false; button.textContent = before;
  };
  element.addEventListener("click", (e) => {
    const b = e.target.closest("button"); if (!b) return;
    if (b.dataset.keep !== undefined && S.state.data) {
      const items = S.state.runs.map((r) => ({ items: r.comparison.items, keep_error: r.comparison.keep_error, target: r.comparison.target ? r.comparison.target.text : null, smallest: !!r.comparison.sufficient }));
      request({ title: q(".sp-title").value, notes: q(".sp-notes").value, listed: q(".sp-listed").checked, runs: items, key: S.state.data.key });
    }
    if (b.dataset.file) guard(b, "Making…", async () => {
      const made = JSON.parse(await server.file(`${b.dataset.id}/${b.dataset.file}`));
      if (made.error) kept.innerHTML = `<p class="sp-error" role="alert">${S.escape(made.error)}</p>`; else save(made.name, made.kind, made.data);
    });
    if (b.dataset.again) request({ again: b.dataset.again });
    if (b.dataset.fork) request({ fork: b.dataset.fork });
    if (b.dataset.copy) navigator.clipboard.writeText(b.dataset.copy).then(() => { b.textContent = "Copied"; });
  });
  function request(what) {
    if (running) return;
    kept.innerHTML = ""; busy(true);
    trigger("select", { ...what, ticket: going.begin(), at: Date.now() });
  }
  function busy(on) {
    running = on;
    for (const b of element.querySelectorAll("[data-keep], [data-again], [data-fork]")) b.disabled = on;
    if (!on) going.end();
  }
  const replayed = (r) => `<p class="sp-verdict"><b>${r.agrees ? "It agrees." : "It does not agree."}</b> ${r.same_model ? "The same model" : "Another model"}, ${r.same_sae ? "the same SAE" : "another SAE"}; the answer is “${S.escape(r.answer)}”${r.logprob_difference === null ? ", in other tokens" : `, token for token, <span${S.means("logprob")}>log-probabilities at most ${r.logprob_difference.toExponential(1)} nats apart</span>`}.${r.runs.length ? ` ${r.runs.filter(([a, c]) => a === c).length} of ${r.runs.length} edits give the answer that was kept.` : ""}</p>`;
  function told(text) {
    const value = JSON.parse(text);
    if (value.progress) { going.step(value.progress); return; }
    if (value.listed) listed = value.listed;
    if (value.runs !== undefined) runs = value.runs;
    if (value.forked) { history.replaceState(null, "", location.pathname); kept.innerHTML = ""; }
    busy(false);
    if (value.again) kept.innerHTML = replayed(value.again);
    if (value.error) kept.innerHTML = `<p class="sp-error" role="alert">${S.escape(value.error)}</p>`;
    if (value.id) kept.innerHTML = `<p class="sp-verdict"><b>Kept.</b> <a href="${link(value.id)}">${S.escape(link(value.id))}</a> <button type="button" class="sp-quiet" data-copy="${link(value.id)}">Copy</button></p>
      <p class="sp-note">${value.key ? `Key that deletes it, shown only now: <code>${S.escape(value.key)}</code>` : "It was kept before, under the same link."}</p>${files(value.id)}`;
    draw(S.state);
  }
  function draw(s) {
    const k = s.kept;
    document.body.classList.toggle("sp-reading", !!k);
    q(".sp-making").hidden = !!k || !s.data;
    q("header .sp-of").textContent = k ? "this is a case: it can't change" : "a case that opens anywhere, model or not";
    q(".sp-case").innerHTML = k ? `<div class="sp-text">${markdown(k.notes)}</div>
      <p class="sp-note">Made ${S.escape(k.made.at.slice(0, 10))} by ${S.escape(k.made.by)} with ${S.escape(k.model.name)} (${S.escape(k.model.identity)}) and ${S.escape(k.sae.name)} (${S.escape(k.sae.identity)}), vision layer ${+k.sae.layer}. Its id is its content's hash: ${S.escape(k.id)}</p>
      ${server ? `<div class="sp-controls">${runs ? `<button type="button" class="sp-go" data-again="${S.escape(k.id)}">Run it again</button><button type="button" class="sp-quiet" data-fork="${S.escape(k.id)}">Go on from here</button>` : `<span class="sp-note">This server has no model loaded: it shows cases, and can't run them again.</span>`}</div>${files(S.escape(k.id))}` : ""}` : "";
    q(".sp-gallery").innerHTML = listed.length ? `<p class="sp-kicker">Gallery</p><div class="sp-shelf">${listed.map((c) => `<a href="?case=${encodeURIComponent(c.id)}"${k && k.id === c.id ? ' aria-current="page"' : ""}><img src="${c.image}" alt=""><span>${S.escape(c.title)}</span></a>`).join("")}</div>` : "";
    if (running) busy(true);
  }
  S.on(element, draw);
  element.told = (value) => told(JSON.stringify(value));
  S.told = told;
};
