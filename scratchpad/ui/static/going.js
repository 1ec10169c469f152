// A request under way: what it does, how far it is, and the button that ends it. One a panel; `what` is what its job goes by.
Scratchpad.going = (box, server, what) => {
  const S = Scratchpad;
  box.classList.add("sp-going"); box.hidden = true;
  box.innerHTML = `<p role="status"></p><progress max="1" aria-label="How far it is"></progress><button type="button" class="sp-quiet">Cancel</button>`;
  const [line, bar, stop] = box.children;
  stop.addEventListener("click", () => { stop.disabled = true; stop.textContent = "Stopping…"; server.stop(S.ticket(what)); });
  const says = { answering: "Answering", testing: "Ablating", measuring: "Image", "reading layers": "Layer", "finding concepts": "Finding concepts" };
  return {
    begin: () => { box.hidden = false; stop.disabled = false; stop.textContent = "Cancel"; line.textContent = "Waiting for the model…"; bar.removeAttribute("value"); return S.next(what); },
    step: (p) => {
      line.textContent = p.text ? `${p.text} …` : `${says[p.what] || p.what}${p.of ? ` ${p.done} of ${p.of}` : "…"}`;
      if (p.of) bar.value = p.done / p.of; else bar.removeAttribute("value");
    },
    end: () => { box.hidden = true; },
  };
};
