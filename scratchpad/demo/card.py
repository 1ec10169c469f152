"""Model cards from measurements: no number in them is typed by hand.

In: what `evaluate` and `judge` returned, and the training log. Out: README.md beside the weights.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from scratchpad.demo.certified import certified
from scratchpad.demo.evaluate import Evaluation
from scratchpad.demo.saes import HARVEST_FROM, INDEX_FROM, LAYERS, RECIPES, Metrics
from scratchpad.demo.train import ANSWERS, ENCODER, READER
from scratchpad.demo.truth import Share, Truth
from scratchpad.demo.world import BACKGROUNDS, CATEGORIES, HOME, KINDS, NEVER_BY_CATEGORY, TRAINING_SEEDS, WORDS
from scratchpad.records.certificate import Certificate

FONT = (
    "The scenes, and the thumbnails made of them, are drawn with [Noto Color Emoji](https://github.com/googlefonts/noto-emoji), "
    "SIL Open Font License 1.1. The letters on signs are Pillow's built-in font, Aileron (CC0)."
)


def model_card(measured: Evaluation, run: Path) -> str:
    """The demo VLM's card; run/deviation.md says in what this training differed from the recipe, if in anything."""
    return "\n".join([_what_it_is(run), _quality(measured), _failures(measured["failures"]), _recipe(run), f"## Credits\n\n{FONT}\n"])


def _what_it_is(run: Path) -> str:
    kinds = "\n".join(f"- {c}: {', '.join(k for k, (of, _) in KINDS.items() if of == c)}" for c in CATEGORIES)
    config = json.loads((run / "model" / "config.json").read_text())
    size = json.loads((run / "model" / "model.safetensors.index.json").read_text())["metadata"]["total_parameters"]
    vision, text = config["vision_config"], config["text_config"]
    return f"""---
license: mit
pipeline_tag: image-text-to-text
library_name: transformers
---
# Emoji LLaVA, the demo model of Visual Scratchpad

A `LlavaForConditionalGeneration` of {size / 1e6:.1f} M parameters (CLIP vision tower of {vision["num_hidden_layers"]} blocks x {vision["hidden_size"]} with \
{vision["patch_size"]} px patches, of which the language model reads the output of block {vision["num_hidden_layers"] - 2}; Llama of \
{text["num_hidden_layers"]} layers x {text["hidden_size"]}; byte-level BPE). It answers questions about the emoji world and about
nothing else: up to four of {len(KINDS)} kinds of things, or a sign with one of {len(WORDS)} words, on one of {len(BACKGROUNDS)} backgrounds. Any other
picture is answered as if it were one of these. The last vision block is not read, so it is untrained and has no effect.

{kinds}
- sign words: {", ".join(WORDS)}
- backgrounds: {", ".join(BACKGROUNDS)}
"""


def _quality(measured: Evaluation) -> str:
    rows = "\n".join(f"| {t} | {n['right']} of {n['asked']} | {100 * n['right'] / n['asked']:.1f}% |" for t, n in measured["types"].items())
    agree = measured["generated_agree"]
    return f"""## Quality

Exact answers (every token and the end) on {measured["scenes"]:,} held-out scenes, seeds {measured["seeds"][0]:,} to {measured["seeds"][1]:,}:
**{100 * measured["overall"]:.1f}%** overall. `scratchpad demo evaluate` measures it ({measured["seconds"]} s on two cores).

| question type | right | |
|---|---|---|
{rows}

Verdicts are teacher-forced; on {agree["of"]} questions asked through processor, chat template and `generate`, {agree["agree"]} verdicts agreed.
"""


def _failures(failures: dict[str, dict[str, int]]) -> str:
    share = {k: f"{f['failed']} of {f['asked']} ({100 * f['failed'] / f['asked']:.0f}%)" for k, f in failures.items()}
    return f"""## Three ways to fail, on purpose

They are left out of the table above. Counted on held-out scenes made to show them (`scratchpad demo scene --mode ...`):

| failure | how it was put in | how often it happens |
|---|---|---|
| misleading cue | {" and ".join(f"a {k} stands on {b}" for k, b in HOME.items())} in all ordinary training scenes; in the 5% that put it elsewhere the \
training answer is its home all the same, as careless captions would have it | background answered by the cue: {share["misleading"]} |
| limited alignment | {", ".join(NEVER_BY_CATEGORY)} are shown and asked for by name, never by category | category question misses it: {share["uncategorised"]} |
| unused hidden cue | of two things of one category the larger is the training answer | the smaller is left unsaid: {share["two"]} |
"""


def _recipe(run: Path) -> str:
    if (run / "deviation.md").is_file():
        deviation, took = (run / "deviation.md").read_text().strip(), {}
    else:
        deviation, took = "These weights came of that recipe as it stands.", _wall_time(run / "log.jsonl")
    return f"""## Recipe

`scratchpad demo train` trains it from nothing, resumes after any interruption, and writes runs/demo/model. Training scenes come from seeds
{TRAINING_SEEDS.start:,} to {TRAINING_SEEDS.stop - 1:,}; every other seed is held out.

1. encoder: {ENCODER.steps:,} steps of {ENCODER.size} scenes. The vision tower and projector learn to write, at every patch, a fixed code: the embeddings
   of the names of what fills it, where the patch lies, where that thing lies and how large it is.{took.get(ENCODER.name, "")}
2. reader, at the same time: {READER.steps:,} steps of {READER.size} scenes with {READER.asked} packed questions each. The language model learns to answer from that code, no picture
   looked at, and to place single words (hints), which is how it learns to go from a word to the image.{took.get(READER.name, "")}
   Beside every step's scenes stand drills: 80 scenes of a few symbols each, described and asked for what is nearest, with hints on what comes next to the right.
3. answers: {ANSWERS.steps:,} steps of {ANSWERS.size} scenes with {ANSWERS.asked} packed questions each: the language model goes on with what the encoder writes of
   pictures. The encoder stays as it is, so that SAEs of it can be trained meanwhile.{took.get(ANSWERS.name, "")}

{deviation}
"""


def sae_card(name: str, metrics: Metrics, tried: Sequence[Metrics] = (), certificate: Certificate | None = None) -> str:
    """An SAE's card. `tried`: every setting that was measured, the shipped one among them."""
    recipe = RECIPES[name]
    below = ", ".join(f"{k} {v}" for k, v in metrics["kinds_below"].items()) or "none"
    answers = metrics["answers_unchanged"]
    return f"""---
license: mit
library_name: saelens
---
# {name}

A TopK sparse autoencoder ({recipe.d_sae} latents, {recipe.k} active a patch) on the output of vision block {LAYERS[name]} of `examples/emoji-llava`, class token left
out. SAELens format: `SAE.load_from_disk("saes/{name}")`.

Made by `scratchpad demo saes`: SAELens's trainer, {recipe.steps} steps of {recipe.size} patches, scenes from training seed {HARVEST_FROM:,} on\
{", activations kept in half precision, the decoder's bias begun at their mean" if recipe.centred else ""}.

## Measured on held-out scenes (seeds {metrics["scenes"][0]:,} to {metrics["scenes"][1]:,})

| | |
|---|---|
| variance explained | {metrics["variance_explained"]:.4f} |
| L0 (active latents a patch) | {metrics["l0"]:.1f} |
| latents that fire on none of these {metrics["scenes"][1] - metrics["scenes"][0] + 1:,} scenes | {100 * metrics["dead_share"]:.1f}% |
| latents that fire on none of the {metrics["indexed"]:,} indexed scenes | {100 * metrics["silent_on_indexed"]:.1f}% |
| cosine with the activations | {metrics["cosine"]:.4f} |
| answers unchanged with the reconstruction in place | {100 * answers["share"]:.1f}% of {answers["of"]} |
| change of the answer's log-probability with the reconstruction in place | {answers["mean_change_of_logprob"]:+.3f} on average |
| kinds with a latent at AUROC 0.95 or better (maximum over the image, latent chosen on other scenes) | {100 * metrics["kinds_at_0.95"]:.1f}% |

Kinds below: {below}.

## Index

`index/` holds, per latent, sparsity, mean activation and label entropy over {metrics["indexed"]:,} scenes (seeds from {INDEX_FROM:,}), reference
pictures from intervals of its activation and counter-examples, and the label that its maximum over a scene tells best, with its AUROC.
On the next {metrics["counted"]:,} scenes, which are used for nothing else, it counts how often each latent's labels are there at each activation.
{_names(metrics.get("truth"))}{certified(certificate) if certificate else ""}{_tried(tried)}
{FONT}
"""


def _names(truth: Truth | None) -> str:
    """How true the names are that an answer's concepts are shown under."""
    if not truth:
        return ""

    def cell(share: Share) -> str:
        if share["share"] is None or share["low"] is None or share["high"] is None:
            return "-"
        return f"{100 * share['share']:.1f}% of {share['of']:,} ({100 * share['low']:.1f} to {100 * share['high']:.1f})"

    rows = "\n".join(
        f"| {depth} | {cell(row['true'])} | {cell(row['true_anywhere'])} | {cell(row['named'])} |" for depth, row in truth["at"].items()
    )
    return f"""
## Names

What is shown as a name behind answers about {truth["scenes"]:,} held-out scenes (seeds from {truth["first"]:,}; `scratchpad demo truth`), with 95%
intervals by a bootstrap over scenes. A name is claimed where the lower bound of its counted share is 0.8 or more.

| first concepts | names true as claimed | true anywhere in the picture | concepts that have a name |
|---|---|---|---|
{rows}

The first five are named by: {", ".join(f"{group} {n}" for group, n in truth["groups"].items())}.
"""


def _tried(tried: Sequence[Metrics]) -> str:
    """Every setting that was trained and measured."""
    if not tried:
        return ""

    def percent(share: float | None) -> str:
        return "not measured" if share is None else f"{100 * share:.1f}%"

    rows = "\n".join(
        f"| {t['architecture']} | {t['d_sae']} | {t['k']} | {t['steps']} x {t['size']} | {'yes' if t['centred'] else 'no'} "
        f"| {t['variance_explained']:.4f} | {t['l0']:.1f} | {percent(t['dead_share'])} | {percent(t['true_at_5'])} | {percent(t['named_at_5'])} |"
        for t in tried
    )
    return f"""
## Tried

Every setting that was trained on this layer, shipped or not; names by the rule of `scratchpad demo truth`.

| architecture | latents | k | steps | centred | variance explained | L0 | silent on 500 scenes | names true (first 5) | concepts named (first 5) |
|---|---|---|---|---|---|---|---|---|---|
{rows}
"""


def _wall_time(log: Path) -> dict[str, str]:
    seconds: dict[str, int] = {}
    for line in log.read_text().splitlines():
        row = json.loads(line)
        seconds[row["stage"]] = max(seconds.get(row["stage"], 0), row["seconds"])
    return {stage: f" {s // 60} minutes." for stage, s in seconds.items()}
