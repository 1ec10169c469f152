"""Pictures of a report: a row's picture, and where on it a latent fires. In: analyses. Out: data URLs, WebP."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from scratchpad.audit.answers import Answers
from scratchpad.audit.explain import Explainer
from scratchpad.draw.over import spotlight
from scratchpad.errors import UserError
from scratchpad.images import thumbnail
from scratchpad.records import Analysis
from scratchpad.records.audit import Group

SIDE = 168  # px of the longer side
SHOWN = 4  # rows of a group


@dataclass(frozen=True)
class Shown:
    """One row of a group, as its card shows it."""

    id: str
    question: str
    answer: str
    expected: str
    picture: str  # data URL
    lit: str  # data URL; "" where no latent of the group is active
    caption: str  # what is lit


def clearest(group: Group, answers: Answers, most: int = SHOWN) -> list[int]:
    """Rows of a group: those that were explained first, then those on which its first latent is most active; different pairs first."""
    numbers = [answers.place[name] for name in group.rows]
    peaks = np.zeros(len(answers))
    if group.latents:
        peaks = np.asarray(answers.peaks[:, [group.latents[0].id]].todense()).ravel()
    explained = set(group.explained)
    numbers.sort(key=lambda n: (answers.ids[n] not in explained, -peaks[n]))
    seen: set[tuple[str, str]] = set()
    first = [n for n in numbers if not ((pair := (answers.expected[n], answers.said[n])) in seen or seen.add(pair))]  # type: ignore[func-returns-value]
    return (first + [n for n in numbers if n not in first])[:most]


def shown(group: Group, answers: Answers, explainer: Explainer) -> list[Shown]:
    """The clearest rows of a group; those whose picture can't be read any more are left out."""
    out = []
    for number in clearest(group, answers):
        try:
            analysis = explainer.analysis(number)
        except UserError:
            continue
        latents, caption = _of(group, analysis, explainer, answers.said[number], answers.expected[number])
        picture = analysis.question.pictures()[0]
        values = np.max([analysis.codes.of(latent) for latent in latents], 0) if latents else np.zeros(analysis.run.grid.patches)
        lit = data_url(spotlight(picture, analysis.run.grid, values.astype(np.float32), side=SIDE)) if values.any() else ""
        asked, said, wanted = answers.questions[number], answers.said[number], answers.expected[number]
        out.append(Shown(answers.ids[number], asked, said, wanted, data_url(thumbnail(picture, SIDE)), lit, caption if lit else ""))
    return out


def _of(group: Group, analysis: Analysis, explainer: Explainer, said: str, expected: str) -> tuple[list[int], str]:
    """The latents that a card lights: the group's own; of rivals, those named after the expected."""
    own = [latent.id for latent in group.latents[:1]] or _named(analysis, explainer, expected) or _named(analysis, explainer, said)
    name = explainer.bench.name(own[0]) if own else ""
    return own, f"where {name or 'the latent'} (#{own[0]}) fires" if own else ""


def _named(analysis: Analysis, explainer: Explainer, text: str) -> list[int]:
    active: Sequence[int] = analysis.codes.active().tolist()
    return [latent for latent in active if explainer.bench.name(latent).lower() == text.strip().lower()][:1]


def data_url(picture: Image.Image) -> str:
    """A picture as a page carries it."""
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=80)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
