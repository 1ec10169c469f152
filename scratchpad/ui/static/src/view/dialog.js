// A <dialog> that opens as it's drawn.
import { noChange } from "lit-html";
import { directive, Directive } from "lit-html/directive.js";

class Modal extends Directive {
  render() {
    return noChange;
  }
  update({ element }) {
    queueMicrotask(() => element.isConnected && !element.open && element.showModal());
    return noChange;
  }
}
export const showModal = directive(Modal)();
