// lit-html directives: a canvas that is drawn again when what it depends on changes.
import { noChange } from "lit-html";
import { directive, Directive } from "lit-html/directive.js";

class Draws extends Directive {
  key = null;
  render() {
    return noChange;
  }
  update(part, [key, draw]) {
    if (key === this.key) return noChange;
    this.key = key;
    const canvas = part.element;
    queueMicrotask(() => draw(canvas)); // once it stands in the page, with its size
    return noChange;
  }
}

/** `<canvas ${draws(key, (canvas) => ...)}>`: draws when `key` is another one than last time. */
export const draws = directive(Draws);
