"""What `scratchpad demo scene` does: a picture and its ground truth as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from scratchpad.demo.draw import draw_scene
from scratchpad.demo.labels import LABELS, patch_labels
from scratchpad.demo.questions import all_questions
from scratchpad.demo.world import Mode, sample_scene
from scratchpad.errors import UserError


def scene(seed: int, mode: Mode, out: Path) -> dict[str, Any]:
    """Draws a scene to `out` and returns {seed, mode, background, objects, labels, questions}; labels: everything true of it somewhere.

    Raises:
        UserError: the emoji font is missing, the seed is negative or `out` can't be written.
    """
    try:
        ground = sample_scene(seed, mode)
        drawn = draw_scene(ground)
        Image.fromarray(drawn.pixels).save(out)
    except ValueError as error:
        raise UserError(str(error)) from error
    except OSError as error:
        raise UserError(f"{out} could not be written ({error}); expected a path ending in .png in an existing folder.") from error
    objects = [
        {"name": t.name, "category": t.category, "box": list(box), **({"word": t.word} if t.word else {})}
        for t, box in zip(ground.things, drawn.boxes, strict=True)
    ]
    labels = [LABELS[i] for i in np.flatnonzero(patch_labels(ground, drawn).any(0))]
    questions = [{"text": q.text, "answer": q.answer, "type": q.type} for q in all_questions(ground)]
    about = {"seed": seed, "mode": mode, "background": ground.background}
    return about | {"objects": objects, "labels": labels, "questions": questions}
