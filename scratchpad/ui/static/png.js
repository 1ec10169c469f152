// Any panel as a picture: the panel as it stands is drawn by the browser itself, at twice its size.
(() => {
  const rules = () => [...document.styleSheets].flatMap((sheet) => { try { return [...sheet.cssRules]; } catch { return []; } })
    .map((r) => r.cssText).filter((t) => t.includes("sp-")).join("\n").replace(/<\//g, "<\\/");
  function still(node) {
    const copy = node.cloneNode(true), from = node.querySelectorAll("canvas, input, textarea"), to = copy.querySelectorAll("canvas, input, textarea");
    from.forEach((e, i) => {
      if (e.tagName !== "CANVAS") { to[i].setAttribute("value", e.value); to[i].toggleAttribute("checked", !!e.checked); if (e.tagName === "TEXTAREA") to[i].textContent = e.value; return; }
      const image = document.createElement("img");
      const shown = e.whole ? e.whole() : e;  // what is scrolled on the page stands whole in its picture
      image.src = shown.toDataURL(); image.className = e.className;
      image.style.cssText = `${e.style.cssText};width:${e.whole ? shown.style.width : `${e.offsetWidth}px`};height:${e.offsetHeight}px`;
      to[i].replaceWith(image);
    });
    for (const b of copy.querySelectorAll("[data-png]")) b.remove();
    return copy;
  }
  async function drawn(node) {
    const scrolled = [...node.querySelectorAll(".sp-scroll")].map((e) => e.scrollWidth);
    const wide = Math.max(node.offsetWidth, ...scrolled) + 48, high = node.scrollHeight + 32, by = Math.min(2, 16000 / wide);
    const dark = document.body.classList.contains("dark"), box = document.createElement("div"), style = document.createElement("style");
    const of = getComputedStyle(node), paper = of.getPropertyValue("--sp-paper").trim() || "#fff";
    style.textContent = rules();
    box.className = "sp-root";
    box.style.cssText = `box-sizing:border-box;width:${wide}px;max-width:none !important;padding:16px 24px !important;margin:0;background:${paper};color:${of.color};font:${of.font}`;
    const outer = document.createElement("div");
    outer.className = dark ? "dark" : "";
    box.append(style, still(node)); outer.append(box);
    for (const s of box.querySelectorAll(".sp-scroll")) s.style.overflow = "hidden";
    const text = new XMLSerializer().serializeToString(outer);
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${by * wide}" height="${by * high}" viewBox="0 0 ${wide} ${high}"><foreignObject width="100%" height="100%">${text}</foreignObject></svg>`;
    const image = new Image(), canvas = document.createElement("canvas");
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
    await image.decode();
    canvas.width = by * wide; canvas.height = by * high;
    const pen = canvas.getContext("2d");
    pen.fillStyle = paper; pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(image, 0, 0, canvas.width, canvas.height);
    return new Promise((done) => canvas.toBlob(done, "image/png"));
  }
  document.addEventListener("click", async (e) => {
    const b = e.target.closest("[data-png]");
    if (!b) return;
    const panel = b.closest("section"), a = document.createElement("a");
    b.disabled = true;
    try {
      a.href = URL.createObjectURL(await drawn(panel));
      a.download = `${panel.getAttribute("aria-label").toLowerCase().replace(/\W+/g, "-")}.png`;
      a.click(); setTimeout(() => URL.revokeObjectURL(a.href), 1000);
    } catch { b.textContent = "not in this browser"; }
    b.disabled = false;
  });
  window.Scratchpad.png = '<button type="button" class="sp-png" data-png title="Save this panel as a picture" aria-label="Save this panel as a picture">PNG</button>';
})();
