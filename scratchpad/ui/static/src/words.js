// What the page's terms mean: one entry each, said in the glossary's drawer and on every number's hover.
import { html } from "lit-html";
import { set } from "./store.js";

export const words = {
  latent: [
    "Latent (concept)",
    "One of the SAE's directions. It fires on some patches of some pictures; what those have " +
      "in common is the concept it stands for.",
  ],
  sae: [
    "SAE (sparse autoencoder)",
    "Rewrites what the vision encoder holds of a patch as a sum of a few latents out of many. " +
      "What it can't rewrite is its error.",
  ],
  patch: [
    "Patch",
    "One square of the picture, as the vision encoder reads it. Rows and columns are counted from 1.",
  ],
  attention: [
    "Attention",
    "How a token's reading of the picture is shared out among the patches: mean over heads " +
      "and layers (all, unless some are chosen), summing to 100%. It shows where the model looked, not what it used.",
  ],
  activation: [
    "Strength (activation)",
    "How strongly a latent fires on a patch, as the SAE gives it; it has no unit.",
  ],
  score: [
    "Score",
    "A latent's strength on each patch, weighted by the chosen token's attention there, summed over patches.",
  ],
  plain: [
    "Plain mean",
    "A latent's strength, averaged over all patches of this picture: no token has a say.",
  ],
  region: [
    "Inside and outside a region",
    "A latent's strength, averaged over the region's patches, and over all others of the same picture. Concepts of a " +
      "region are in the order of the difference.",
  ],
  everywhere: [
    "Everywhere",
    "The latent fires on more than half of the reference pictures. It may be part of the " +
      "scenery rather than of this picture.",
  ],
  name: [
    "Name",
    "Shown as a claim only where held-out pictures back it at this strength; else it's a " +
      "guess, and looks like one.",
  ],
  sparsity: ["In how many pictures", "Share of the reference pictures on which the latent fires at all."],
  mean: [
    "Mean strength",
    "Strength over a whole picture (mean over patches), averaged over the reference pictures " +
      "on which the latent fires.",
  ],
  auroc: [
    "AUROC",
    "How well the latent's highest strength tells pictures that carry its label from the " +
      "others; 0.5 is chance, 1 is never wrong.",
  ],
  logprob: [
    "Log-probability",
    "Natural logarithm of a probability, in nats: 0 is certain, −0.7 one in two, −2.3 one in ten.",
  ],
  change: ["Change of log-probability", "Under the edit, in nats: −0.7 is half as likely, −2.3 a tenth."],
  total: [
    "Change of the answer",
    "Change of the whole original answer's log-probability under the edit: the sum over its tokens, in nats.",
  ],
  control: [
    "Control",
    "The same edit on random sets of as many active latents of like activation. What they do " +
      "as often is no evidence.",
  ],
  noise: ["Noise", "Random directions as long as the edit's own change, on every patch."],
  reconstruction: [
    "Bare reconstruction",
    "The SAE's rewriting alone, its error left out, with no latent edited.",
  ],
  verdict: [
    "Verdict",
    "Supported: the edit does what its controls don't. Not supported: they do it too, or it " +
      "does nothing. Inconclusive: it couldn't be tested.",
  ],
  head: [
    "Attention head",
    "Each layer of the language model reads by several heads, each with its own attention; the map of a word is " +
      "their mean, unless a head is chosen.",
  ],
  dose: [
    "Dose and response",
    "The model asked again with one latent's strength multiplied by 0 to 4, everywhere on the picture: how likely " +
      "the original answer is then, and what it answers.",
  ],
  direct: [
    "Direct effect on words",
    "What the latent adds to the image tokens, read by the output layer as if it were the language model's last " +
      "state (logit lens). No layer in between has a say, so it needn't happen.",
  ],
  edit: [
    "Edit",
    "What is changed before the model is asked again: a latent's strength is multiplied, set " +
      "or added to, everywhere or in a region.",
  ],
  risen: [
    "More active now",
    "Latents that the edit left alone and that fire more under it: where a concept may come back.",
  ],
  grey: [
    "Grey picture",
    "The same question with a grey picture of the same size. The same answer there is habit, not sight.",
  ],
  heatmap: [
    "Heatmap",
    "Attention-weighted strength of each latent for each token. Each column has its own " +
      "scale, unless raw values are shown.",
  ],
  cluster: [
    "Cluster",
    "Latents whose columns rise and fall together across tokens (1 − Pearson correlation, average linkage).",
  ],
  tree: [
    "Tree of likeness",
    "Hierarchical clustering of the heatmap's latents (average linkage): by the angle between what they add to the " +
      "activations (decoder rows), or by which words draw on them.",
  ],
  explained: [
    "Variance explained",
    "Share of the activations' variance on this picture that the SAE's rewriting keeps.",
  ],
  needle: [
    "Needle",
    "A benchmark of maps: one special cell in a grid. A map is right when its brightest cell " +
      "is the needle's.",
  ],
  accuracy: [
    "Accuracy of a map",
    "Share of the needle's pictures, one for every cell, in which the map is brightest in the needle's cell.",
  ],
  chance: ["By chance", "How often a map that points anywhere would be right: one cell in so many."],
  maxsim: ["MaxSim", "Each query token's highest cosine over the image tokens, summed over the query."],
  cosine: ["Cosine", "Of two vectors: 1 where they point the same way, 0 where they have nothing in common."],
  spearman: [
    "Rank correlation",
    "Spearman's, of predicted and real effects: 1 if they put the latents in the same order, 0 if in none.",
  ],
  entropy: [
    "Label entropy",
    "How mixed the labels of a latent's top pictures are: 0 where all carry one label.",
  ],
  histogram: [
    "Histogram",
    "How many patches of the reference pictures have a strength in each range, from 2⁻⁶ to " +
      "2⁹; heights are logarithmic.",
  ],
  counter: [
    "Counter-example",
    "A picture that carries the label, and on which the latent stays silent, or the other way round.",
  ],
};

/** A term with its meaning: hover for a line, press for the glossary. */
export const term = (key, text = words[key][0].toLowerCase()) =>
  html`<button
    type="button"
    class="sp-term"
    data-term=${key}
    title=${words[key][1]}
    @click=${(e) => {
      e.stopPropagation();
      set({ drawer: "glossary", term: key });
    }}
  >
    ${text}
  </button>`;

export const meaning = (key) => words[key][1];
