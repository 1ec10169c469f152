"""What the page says of maps as such: the stages a picture goes through, and live needle sweeps. Bad input is a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from scratchpad.benches import Benches, loaded
from scratchpad.errors import UserError
from scratchpad.images import load_images
from scratchpad.needle.datasets import DATASETS
from scratchpad.needle.live import answering, example, measure, measured, retrieving
from scratchpad.needle.subject import Subject
from scratchpad.progress import step
from scratchpad.records import Question, dump
from scratchpad.records.edit import boxed
from scratchpad.records.sweep import SCENES
from scratchpad.records.views import Layers
from scratchpad.ui import tables
from scratchpad.ui.envelope import data_url, key_of
from scratchpad.ui.handlers import Handlers
from scratchpad.ui.held import Asked, Event, same
from scratchpad.ui.replies import answered
from scratchpad.ui.texts import question, short
from scratchpad.workbench import Workbench, question_of, side_by_side


class Studies:
    """The page's functions about maps, over what is offered."""

    def __init__(self, handlers: Handlers):
        self.handlers = handlers

    @property
    def benches(self) -> Benches:
        """What is offered.

        Raises:
            UserError: nothing is.
        """
        return loaded(self.handlers.benches)

    def stages(self, asked: Asked | None, event: Event) -> str:
        """The stages of the picture on show, as the VLM or, with `query`, as the retrieval model makes them; JSON text."""

        def act() -> dict[str, object]:
            if event.get("by") == "page":
                known = same(asked, event)
                picture = load_images(known.images)[0]
                stages, study = self.benches.pages().study(picture, short(event.get("query"), "A query") or known.prompt)
                return dump(tables.stages(stages)) | tables.page_study(study)
            bench, analysis = self.handlers.analysis(asked, event)
            return dump(tables.stages(bench.stages(analysis)))

        return answered(act)

    def layers(self, asked: Asked | None, event: Event) -> str:
        """The question on show, read at every layer that an SAE is offered for; JSON text."""

        def act() -> dict[str, object]:
            known = same(asked, event)
            return dump(layers(self.benches, known.choice, question_of(load_images(known.images), known.prompt, known.settings)))

        return answered(act)

    def influence(self, asked: Asked | None, event: Event) -> str:
        """What the concepts at one of LAYERS' places do to those at a later one; JSON text."""

        def act() -> dict[str, object]:
            known = same(asked, event)
            offered = self.benches.layers(known.choice)
            here, there = (_nth(offered, event.get(side)) for side in ("source", "target"))
            analyses = [bench.ask(question_of(load_images(known.images), known.prompt, known.settings)) for bench in (here, there)]
            return dump(tables.influence(here.influence(analyses[0], there), *analyses))

        return answered(act)

    def heads(self, asked: Asked | None, event: Event) -> str:
        """A token's attention by layer and head; JSON text."""

        def act() -> dict[str, object]:
            token = event.get("token")
            if type(token) is not int:
                raise UserError("No token was chosen; choose a word of the question or of the answer.")
            bench, analysis = self.handlers.analysis(asked, event)
            return dump(bench.attention_by_head(analysis, token))

        return answered(act)

    def steer(self, asked: Asked | None, event: Event) -> str:
        """What one latent does to the answer as its strength grows; JSON text."""

        def act() -> dict[str, object]:
            latent, token = event.get("latent"), event.get("token")
            if type(latent) is not int or not (token is None or type(token) is int):
                raise UserError("No latent was chosen; open one from a card.")
            bench, analysis = self.handlers.analysis(asked, event)
            return dump(bench.steer(analysis, latent, token))

        return answered(act)

    def place(self, asked: Asked | None, event: Event) -> str:
        """The latents that fire in a region of a picture on show and not elsewhere in it; JSON text."""

        def act() -> dict[str, object]:
            image, region = event.get("image"), event.get("region")
            if not isinstance(region, list) or not (image is None or type(image) is int):
                raise UserError("No region was marked; mark a part of the picture first.")
            bench, analysis = self.handlers.analysis(asked, event)
            return dump(bench.in_region(analysis, boxed(region), image or 0))

        return answered(act)

    def tree(self, asked: Asked | None, event: Event) -> str:
        """The heatmap's latents as a tree; JSON text."""

        def act() -> dict[str, object]:
            bench, analysis = self.handlers.analysis(asked, event)
            return dump(bench.tree(analysis, str(event.get("by"))))

        return answered(act)

    def compare(self, asked: Asked | None, event: Event, images: Sequence[str]) -> str:
        """The answer on show beside that to another question, picture or SAE, which is drawn, and what they share; JSON text.

        Args:
            images: the other's files. Attention is weighed as on show.
        """

        def act() -> dict[str, object]:
            _, left = self.handlers.analysis(asked, event)
            assert asked is not None, "an analysis is of what was asked"
            prompt, choice = event.get("prompt"), event.get("choice")
            right, drawn = self.handlers.read(images, question(prompt), str(choice or ""), asked.settings)
            if key_of(right) == asked.key:
                raise UserError("This is what is on show: choose another picture, ask another question, or read it with another SAE.")
            return {"right": drawn, "matched": dump(side_by_side(left, right).matched)}

        return answered(act)

    def needle(self, asked: Asked | None, event: Event) -> str:
        """A live sweep; JSON text."""

        def act() -> dict[str, object]:
            subject = self._subject(event.get("by"), asked.choice if asked else None)
            methods, cells = event.get("methods"), _cells(event.get("cells"))
            if not isinstance(methods, list) or not all(isinstance(name, str) for name in methods):
                raise UserError("No method was chosen; choose one or more.")
            summary = measure(subject, str(event.get("dataset")), cells, methods)
            return tables.needle(summary, asked.prompt if asked else "") | {"src": data_url(example(summary)), "by": event.get("by")}

        return answered(act)

    def measured(self, given: object) -> dict[str, object]:
        """What there is to choose from, and what was measured before; given [choice, by].

        Raises:
            UserError: there is no such model here.
        """
        choice, by = given if isinstance(given, list) and len(given) == 2 else ("", "")
        subject = self._subject(by, choice)
        names = [self.benches.of(choice or None).model_ref.name] + ([self.benches.retriever_name] if self.benches.retriever_name else [])
        usual = {
            "methods": list(subject.methods),
            "usual": subject.usual,
            "datasets": list(DATASETS),
            "models": names,
            "columns": [*DATASETS, SCENES],
        }
        return usual | {"before": tables.before(measured(subject.identity, subject.sae.identity if subject.sae else None))}

    def _subject(self, by: object, choice: object) -> Subject:
        if by == "page":
            return retrieving(self.benches.pages())
        bench = self.benches.of(str(choice) if choice else None)
        return answering(bench)


def layers(benches: Benches, choice: str, asked: Question) -> Layers:
    """A question, read at every layer that an SAE of the chosen model is offered for."""
    offered = benches.layers(choice)
    rows = []
    for n, bench in enumerate(offered):
        step("reading layers", n, len(offered))
        rows.append(tables.layer(bench.ask(asked)))
    return Layers(tuple(rows), offered[0].n_layers)


def _nth(offered: Sequence[Workbench], place: object) -> Workbench:
    if type(place) is not int or not 0 <= place < len(offered):
        raise UserError(f"{str(place)[:20]!r} was given as a place; expected a number from 0 to {len(offered) - 1}.")
    return offered[place]


def _cells(given: object) -> tuple[int, int]:
    try:
        rows, cols = (int(part) for part in str(given).lower().replace("×", "x").split("x"))
    except ValueError as error:
        raise UserError(f"{str(given)[:20]!r} was given as cells; expected rows x columns such as 7x7.") from error
    return rows, cols
