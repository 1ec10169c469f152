// What every number on the page means, a hover away; the same words wherever it stands.
Scratchpad.words = {
  attention: "Share of the token's attention, mean over heads and layers, that falls on the brightest patch",
  activation: "Activation of the latent on a patch, as the SAE gives it; no unit",
  score: "Score: the latent's activation on each patch, weighted by the token's attention there, summed over patches",
  mean: "Mean of the latent's highest activation on an image, over the reference images on which it fires",
  sparsity: "Share of the reference images on which the latent fires",
  auroc: "AUROC: how well the latent's highest activation on an image tells images that carry its name from those that don't; 0.5 is chance",
  cosine: "Cosine of the two latents' decoder rows: 1 where they write the same, 0 where they have nothing in common",
  logprob: "Log-probability in nats: 0 is certain, −0.7 one in two, −2.3 one in ten",
  change: "Change of the log-probability under the edit, in nats: −0.7 is half as likely",
  likely: "Log-probability of the whole answer: the sum over its tokens, in nats",
  control: "Random sets of as many active latents, of like activation, are ablated too: what they do as often is no evidence",
  risen: "Highest activation on a patch, before and under the edit",
  heatmap: "Attention-weighted activation of each latent for each token; every column on its own scale",
  cluster: "How many latents are in the cluster",
  explained: "Variance explained: the share of the activations' variance on this image that the SAE's reconstruction keeps",
  accuracy: "Share of the images, one for every cell of the grid, in which the map is brightest in the needle's cell",
  chance: "How often a map that points anywhere would be right: one cell in so many",
  maxsim: "MaxSim: each query token's highest cosine over the image tokens, summed over the query",
  range: "The colours' ends: the lowest and the highest cosine on this page",
  histogram: "How many patches of the reference images have an activation in each range",
};
Scratchpad.means = (name) => ` title="${Scratchpad.escape(Scratchpad.words[name])}"`;
