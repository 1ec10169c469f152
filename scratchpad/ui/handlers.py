"""What the page's buttons do: plain functions over the workbench, bad input turned into a sentence for the page.

They keep nothing between calls. A visitor's picture and question come with every call, so no one can see another's.
"""

from __future__ import annotations

import json
import logging
import math
from dataclasses import replace
from typing import Any

from scratchpad import panels, views
from scratchpad.analysis.edit import ablation, scaling
from scratchpad.benches import Benches
from scratchpad.diagnose import as_json, diagnose
from scratchpad.errors import UserError
from scratchpad.grid import Box
from scratchpad.images import load_image
from scratchpad.needle.kept import OF_SAE, trust
from scratchpad.progress import Stopped
from scratchpad.records import Edit
from scratchpad.trials import MOST
from scratchpad.ui.told import told
from scratchpad.workbench import Workbench

log = logging.getLogger(__name__)
Asked = dict[str, str]  # image, prompt and choice of an analysis


class Handlers:
    """The page's functions, over the workbenches that are offered."""

    def __init__(self, benches: Benches | None, known: frozenset[str] = frozenset()):
        self.benches = benches
        self.known = known  # sha256 of pictures that are of the model's own world

    def bench(self, choice: object = None) -> Workbench:
        """The workbench of a visitor's choice."""
        if self.benches is None:
            raise UserError("This server has no model loaded; it shows cases that were kept.")
        return self.benches.of(str(choice) if choice else None)

    def ask(self, image: str | None, prompt: str, choice: str | None = None) -> tuple[str | None, str, Asked | None]:
        """(analysis for the panels, status line, what was asked); the analysis is None when there is none to show."""
        try:
            bench, picture = self.bench(choice), load_image(image)
            found = bench.analyze(picture, prompt)
            foreign = found.run.image_sha256 not in self.known
            drawn = json.loads(panels.analysis(bench, found, picture, foreign)) | {
                "choice": choice or "",
                "model": bench.vlm.name,
                "conceptTrust": trust(bench.vlm.identity, OF_SAE, bench.sae.identity),
                "retriever": self.benches.retriever_name if self.benches else None,
            }
            return json.dumps(drawn), "", {"image": image or "", "prompt": prompt, "choice": choice or ""}
        except UserError as error:
            return None, str(error), None
        except Stopped:
            raise
        except Exception:
            log.exception("ask failed")
            return None, "Something went wrong while answering; the page goes on working. Try again or try another image.", None

    def ablate(self, asked: Asked | None, event: dict[str, Any]) -> str:
        """The comparison under the edit, with its control, as JSON text; {"error": sentence} for bad input.

        With `smallest` in the event, the edit is the ablation of the fewest latents found that change the answer; with
        `diagnose`, what comes back is the diagnosis instead.
        """

        def act() -> dict[str, Any]:
            if not asked:
                raise UserError("Nothing was asked yet; ask a question about an image first.")
            bench = self.bench(asked.get("choice"))
            found = bench.analyze(asked["image"], asked["prompt"])
            beside: dict[str, Any] = {}
            target = event.get("target") if isinstance(event.get("target"), str) else None
            if event.get("diagnose"):
                return {"diagnosis": as_json(bench, diagnose(bench, found, asked["image"], target))}
            if event.get("smallest"):
                least = bench.suffice(found, target)
                beside = {"sufficient": views.sufficient_json(bench, least)}
                if not least.flipped:
                    does = f"brings out {target!r}" if target else "changes the answer"
                    raise UserError(f"No set of up to {MOST} latents {does}; {least.tried} were ablated.")
                edit = ablation(least.latents)
            else:
                edit = _edit(event)
            compared = bench.ablate(found, edit, target=target)
            control = bench.control(found, edit)
            return panels.comparison(bench, compared, control) | beside

        return told(act, "Something went wrong while asking again; the page goes on working.")


def _edit(event: dict[str, Any]) -> Edit:
    latents, scale = event.get("latents"), event.get("scale", 0)
    if not isinstance(latents, list) or not all(isinstance(latent, int) for latent in latents):
        raise UserError("Latents are whole numbers; pick them from the cards or the heatmap.")
    if not isinstance(scale, int | float):
        raise UserError(f"{str(scale)[:40]!r} was given as strength; expected a number from 0 to 100.")
    region, own = _region(event.get("region")), _own(event.get("scales"))
    items = (replace(item, region=region, value=own.get(item.latent, item.value)) for item in scaling(latents, scale).items)
    return Edit(tuple(items))


def _own(given: Any) -> dict[int, float]:
    """Strengths of single latents, where they differ from the slider's."""
    if given is None:
        return {}
    try:
        found = {int(latent): float(value) for latent, value in given.items()}
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise UserError("A latent's own strength is a number.") from error
    if not all(math.isfinite(value) and abs(value) <= 100 for value in found.values()):
        raise UserError("A latent's own strength is a number from -100 to 100.")
    return found


def _region(given: Any) -> Box | None:
    if given is None:
        return None
    if not isinstance(given, list) or len(given) != 4 or not all(isinstance(x, int | float) and math.isfinite(x) for x in given):
        raise UserError(f"{str(given)[:80]!r} was given as a region; expected y0, x0, y1, x1 in pixels: mark it on the picture.")
    return float(given[0]), float(given[1]), float(given[2]), float(given[3])
