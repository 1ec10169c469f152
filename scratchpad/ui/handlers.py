"""What the page's buttons do: plain functions over the workbench, bad input turned into a sentence for the page.

They keep nothing between calls. A visitor's pictures and question come with every call, so no one can see another's.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import replace

from scratchpad.benches import Benches, loaded
from scratchpad.errors import UserError
from scratchpad.images import load_images, sha256
from scratchpad.progress import Stopped
from scratchpad.records import Analysis, Edit, Sampling, Settings, Sufficient, Test, dump
from scratchpad.records.edit import ablation
from scratchpad.records.reading import checked, numbers, read
from scratchpad.ui.envelope import key_of, live
from scratchpad.ui.held import Asked, Event, same
from scratchpad.ui.replies import answered
from scratchpad.ui.texts import question, short
from scratchpad.workbench import MAX_LATENTS, SUGGESTED, Workbench, question_of

log = logging.getLogger(__name__)
VERIFIED = 128  # latents that are likeliest to matter, which are ablated one by one
WRONG = "Something went wrong while asking again; the page goes on working."


class Handlers:
    """The page's functions, over the workbenches that are offered."""

    def __init__(self, benches: Benches | None, known: frozenset[str] = frozenset()):
        self.benches = benches
        self.known = known  # sha256 of pictures that are of the model's own world

    def bench(self, choice: object = None) -> Workbench:
        """The workbench of a visitor's choice."""
        return loaded(self.benches).of(str(choice) if choice else None)

    def ask(
        self, images: Sequence[str], prompt: str, choice: str | None = None, settings: Settings | None = None
    ) -> tuple[str | None, str, Asked | None]:
        """(what the panels draw, status line, what was asked); the first is None when there is none to show."""
        try:
            analysis, drawn = self.read(images, prompt, choice, settings)
            asked = Asked(tuple(images), prompt, choice or "", key_of(analysis), analysis.question.settings)
            return json.dumps(drawn, allow_nan=False), "", asked
        except UserError as error:
            return None, str(error), None
        except Stopped:
            raise
        except Exception:
            log.exception("ask failed")
            return None, "Something went wrong while answering; the page goes on working. Try again or try another image.", None

    def read(self, images: Sequence[str], prompt: str, choice: str | None, settings: Settings | None) -> tuple[Analysis, dict[str, object]]:
        """What a question gives, and what the panels draw for it.

        Raises:
            UserError: a picture, the question or a setting can't be used.
        """
        bench, pictures = self.bench(choice), load_images(images or [None])
        analysis = bench.ask(question_of(pictures, question(prompt), settings))
        foreign = any(sha256(picture) not in self.known for picture in pictures)
        retriever = self.benches.retriever_name if self.benches else None
        return analysis, live(analysis, choice or "", bench.vlm.own_world if foreign else None, retriever)

    def test(self, asked: Asked | None, event: Event) -> str:
        """What an event of the test bar asks for, by its `do`, as JSON text; {"error": sentence} for bad input."""
        acts = {
            "ablate": self._ablate,
            "suggested": self._suggested,
            "smallest": self._smallest,
            "diagnose": self._diagnose,
            "verify": self._verify,
        }

        def act() -> dict[str, object]:
            name = event.get("do")
            if name not in acts:
                raise UserError(f"{str(name)[:40]!r} was asked for; expected one of {', '.join(acts)}.")
            bench, analysis = self.analysis(asked, event)
            return acts[name](bench, analysis, event)

        return answered(act, WRONG)

    def analysis(self, asked: Asked | None, event: Event) -> tuple[Workbench, Analysis]:
        """What the page of an event shows, and the workbench that made it.

        Raises:
            UserError: the session doesn't hold it any more.
        """
        known = same(asked, event)
        bench = self.bench(known.choice)
        return bench, bench.ask(question_of(load_images(known.images), known.prompt, known.settings))

    def _ablate(self, bench: Workbench, analysis: Analysis, event: Event) -> dict[str, object]:
        edit, target, sampling = read_edit(event.get("edit")), read_target(event), read_sampling(event)
        return _tested(bench, analysis, bench.test(analysis, edit, target, sampling))

    def _suggested(self, bench: Workbench, analysis: Analysis, event: Event) -> dict[str, object]:
        least = bench.suggest(analysis).suggested
        assert least is not None, "a suggestion was asked for"
        return self._set(bench, analysis, least, SUGGESTED)

    def _smallest(self, bench: Workbench, analysis: Analysis, event: Event) -> dict[str, object]:
        return self._set(bench, analysis, bench.suffice(analysis, read_target(event)), MAX_LATENTS)

    def _set(self, bench: Workbench, analysis: Analysis, least: Sufficient, most: int) -> dict[str, object]:
        if not least.flipped:
            does = f"brings out {least.target!r}" if least.target else "changes the answer"
            raise UserError(f"No set of up to {most} latents {does}; {least.tried} sets were ablated.")
        return _tested(bench, analysis, bench.test(analysis, ablation(least.ids), least.target), least)

    def _diagnose(self, bench: Workbench, analysis: Analysis, event: Event) -> dict[str, object]:
        return {"diagnosis": dump(bench.diagnose(analysis, read_target(event)))}

    def _verify(self, bench: Workbench, analysis: Analysis, event: Event) -> dict[str, object]:
        return {"verified": dump(bench.verify(analysis, VERIFIED))}


def read_edit(value: object) -> Edit:
    """An edit as a page sends it.

    Raises:
        UserError: it's no edit, or changes nothing.
    """
    edit = read(Edit, value, "the edit")
    if not edit.items and edit.keep_error:
        raise UserError("The test changes nothing; switch a concept off from its card or the heatmap.")
    return edit


def read_settings(event: Event) -> Settings:
    """Which layers and heads of the language model weigh the concepts, as text such as 0,3 or 2-5; all where nothing is given.

    Raises:
        UserError: they aren't of that form.
    """
    layers, heads = (
        None if text is None else numbers(text, f"Attention {what}")
        for what, text in ((what, short(event.get(what), f"A list of {what}")) for what in ("layers", "heads"))
    )
    return checked(lambda: Settings(attention_layers=layers, attention_heads=heads), "the settings")


def read_target(event: Event) -> str | None:
    """What the answer shall become; None where nothing is given.

    Raises:
        UserError: it's too long.
    """
    return short(event.get("target"), "An expected answer")


def read_sampling(event: Event) -> Sampling | None:
    """How answers are drawn beside the greedy ones, if they are.

    Raises:
        UserError: it isn't by numbers.
    """
    return None if event.get("sampling") is None else read(Sampling, event["sampling"], "the sampling")


def _tested(bench: Workbench, analysis: Analysis, test: Test, least: Sufficient | None = None) -> dict[str, object]:
    return {"test": dump(replace(test, sufficient=least)), "blank": dump(bench.blank(analysis))}
