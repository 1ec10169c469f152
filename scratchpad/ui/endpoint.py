"""What every endpoint for programs shares: pictures as base64, numbers, limits, errors as sentences, and the type of its answer.

A picture comes as base64 of its file (a data URL will do); nothing is fetched, no path of the server is read. What an endpoint
answers is a record, and its type is that record's JSON Schema.
"""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Callable
from typing import TypeVar

import gradio as gr
from gradio.components.api_component import Api as Untyped
from gradio.context import get_blocks_context
from gradio.events import api

from scratchpad.benches import Benches, loaded
from scratchpad.cases.store import Store
from scratchpad.errors import UserError
from scratchpad.images import MAX_BYTES, MAX_IMAGES
from scratchpad.records import Analysis, dump
from scratchpad.records.codec import schema
from scratchpad.records.reading import MOST
from scratchpad.ui import texts
from scratchpad.ui.visitors import Limit, visitor
from scratchpad.ui.zero import on_gpu
from scratchpad.workbench import Workbench

log = logging.getLogger(__name__)
TOKENS = 256  # new tokens at most
Reply = dict[str, object]
F = TypeVar("F", bound=Callable[..., object])
QUESTION = """image: the file's bytes as base64.
            question: about the image.
            choice: one of `offers`; the first by default.
            more: further images after the first, each as base64; the question may say <image> where each stands."""


def of_a_question(function: F) -> F:
    """Says of an endpoint what is the same of all that are asked a question: its docstring's {question} becomes these arguments."""
    text = function.__doc__ or ""
    assert "{question}" in text, function
    function.__doc__ = text.replace("{question}", QUESTION)
    return function


def picture(text: str) -> bytes:
    """The bytes of a picture that came as text.

    Raises:
        UserError: it isn't base64, or is too long.
    """
    if not isinstance(text, str) or not text:
        raise UserError("No image was given; expected the file's bytes as base64.")
    if len(text) > MAX_BYTES * 4 // 3 + 100:
        raise UserError(f"The image has more than {MAX_BYTES // 2**20} MB; scale it down.")
    try:
        return base64.b64decode(text.partition(",")[2] if text.startswith("data:") else text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UserError("The image isn't base64; expected the file's bytes as base64, not a path or an address.") from error


def pictures(image: str, more: list[str] | None) -> list[bytes]:
    """The bytes of all pictures.

    Raises:
        UserError: one isn't base64, there are too many, or they are too long together.
    """
    if more is not None and (not isinstance(more, list) or len(more) >= MAX_IMAGES):
        raise UserError(f"Further images are a list of at most {MAX_IMAGES - 1}, each the file's bytes as base64.")
    if sum(len(text) for text in more or [] if isinstance(text, str)) > MAX_BYTES * 4 // 3:
        raise UserError(f"The further images have more than {MAX_BYTES // 2**20} MB together; scale them down.")
    return [picture(text) for text in (image, *(more or []))]


class Endpoints:
    """Endpoints over the benches and the shelf; no page state."""

    def __init__(self, benches: Benches | None, shelf: list[Store], limit: Limit, proxies: int):
        self.benches, self.shelf, self.limit, self.proxies = benches, shelf, limit, proxies

    def bench(self, choice: object) -> Workbench:
        """The workbench of a choice.

        Raises:
            UserError: it isn't offered here.
        """
        return loaded(self.benches).of(choice if isinstance(choice, str) else "?")

    def asked(
        self,
        image: str,
        question: str,
        choice: str,
        more: list[str] | None,
        max_new_tokens: object = 64,
        attention: tuple[object, object] = (None, None),
    ) -> tuple[Workbench, Analysis]:
        """The workbench of a choice, and what it makes of the question.

        Args:
            attention: layers and heads whose attention weights the latents; None for all.

        Raises:
            UserError: a picture, the question or a number can't be used.
        """
        loaded(self.benches)
        tokens = int(number(max_new_tokens))
        if not 1 <= tokens <= TOKENS:
            raise UserError(f"{tokens} new tokens were asked for; expected 1 to {TOKENS}.")
        bench = self.bench(choice)
        layers, heads = (chosen(given) for given in attention)
        return bench, bench.analyze(pictures(image, more), texts.question(question), tokens, True, layers, heads)

    def about(
        self,
        image: str,
        question: str,
        choice: str,
        more: list[str] | None,
        request: gr.Request | None,
        act: Callable[[Workbench, Analysis], object],
    ) -> Reply:
        """As `answered`, of what is made of a question."""
        return self.answered(lambda: act(*self.asked(image, question, choice, more)), request)

    def answered(self, act: Callable[[], object], request: gr.Request | None) -> Reply:
        """The record that `act` returns, as JSON carries it.

        Raises:
            gr.Error: bad input, one request too many, or a failure, as one sentence.
        """
        try:
            self.limit.check(visitor(request, self.proxies))
            return dump(on_gpu(act)())
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from error
        except Exception as error:
            log.exception("an endpoint failed")
            raise gr.Error("Something went wrong; the server goes on working.", print_exception=False) from error


def number(value: object) -> float:
    """A number of a sensible size.

    Raises:
        UserError: it's none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e6:
        raise UserError(f"{str(value)[:40]!r} was given where a number is expected.")
    return float(value)


def chosen(given: object) -> list[int] | None:
    """Layers or heads; None for all.

    Raises:
        UserError: it's no list of whole numbers, or a long one.
    """
    if given is None:
        return None
    listed = whole_numbers(given, "Attention layers and heads")
    if len(listed) > MOST:
        raise UserError(f"Attention layers and heads are lists of at most {MOST} whole numbers.")
    return listed


def whole_numbers(value: object, what: str) -> list[int]:
    """A list of whole numbers.

    Raises:
        UserError: it's none.
    """
    if not isinstance(value, list) or not all(isinstance(i, int) and not isinstance(i, bool) for i in value):
        raise UserError(f"{what} are whole numbers; expected a list such as [12, 57].")
    return value


def serve(function: Callable[..., object], kind: object, light: bool = False) -> None:
    """Puts an endpoint on the page that is being built, typed as the record that it answers with.

    Args:
        kind: of record, or several.
        light: runs no model, so that it needn't wait for one that does.
    """
    name = function.__name__
    event = api(function, api_name=name, concurrency_limit=4) if light else api(function, api_name=name, concurrency_id="model")
    page = get_blocks_context()
    assert page is not None, "endpoints are part of a page"
    (output,) = page.fns[event["id"]].outputs
    assert isinstance(output, Untyped), type(output)  # Gradio types what it knows; a record it doesn't
    vars(output)["_api_info"] = _read_by_gradio(schema(kind))


def _read_by_gradio(value: object) -> object:
    """Gradio's reader of schemas takes a schema, not `false`, for what else an object may have."""
    if isinstance(value, list):
        return [_read_by_gradio(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _read_by_gradio(item) for key, item in value.items() if not (key == "additionalProperties" and item is False)}
