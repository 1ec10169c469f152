"""The endpoints for programs: typed, documented, the same for gradio_client and as MCP tools. No page state.

A picture comes as base64 of its file (a data URL will do); nothing is fetched, no path of the server is read.
"""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Callable

import gradio as gr

from scratchpad.benches import Benches, loaded
from scratchpad.cases.shelf import find
from scratchpad.cases.store import Store
from scratchpad.errors import UserError
from scratchpad.images import MAX_BYTES, MAX_IMAGES
from scratchpad.records import Analysis, dump
from scratchpad.records.edit import scaling
from scratchpad.records.reading import MOST
from scratchpad.ui import texts
from scratchpad.ui.visitors import Limit, visitor
from scratchpad.ui.zero import on_gpu
from scratchpad.workbench import MAX_LATENTS, Workbench

log = logging.getLogger(__name__)
TOKENS = 256  # new tokens at most
Chosen = tuple[list[int] | None, list[int] | None]  # attention layers and heads; None for all


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


class Api:
    """The endpoints, over the benches and the shelf."""

    def __init__(self, benches: Benches | None, shelf: list[Store], limit: Limit, proxies: int):
        self.benches, self.shelf, self.limit, self.proxies = benches, shelf, limit, proxies

    def offers(self) -> list:
        """The models and SAEs that can be chosen here, as {"choice", "label"}; the first is the default."""
        return [{"choice": o.id, "label": o.label} for o in self.benches.offers] if self.benches else []

    def analyze(
        self,
        image: str,
        question: str,
        max_new_tokens: int = 64,
        choice: str = "",
        more: list[str] | None = None,
        attention_layers: list[int] | None = None,
        attention_heads: list[int] | None = None,
        request: gr.Request | None = None,
    ) -> dict:
        """Answers a question about an image and says which concepts of the vision encoder the answer used.

        Args:
            image: the file's bytes as base64.
            question: about the image.
            max_new_tokens: length of the answer, 1 to 256.
            choice: one of `offers`; the first by default.
            more: further images after the first, each as base64; the question may say <image> where each stands.
            attention_layers: of the language model, whose attention weights the latents; all by default.
            attention_heads: of each of these layers; all by default.

        Returns:
            an `Analysis`: question, run (answer, tokens, geometry), codes, weights,
            latents ranked by attention-weighted activation, heatmap, trust.
        """

        def act() -> dict[str, object]:
            return dump(self._analysis(image, question, max_new_tokens, choice, more, (attention_layers, attention_heads))[1])

        return self._answered(act, request)

    def ablate(
        self,
        image: str,
        question: str,
        latents: list[int],
        strength: float = 0.0,
        target: str = "",
        choice: str = "",
        more: list[str] | None = None,
        request: gr.Request | None = None,
    ) -> dict:
        """Asks again with latents scaled (0 switches them off), and compares with random sets of as many.

        Args:
            image: the file's bytes as base64.
            question: about the image.
            latents: ids, as `analyze` ranks them.
            strength: what their activations are multiplied by.
            target: also, how much likelier this becomes as the answer.
            choice: one of `offers`; the first by default.
            more: further images after the first, each as base64; the question may say <image> where each stands.

        Returns:
            a `Test`: comparison (before, after, change of log-probability per token), its control, the verdict.
        """

        def act() -> dict[str, object]:
            if not isinstance(latents, list) or not all(isinstance(i, int) and not isinstance(i, bool) for i in latents):
                raise UserError("latents are whole numbers; expected a list such as [12, 57].")
            bench, analysis = self._analysis(image, question, 64, choice, more)
            return dump(bench.test(analysis, scaling(latents, _number(strength)), texts.short(target, "A target")))

        return self._answered(act, request)

    def suffice(
        self,
        image: str,
        question: str,
        target: str = "",
        max_latents: int = MAX_LATENTS,
        choice: str = "",
        more: list[str] | None = None,
        request: gr.Request | None = None,
    ) -> dict:
        """Finds the fewest latents whose ablation changes the answer, each set really ablated.

        Args:
            image: the file's bytes as base64.
            question: about the image.
            target: what the answer shall begin with instead; anything else by default.
            max_latents: the budget.
            choice: one of `offers`; the first by default.
            more: further images after the first, each as base64; the question may say <image> where each stands.

        Returns:
            a `Sufficient`: latents, before, after, minimality, sets tried, and how often random sets do the same.
        """

        def act() -> dict[str, object]:
            bench, analysis = self._analysis(image, question, 64, choice, more)
            return dump(bench.suffice(analysis, texts.short(target, "A target"), int(_number(max_latents))))

        return self._answered(act, request)

    def diagnose(
        self,
        image: str,
        question: str,
        expected: str = "",
        choice: str = "",
        more: list[str] | None = None,
        request: gr.Request | None = None,
    ) -> dict:
        """Says which of three failure modes a wrong answer fits, with the tests behind it.

        Args:
            image: the file's bytes as base64.
            question: about the image.
            expected: what the answer should have said.
            choice: one of `offers`; the first by default.
            more: further images after the first, each as base64; the question may say <image> where each stands.
        """

        def act() -> dict[str, object]:
            bench, analysis = self._analysis(image, question, 64, choice, more)
            return dump(bench.diagnose(analysis, texts.short(expected, "An expected answer")))

        return self._answered(act, request)

    def case_open(self, case: str, request: gr.Request | None = None) -> dict:
        """What a kept case holds, by its id; no model is run.

        Args:
            case: the id in its link.
        """
        return self._answered(lambda: dump(find(self.shelf, case if isinstance(case, str) else "").case), request)

    def _analysis(
        self, image: str, question: str, max_new_tokens: int, choice: str, more: list[str] | None, attention: Chosen = (None, None)
    ) -> tuple[Workbench, Analysis]:
        """`attention` is the layers and heads whose attention weights the latents."""
        benches = loaded(self.benches)
        tokens = int(_number(max_new_tokens))
        if not 1 <= tokens <= TOKENS:
            raise UserError(f"{tokens} new tokens were asked for; expected 1 to {TOKENS}.")
        bench = benches.of(choice if isinstance(choice, str) else "?")
        layers, heads = (_listed(given) for given in attention)
        return bench, bench.analyze(pictures(image, more), texts.question(question), tokens, True, layers, heads)

    def _answered(self, act: Callable[[], dict[str, object]], request: gr.Request | None) -> dict[str, object]:
        try:
            self.limit.check(visitor(request, self.proxies))
            return dict(on_gpu(act)())
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from error
        except Exception as error:
            log.exception("an endpoint failed")
            raise gr.Error("Something went wrong; the server goes on working.", print_exception=False) from error


def _listed(given: object) -> list[int] | None:
    """Layers or heads; None for all."""
    if given is None:
        return None
    if not isinstance(given, list) or len(given) > MOST:
        raise UserError(f"Attention layers and heads are lists of at most {MOST} whole numbers.")
    return given


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e6:
        raise UserError(f"{str(value)[:40]!r} was given where a number is expected.")
    return float(value)


def wire(api: Api) -> None:
    """Puts the endpoints on the page that is being built."""
    for function in (api.analyze, api.ablate, api.suffice, api.diagnose):
        gr.api(function, api_name=function.__name__, concurrency_id="model")
    for light in (api.offers, api.case_open):
        gr.api(light, api_name=light.__name__, concurrency_limit=4)
