// A first visit, led through the open example in four steps; dismissed for good with one click.
Scratchpad.guide = (element) => {
  const S = Scratchpad, KEY = "scratchpad-guide";
  const STEPS = [
    ["sp-look", "Look", "The answer, word by word. Choose a token: the picture shows where it looked. Click a patch: it lists what the encoder saw there.", () => {}],
    ["sp-concepts", "Find concepts", "The latents behind the chosen token, each shown by what it looks like: where it fires here, and on other pictures.", () => S.set({ latent: null })],
    ["sp-heatmap", "Compare", "Every token against every concept. Concepts that rise and fall together stand together; choose a cluster to test it as one.", () => {}],
    ["sp-test", "Test", "Switch concepts off and ask again. The strip beside the result shows what random concepts do: a change that they make as often is no evidence. Start with “Find the smallest set”.", () => {}],
  ];
  let at = -1;
  const seen = () => { try { return localStorage.getItem(KEY); } catch { return null; } };
  const forget = () => { try { localStorage.setItem(KEY, "1"); } catch { /* private windows keep nothing */ } at = -1; lit(null); element.innerHTML = ""; };
  const lit = (id) => { for (const e of document.querySelectorAll(".sp-led")) e.classList.remove("sp-led"); const e = id && document.getElementById(id); if (e) { e.classList.add("sp-led"); e.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" }); } };
  function draw() {
    if (at < 0) { element.innerHTML = `<div class="sp-guide" role="note"><span>First time here?</span><button type="button" class="sp-quiet" data-step="0">Show me in four steps</button><button type="button" class="sp-link" data-dismiss>No, thanks</button></div>`; return; }
    const [id, name, text, act] = STEPS[at];
    element.innerHTML = `<div class="sp-guide sp-step" role="note" aria-live="polite"><p><b>${at + 1} of 4 · ${name}.</b> ${text}</p><span class="sp-row">${at ? `<button type="button" class="sp-quiet" data-step="${at - 1}">Back</button>` : ""}${at < 3 ? `<button type="button" class="sp-go" data-step="${at + 1}">Next</button>` : ""}<button type="button" class="sp-quiet" data-dismiss>${at < 3 ? "Dismiss" : "Done"}</button></span></div>`;
    act(); lit(id);
  }
  element.addEventListener("click", (e) => {
    const step = e.target.closest("[data-step]");
    if (step) { at = +step.dataset.step; draw(); const next = element.querySelector(".sp-go, [data-dismiss]"); if (next) next.focus({ preventScroll: true }); }
    if (e.target.closest("[data-dismiss]")) forget();
  });
  element.addEventListener("keydown", (e) => { if (e.key === "Escape" && at >= 0) forget(); });
  if (!seen() && !new URLSearchParams(location.search).has("case")) draw();
};
