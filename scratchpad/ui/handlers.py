"""What the page's buttons do: plain functions over the workbench, bad input turned into a sentence for the page.

They keep nothing between calls. A visitor's picture and question come with every call, so no one can see another's.
"""

from __future__ import annotations

import json
import logging
import math
from typing import Any

from scratchpad import views
from scratchpad.analysis.edit import ablation
from scratchpad.errors import UserError
from scratchpad.images import load_image
from scratchpad.records import Edit, LatentEdit
from scratchpad.trials import MOST
from scratchpad.ui import payload
from scratchpad.workbench import Workbench

log = logging.getLogger(__name__)
MAX_EDITS = 4096


class Handlers:
    """The page's functions, bound to one workbench."""

    def __init__(self, bench: Workbench, known: frozenset[str] = frozenset()):
        self.bench = bench
        self.known = known  # sha256 of pictures that are of the model's own world

    def ask(self, image: str | None, prompt: str) -> tuple[str | None, str, dict[str, str] | None]:
        """(analysis for the panels, status line, what was asked); the analysis is None when there is none to show."""
        try:
            picture = load_image(image)
            found = self.bench.analyze(picture, prompt)
            foreign = found.run.image_sha256 not in self.known
            return payload.analysis(self.bench, found, picture, foreign), "", {"image": image or "", "prompt": prompt}
        except UserError as error:
            return None, str(error), None
        except Exception:
            log.exception("ask failed")
            return None, "Something went wrong while answering; the page goes on working. Try again or try another image.", None

    def ablate(self, asked: dict[str, str] | None, event: dict[str, Any]) -> str:
        """The comparison under the edit, with its control, as JSON text; {"error": sentence} for bad input.

        With `smallest` in the event, the edit is the ablation of the fewest latents found that change the answer.
        """
        try:
            if not asked:
                raise UserError("Nothing was asked yet; ask a question about an image first.")
            found = self.bench.analyze(asked["image"], asked["prompt"])
            told: dict[str, Any] = {}
            if event.get("smallest"):
                least = self.bench.suffice(found)
                told = {"sufficient": views.sufficient_json(self.bench, least)}
                if not least.flipped:
                    raise UserError(f"No set of up to {MOST} latents changes the answer; {least.tried} were ablated.")
                edit = ablation(least.latents)
            else:
                edit = _edit(event)
            compared = self.bench.ablate(found, edit)
            control = self.bench.control(found, edit)
            return json.dumps(payload.comparison(compared, control) | told)
        except UserError as error:
            return json.dumps({"error": str(error)})
        except Exception:
            log.exception("ablate failed")
            return json.dumps({"error": "Something went wrong while asking again; the page goes on working."})

    def detail(self, latent: int) -> str:
        """A latent's reference images as JSON text."""
        try:
            return json.dumps(payload.detail(self.bench, int(latent)))
        except (UserError, ValueError, TypeError):
            return json.dumps({"references": []})


def _edit(event: dict[str, Any]) -> Edit:
    latents, scale = event.get("latents"), event.get("scale", 0)
    if not isinstance(latents, list) or not latents or len(latents) > MAX_EDITS:
        raise UserError(f"The test needs 1 to {MAX_EDITS} concepts; pick some from the cards or the heatmap.")
    if not isinstance(scale, int | float) or not math.isfinite(scale) or abs(scale) > 100:
        raise UserError(f"{scale!r} was given as strength; expected a number from 0 to 100.")
    if not all(isinstance(latent, int) for latent in latents):
        raise UserError("Latents are whole numbers; pick them from the cards or the heatmap.")
    return Edit(tuple(LatentEdit(latent, "scale", float(scale)) for latent in dict.fromkeys(latents)))
