// Any panel as a picture: the panel as it stands is drawn by the browser itself, at twice its size.
import { html } from "lit-html";

const MOST = 16000; // px across

export const png = () =>
  html`<button
    type="button"
    class="sp-png"
    data-png
    title="Save this panel as a picture"
    aria-label="Save this panel as a picture"
    @click=${save}
  >
    PNG
  </button>`;

const rules = () =>
  [...document.styleSheets]
    .flatMap((sheet) => {
      try {
        return [...sheet.cssRules];
      } catch {
        return []; // of another origin
      }
    })
    .map((rule) => rule.cssText)
    .filter((text) => text.includes("sp-"))
    .join("\n")
    .replace(/<\//g, "<\\/");

function still(node) {
  const copy = node.cloneNode(true);
  const [from, to] = [node, copy].map((root) => root.querySelectorAll("canvas, input, textarea"));
  from.forEach((e, i) => {
    if (e.tagName !== "CANVAS") {
      to[i].setAttribute("value", e.value);
      to[i].toggleAttribute("checked", !!e.checked);
      if (e.tagName === "TEXTAREA") to[i].textContent = e.value;
      return;
    }
    const image = document.createElement("img");
    const shown = e.whole ? e.whole() : e; // what is scrolled on the page stands whole in its picture
    image.src = shown.toDataURL();
    image.className = e.className;
    const width = e.whole ? shown.style.width : `${e.offsetWidth}px`;
    image.style.cssText = `${e.style.cssText};width:${width};height:${e.offsetHeight}px`;
    to[i].replaceWith(image);
  });
  for (const b of copy.querySelectorAll("[data-png]")) b.remove();
  return copy;
}

async function drawn(node) {
  const scrolled = [...node.querySelectorAll(".sp-scroll")].map((e) => e.scrollWidth);
  const wide = Math.max(node.offsetWidth, ...scrolled) + 48;
  const high = node.scrollHeight + 32;
  const by = Math.min(2, MOST / wide);
  const of = getComputedStyle(node);
  const paper = of.getPropertyValue("--sp-paper").trim() || "#fff";
  const [outer, box, style] = ["div", "div", "style"].map((tag) => document.createElement(tag));
  style.textContent = rules();
  outer.className = document.body.classList.contains("dark") ? "dark" : "";
  box.className = "sp-page sp-still";
  box.style.cssText = `box-sizing:border-box;width:${wide}px;max-width:none;padding:16px 24px;background:${paper};
    color:${of.color};font:${of.font}`;
  box.append(style, still(node));
  outer.append(box);
  const text = new XMLSerializer().serializeToString(outer);
  const size = `width="${by * wide}" height="${by * high}" viewBox="0 0 ${wide} ${high}"`;
  const image = new Image();
  const inside = `<foreignObject width="100%" height="100%">${text}</foreignObject>`;
  const source = `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${inside}</svg>`;
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [by * wide, by * high];
  const pen = canvas.getContext("2d");
  pen.fillStyle = paper;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

async function save(e) {
  e.preventDefault();
  const button = e.currentTarget;
  const panel = button.closest("[data-name]") || button.closest("section");
  const a = document.createElement("a");
  button.disabled = true;
  try {
    a.href = URL.createObjectURL(await drawn(panel));
    a.download = `${(panel.dataset.name || panel.getAttribute("aria-label")).toLowerCase().replace(/\W+/g, "-")}.png`;
    a.click();
    setTimeout(() => URL.revokeObjectURL(a.href), 1000);
  } catch {
    button.textContent = "not in this browser";
  }
  button.disabled = false;
}
