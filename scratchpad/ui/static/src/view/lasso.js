// A rectangle drawn over a canvas with the pointer; a press that doesn't move is a click. The element after the canvas
// shows it.
import { noChange } from "lit-html";
import { directive, Directive } from "lit-html/directive.js";

const FEW = 6; // px: less is a click

class Lasso extends Directive {
  from = null;
  bound = false;
  render() {
    return noChange;
  }
  update(part, [drawn, clicked]) {
    Object.assign(this, { drawn, clicked });
    if (this.bound) return noChange;
    this.bound = true;
    const canvas = part.element;
    canvas.addEventListener("pointerdown", (e) => {
      this.from = at(e);
      canvas.setPointerCapture(e.pointerId);
    });
    canvas.addEventListener("pointermove", (e) => this.from && outline(canvas, box(this.from, at(e))));
    canvas.addEventListener("pointercancel", () => this.end(canvas));
    canvas.addEventListener("pointerup", (e) => {
      if (!this.from) return;
      const area = box(this.from, at(e));
      this.end(canvas);
      if (large(area)) this.drawn(area);
      else this.clicked(e);
    });
    return noChange;
  }
  end(canvas) {
    this.from = null;
    canvas.nextElementSibling.hidden = true;
  }
}

/** `${lasso(drawn, clicked)}`: drawn([x0, y0, x1, y1]) in the canvas's own pixels, clicked(event). */
export const lasso = directive(Lasso);

const at = (e) => {
  const r = e.currentTarget.getBoundingClientRect();
  return [e.clientX - r.left, e.clientY - r.top];
};
const box = ([ax, ay], [bx, by]) => [
  ...[Math.min(ax, bx), Math.min(ay, by)],
  ...[Math.max(ax, bx), Math.max(ay, by)],
];
const large = ([x0, y0, x1, y1]) => x1 - x0 > FEW || y1 - y0 > FEW;

function outline(canvas, area) {
  const [x0, y0, x1, y1] = area;
  const shown = canvas.nextElementSibling;
  shown.hidden = !large(area);
  const place = { left: x0, top: y0, width: x1 - x0, height: y1 - y0 };
  for (const [side, px] of Object.entries(place)) shown.style[side] = `${px}px`;
}
