"""`scratchpad eval-sae --sanity` and `scratchpad demo sanity`: an SAE's recipe beside baselines of the same budget, over seeds."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from scratchpad.cli.options import show
from scratchpad.cli.waiting import waiting
from scratchpad.errors import UserError

if TYPE_CHECKING:
    from scratchpad.experiments.certify import Plan
    from scratchpad.records.certificate import Certificate, Measure, Spread
    from scratchpad.sae.load import Sae
    from scratchpad.sae.pictures import Pictures
    from scratchpad.vlm.load import Vlm

PICTURES = 500  # held out, at most
COLUMN = 17  # characters


def add(parser: argparse.ArgumentParser) -> None:
    """Adds --sanity, with --labels, to `eval-sae`."""
    parser.add_argument("--sanity", action="store_true", help="train the SAE's recipe anew beside baselines of the same budget")
    parser.add_argument("--labels", help="with --sanity: as `index` takes them")
    budget(parser)


def budget(parser: argparse.ArgumentParser) -> None:
    """Adds what a certificate costs: --seeds, --steps, --asked, --edited, --seeds-in."""
    parser.add_argument("--seeds", type=int, default=5, help="with --sanity: how often everything is trained (default: %(default)s)")
    parser.add_argument("--steps", type=int, help="with --sanity: of every training (default: as the SAE's own)")
    asked, edited = (f"with --sanity: of how many {what}" for what in ("images a question is asked", "questions a latent is ablated"))
    parser.add_argument("--asked", type=int, help=f"{asked} (default: all)")
    parser.add_argument("--edited", type=int, default=100, help=f"{edited} (default: %(default)s)")
    parser.add_argument("--seeds-in", type=Path, metavar="FOLDER", help="with --sanity: keep seeds and baselines; go on with what is there")


def certify_on_images(options: argparse.Namespace, vlm: Vlm, sae: Sae, images: Pictures) -> None:
    """Trains on images that aren't set apart, measures on those that are, keeps the certificate in cfg.json and prints it.

    Raises:
        UserError: no labels, no recipe, too few seeds or images; a cluster.
    """
    import numpy as np

    from scratchpad.experiments.certify import Plan
    from scratchpad.experiments.sanity import Shown
    from scratchpad.sae.baselines import recipe_of
    from scratchpad.sae.pictures import labels_of

    if options.ray:
        raise UserError("--sanity was given with --ray; it trains and measures on one machine: leave --ray out.")
    seeds = seeds_of(options)
    recipe, own = recipe_of(sae, options.steps), sae.metadata.get("training_steps")
    images.set_apart()
    labels = labels_of(images, options.labels)
    # in no order of folders or names: the first half chooses latents, the second judges them
    order = np.random.default_rng(0).permutation(sorted(images.apart))[: options.most or PICTURES].tolist()
    prompts = options.prompt or ["Describe the image."]
    readable = [i for i, _ in images.in_order(order)]
    held_out = [Shown(partial(images.load, i), prompts[n % len(prompts)], frozenset(labels[i])) for n, i in enumerate(readable)]
    plan = Plan(
        at=sae.at,
        recipe=recipe,
        recipe_steps=own if isinstance(own, int) else None,
        seeds=seeds,
        training=lambda: images.shuffled(0),
        shown=held_out,
        asked=len(held_out) if options.asked is None else options.asked,
        edited=options.edited,
    )
    certify_and_show(options, vlm, sae, plan)


def seeds_of(options: argparse.Namespace) -> tuple[int, ...]:
    """Of every training: from 1 on, as 0 is what SAEs are trained with by default.

    Raises:
        UserError: fewer than 2; or fewer than no question, or than one step.
    """
    if options.seeds < 2:
        raise UserError(f"--seeds was {options.seeds}; expected at least 2: an interval over seeds needs them.")
    for name, least in (("steps", 1), ("asked", 0), ("edited", 0)):
        value = getattr(options, name)
        if value is not None and value < least:
            raise UserError(f"--{name} was {value}; expected at least {least}.")
    return tuple(range(1, options.seeds + 1))


def certify_and_show(options: argparse.Namespace, vlm: Vlm, sae: Sae, plan: Plan) -> None:
    """Certifies, keeps and prints.

    Raises:
        UserError: as `experiments.certify.certify`.
    """
    from scratchpad.experiments.certify import certify
    from scratchpad.sae.certificate import keep

    with _folder(options.seeds_in) as folder, waiting():
        certificate = certify(vlm, sae, plan, folder, lambda line: print(line, file=sys.stderr, flush=True))
    keep(sae.folder, certificate)
    show(certificate, options.json, table(certificate))


def table(certificate: Certificate) -> list[str]:
    """Lines: a column for the SAE, its recipe and every baseline, a row for every measure; * where a baseline is beaten."""
    from scratchpad.records.certificate import COMPARED, SAYS

    c = certificate
    wide = max(len(text) for text in SAYS.values()) + 2
    heads = ["this SAE", "trained anew", *(b.name for b in c.baselines)]
    lines = ["".ljust(wide) + "".join(head.rjust(COLUMN) for head in heads)]
    for name, says in SAYS.items():
        own = [f"{c.given[name]:.3f}" if name in c.given else "-", _cell(c.trained, name)]
        beside = [_cell(b.measures, name) + (("*" if b.beaten[name] else " ") if name in b.beaten else "") for b in c.baselines]
        lines.append(says.ljust(wide) + "".join(text.rjust(COLUMN) for text in (*own, *beside)))
    trained = f"{c.budget.steps} steps of {c.budget.size} among {c.budget.activations:,} activations"
    cut = c.budget.recipe_steps is not None and c.budget.recipe_steps != c.budget.steps
    lines += [
        f"{trained}{f' (the SAE itself: {c.budget.recipe_steps} steps)' if cut else ''}, seeds {', '.join(map(str, c.seeds))}",
        f"{c.pictures} held-out images, {c.labels} labels, {c.asked} questions, {c.edited} of them with a latent ablated",
        f"* beaten: the SAE itself and its recipe's 95% interval over seeds lie above the baseline's, of {len(COMPARED)} measures compared",
        *(f"{b.name}: {b.unmeasured}" for b in c.baselines if b.unmeasured),
    ]
    if c.shared:
        lines.append(
            f"latents shared between seeds (decoder cosine above 0.7): {c.shared.mean:.3f} ({c.shared.low:.3f} to {c.shared.high:.3f})"
        )
    return [*lines, c.sentence]


def _cell(measures: dict[Measure, Spread], name: Measure) -> str:
    """A mean with half its interval; a single value alone."""
    spread = measures.get(name)
    if spread is None:
        return "-"
    return f"{spread.mean:.3f}" + (f" ±{spread.mean - spread.low:.3f}" if len(spread.values) > 1 else "")


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    """Where seeds are kept, or where they are made and thrown away."""
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)
