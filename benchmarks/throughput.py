"""What streaming costs: `python -m benchmarks.throughput`.

Harvesting activations against the encoder alone; a training step against SAELens' own trainer fed from memory; an attention
sweep against plain forward passes. Both sides over the same images, in the same run, taken in turn.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.measure import Cost, costs, report, row
from benchmarks.models import build, sizes
from scratchpad.sae.harvest import harvest
from scratchpad.sae.train import Fit, Recipe
from scratchpad.saliency.look import look
from scratchpad.saliency.methods import METHODS
from scratchpad.saliency.request import SaliencyRequest
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.prepare import Prepared, prepare


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    sizes(parser)
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--latents", type=int, default=8192)
    parser.add_argument("--batch", type=int, default=2048)
    parser.set_defaults(vision_layers=12, vision_width=768, layers=4, width=512)
    options = parser.parse_args()
    vlm, _ = build(options)
    side = 2 * options.side * 14
    rng = np.random.default_rng(0)
    images = [Image.fromarray(rng.integers(0, 255, (side, side, 3), dtype=np.uint8)) for _ in range(options.images)]
    at = vlm.read_point
    prepared = [prepare(vlm, image, "where is it") for image in images]
    cost = costs(
        {
            "encoder alone, pixels ready": lambda: _encode(vlm, prepared),
            "encoder alone, from pictures": lambda: _encode(vlm, [prepare(vlm, image, "-") for image in images]),
            "harvested": lambda: list(harvest(vlm, images, [at])),
        },
        options.device,
        options.repeat,
    )
    base = cost["encoder alone, from pictures"]
    rows = [row(f"harvesting: {name}", one, throughput=f"{base.seconds / one.seconds:.2f} of the encoder's") for name, one in cost.items()]
    with TemporaryDirectory() as folder:
        rows += _training(options, vlm.width, Path(folder))
    swept = costs(
        {
            "plain forward": lambda: _forward(vlm, prepared),
            "attention map": lambda: [
                METHODS["attention"](look(vlm, SaliencyRequest(image, "where is it", max_new_tokens=1), at)) for image in images
            ],
        },
        options.device,
        options.repeat,
    )
    base = swept["plain forward"]
    rows += [row(f"sweep: {name}", one, throughput=f"{base.seconds / one.seconds:.2f} of plain passes'") for name, one in swept.items()]
    report("throughput", rows, {"images": options.images, "patches": prepared[0].grid.patches, "latents": options.latents}, options.json)


@torch.no_grad()
def _encode(vlm: Vlm, prepared: list[Prepared]) -> None:
    model: Any = vlm.model
    for one in prepared:
        model.get_image_features(pixel_values=one.inputs["pixel_values"], image_sizes=one.inputs["image_sizes"])


@torch.no_grad()
def _forward(vlm: Vlm, prepared: list[Prepared]) -> None:
    for one in prepared:
        vlm.model(**one.inputs, use_cache=True, logits_to_keep=1)


def _training(options: argparse.Namespace, d_in: int, folder: Path) -> list[dict[str, Any]]:
    """A step of ours, out of a buffer that is mixed, and SAELens' own loop over tensors in memory."""
    rows = torch.randn(options.batch * 8, d_in, generator=torch.Generator().manual_seed(0))

    def batches() -> Iterator[torch.Tensor]:
        for n in count():
            yield rows[(n % 8) * options.batch : (n % 8 + 1) * options.batch]

    recipe = Recipe(d_sae=options.latents, k=32, steps=1_000_000, size=options.batch)
    ours, theirs = (Fit(recipe, d_in, batches(), folder / name) for name in ("ours", "theirs"))

    def own_loop() -> None:
        trainer = theirs.trainer
        for batch in islice(trainer.data_provider, 3):
            trainer.maybe_reset_sparsity()
            trainer.step(batch)
            trainer.n_training_steps += 1

    def stepped() -> None:
        for _ in range(3):
            ours.numbers(ours.advance())

    cost: dict[str, Cost] = costs({"SAELens' trainer": own_loop, "train-sae": stepped}, options.device, options.repeat)
    base = cost["SAELens' trainer"]
    return [row(f"training: {name}", one, throughput=f"{base.seconds / one.seconds:.2f} of SAELens'") for name, one in cost.items()]


if __name__ == "__main__":
    main()
