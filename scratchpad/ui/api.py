"""The endpoints that ask and test: typed, documented, the same for gradio_client and as MCP tools. Those that look are in `api_views`."""

from __future__ import annotations

import gradio as gr

from scratchpad.cases.case import Case
from scratchpad.cases.shelf import find
from scratchpad.errors import UserError
from scratchpad.records import Analysis, Diagnosis, Sufficient, Test, Verified, dump
from scratchpad.records.certificate import Certificate
from scratchpad.records.edit import changing
from scratchpad.records.views import Offered
from scratchpad.ui import texts
from scratchpad.ui.api_two import TwoSided
from scratchpad.ui.api_views import Views
from scratchpad.ui.endpoint import Endpoints, Reply, number, of_a_question, serve, whole_numbers
from scratchpad.workbench import MAX_LATENTS


class Api(Endpoints):
    """Asking, testing, and cases."""

    def certificate(self, choice: str = "", request: gr.Request | None = None) -> Reply:
        """What an SAE's recipe does beside baselines of the same budget, over seeds; no model is run.

        Args:
            choice: one of `offers`; the first by default.

        Returns:
            a `Certificate`: by measure values over seeds with their interval, and which baselines are beaten.
        """
        return self.answered(lambda: self.bench(choice).certificate(), request)

    def offers(self) -> list[Reply]:
        """The models and SAEs that can be chosen here, each with the choice to send back and a label; the first is the default."""
        return [dump(Offered(o.id, o.label)) for o in self.benches.offers] if self.benches else []

    @of_a_question
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
    ) -> Reply:
        """Answers a question about an image and says which concepts of the vision encoder the answer used.

        Args:
            {question}
            max_new_tokens: length of the answer, 1 to 256.
            attention_layers: of the language model, whose attention weights the latents; all by default.
            attention_heads: of each of these layers; all by default.

        Returns:
            an `Analysis`: question, run (answer, tokens, geometry), codes, weights,
            latents ranked by attention-weighted activation, heatmap, trust.
        """
        attention = attention_layers, attention_heads
        return self.answered(lambda: self.asked(image, question, choice, more, max_new_tokens, attention)[1], request)

    @of_a_question
    def ablate(
        self,
        image: str,
        question: str,
        latents: list[int],
        strength: float = 0.0,
        target: str = "",
        choice: str = "",
        more: list[str] | None = None,
        op: str = "scale",
        region: list[float] | None = None,
        picture: int | None = None,
        cluster: int | None = None,
        request: gr.Request | None = None,
    ) -> Reply:
        """Asks again with latents changed (by default switched off), and compares with random sets of as many.

        Args:
            {question}
            latents: ids, as `analyze` ranks them; may be empty where a cluster is given.
            strength: with op scale what activations are multiplied by, with set what they become, with add what is added.
            target: also, how much likelier this becomes as the answer.
            op: scale, set or add.
            region: where, as y0, x0, y1, x1 in pixels of the original image; everywhere by default.
            picture: in which of several images, counted from 0; with a region the first by default, else all.
            cluster: a cluster of the analysis's heatmap by its id, whose latents are changed too.

        Returns:
            a `Test`: comparison (before, after, change of log-probability per token), its control, the verdict.
        """

        def act() -> Test:
            ids = whole_numbers(latents, "latents")
            bench, analysis = self.asked(image, question, choice, more)
            edit = changing([*ids, *members(analysis, cluster)], op, number(strength), region, picture)
            return bench.test(analysis, edit, texts.short(target, "A target"))

        return self.answered(act, request)

    @of_a_question
    def effects(
        self,
        image: str,
        question: str,
        most: int = 32,
        choice: str = "",
        more: list[str] | None = None,
        request: gr.Request | None = None,
    ) -> Reply:
        """Ablates latents one by one, those first that the answer is likeliest to rest on, and sets what that does beside the prediction.

        Args:
            {question}
            most: how many latents, 1 to 256.

        Returns:
            a `Verified`: per latent the predicted and the real change of the answer's log-probability in nats, and their correlations.
        """

        def act() -> Verified:
            if not 1 <= number(most) <= MOST_EFFECTS:
                raise UserError(f"{most} latents were asked for; expected 1 to {MOST_EFFECTS}.")
            bench, analysis = self.asked(image, question, choice, more)
            return bench.verify(analysis, int(most))

        return self.answered(act, request)

    @of_a_question
    def suffice(
        self,
        image: str,
        question: str,
        target: str = "",
        max_latents: int = MAX_LATENTS,
        choice: str = "",
        more: list[str] | None = None,
        request: gr.Request | None = None,
    ) -> Reply:
        """Finds the fewest latents whose ablation changes the answer, each set really ablated.

        Args:
            {question}
            target: what the answer shall begin with instead; anything else by default.
            max_latents: the budget.

        Returns:
            a `Sufficient`: latents, before, after, minimality, sets tried, and how often random sets do the same.
        """

        return self.about(
            image,
            question,
            choice,
            more,
            request,
            lambda bench, analysis: bench.suffice(analysis, texts.short(target, "A target"), int(number(max_latents))),
        )

    @of_a_question
    def diagnose(
        self,
        image: str,
        question: str,
        expected: str = "",
        choice: str = "",
        more: list[str] | None = None,
        request: gr.Request | None = None,
    ) -> Reply:
        """Says which of three failure modes a wrong answer fits, with the tests behind it.

        Args:
            {question}
            expected: what the answer should have said.

        Returns:
            a `Diagnosis`: the mode, why, and the tests.
        """

        return self.about(
            image,
            question,
            choice,
            more,
            request,
            lambda bench, analysis: bench.diagnose(analysis, texts.short(expected, "An expected answer")),
        )

    def case_open(self, case: str, request: gr.Request | None = None) -> Reply:
        """What a kept case holds, by its id; no model is run.

        Args:
            case: the id in its link.

        Returns:
            a `Case`: analysis, tests, title, note.
        """
        return self.answered(lambda: find(self.shelf, case if isinstance(case, str) else "").case, request)


MOST_EFFECTS = 256


def members(analysis: Analysis, cluster: int | None) -> tuple[int, ...]:
    """The latents of a heatmap's cluster; none of none.

    Raises:
        UserError: there is no such cluster.
    """
    known = {each.id: each.latents for each in analysis.heatmap.clusters}
    if cluster is None:
        return ()
    if isinstance(cluster, bool) or cluster not in known:
        raise UserError(f"Cluster {str(cluster)[:20]} was given; the heatmap has {', '.join(map(str, known)) or 'none'}.")
    return known[cluster]


def wire(api: Api) -> None:
    """Puts the endpoints on the page that is being built."""
    serve(api.analyze, Analysis)
    serve(api.ablate, Test)
    serve(api.effects, Verified)
    serve(api.suffice, Sufficient)
    serve(api.diagnose, Diagnosis)
    serve(api.certificate, Certificate, light=True)
    serve(api.offers, tuple[Offered, ...], light=True)
    serve(api.case_open, Case, light=True)
    for views in (Views, TwoSided):
        views(api.benches, api.shelf, api.limit, api.proxies).wire()
