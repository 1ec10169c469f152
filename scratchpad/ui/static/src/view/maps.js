// MAPS: how the picture becomes what a map is drawn over, and which map finds what it should.
import { html } from "lit-html";
import { needle, openNeedle } from "./needle.js";
import { openStages, stages } from "./stages.js";

export function openMaps(s) {
  openStages(s);
  openNeedle(s);
}

export const maps = (s) =>
  html`<section id="sp-stages" aria-label="Processing" data-name="processing">${stages(s)}</section>
    <section id="sp-needle" aria-label="Needle" data-name="needle">${needle(s)}</section>`;
