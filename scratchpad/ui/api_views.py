"""The endpoints that look: maps by layer and head, what one latent does, clusters, layers, stages, the needle, the SAE's index."""

from __future__ import annotations

import gradio as gr

from scratchpad.benches import loaded
from scratchpad.errors import UserError
from scratchpad.images import load_image, load_images
from scratchpad.needle.datasets import DATASETS
from scratchpad.needle.live import answering, measure, retrieving
from scratchpad.records.attention import HeadAttention, HeadMap
from scratchpad.records.edit import boxed
from scratchpad.records.steering import Steered
from scratchpad.records.sweep import SweepSummary
from scratchpad.records.tree import Tree
from scratchpad.records.views import AtPlace, Detail, Latents, Layers, Stages
from scratchpad.ui import tables, texts
from scratchpad.ui.endpoint import Endpoints, Reply, number, of_a_question, picture, pictures, serve, whole_numbers
from scratchpad.ui.studies import layers
from scratchpad.workbench import question_of

MAX_FOUND = 200  # latents of a search


class Views(Endpoints):
    """What the page's tabs show, for programs."""

    @of_a_question
    def attention_by_head(
        self,
        image: str,
        question: str,
        token: int | None = None,
        choice: str = "",
        more: list[str] | None = None,
        request: gr.Request | None = None,
    ) -> Reply:
        """What of a token's attention falls on the image, in every head of every layer of the language model, with each head's map.

        Args:
            {question}
            token: its index in `run.tokens` of the analysis; by default the answer's first.

        Returns:
            a `HeadAttention`: shares and peaks by layer and head, maps in bytes by layer, head and patch.
        """

        return self.about(image, question, choice, more, request, lambda bench, analysis: bench.attention_by_head(analysis, _token(token)))

    @of_a_question
    def head_map(
        self,
        image: str,
        question: str,
        token: int | None = None,
        layers: list[int] | None = None,
        heads: list[int] | None = None,
        choice: str = "",
        more: list[str] | None = None,
        request: gr.Request | None = None,
    ) -> Reply:
        """Where a token looks, the mean over some layers and heads of the language model.

        Args:
            {question}
            token: its index in `run.tokens` of the analysis; by default the answer's first.
            layers: of the language model, counted from 0; all by default.
            heads: counted from 0; all by default.

        Returns:
            a `HeadMap`: the share of the attention that falls on the image, and where on its patches that lies, summing to 1.
        """

        def act() -> HeadMap:
            ys = None if layers is None else whole_numbers(layers, "layers")
            hs = None if heads is None else whole_numbers(heads, "heads")
            bench, analysis = self.asked(image, question, choice, more)
            return bench.head_map(analysis, _token(token), ys, hs)

        return self.answered(act, request)

    @of_a_question
    def steer(
        self,
        image: str,
        question: str,
        latent: int,
        token: int | None = None,
        choice: str = "",
        more: list[str] | None = None,
        request: gr.Request | None = None,
    ) -> Reply:
        """What one latent does to the answer as its strength goes from 0 to 4, and which words it speaks for.

        Args:
            {question}
            latent: its id; it fires on the image.
            token: the answer's token in whose place words are measured, by its index in `run.tokens`; by default the first.

        Returns:
            a `Steered`: doses with log-probability and answer, other latents as a control, words measured and read off directly.
        """

        def act() -> Steered:
            (which,) = whole_numbers([latent], "latents")
            bench, analysis = self.asked(image, question, choice, more)
            return bench.steer(analysis, which, _token(token))

        return self.answered(act, request)

    @of_a_question
    def clusters(
        self,
        image: str,
        question: str,
        by: str = "decoder",
        choice: str = "",
        more: list[str] | None = None,
        request: gr.Request | None = None,
    ) -> Reply:
        """The heatmap's latents as a tree of likeness (hierarchical clustering, average linkage).

        Args:
            {question}
            by: decoder (1 - cosine of decoder rows) or tokens (1 - correlation of heatmap columns).

        Returns:
            a `Tree`: latents in order, and merges with their distances.
        """

        return self.about(image, question, choice, more, request, lambda bench, analysis: bench.tree(analysis, by))

    @of_a_question
    def layers(
        self,
        image: str,
        question: str,
        choice: str = "",
        more: list[str] | None = None,
        request: gr.Request | None = None,
    ) -> Reply:
        """The same answer at every layer of the vision encoder that an SAE is offered for.

        Args:
            {question}

        Returns:
            a `Layers`: per layer the concepts that the answer weighs most, each with where it fires.
        """

        def act() -> Layers:
            self.bench(choice)
            return layers(loaded(self.benches), choice, question_of(load_images(pictures(image, more)), texts.question(question)))

        return self.answered(act, request)

    @of_a_question
    def stages(
        self,
        image: str,
        question: str,
        choice: str = "",
        more: list[str] | None = None,
        request: gr.Request | None = None,
    ) -> Reply:
        """The steps from the image's file to what a map is drawn over.

        Args:
            {question}

        Returns:
            a `Stages`: each step with a title, what it shows, and a picture as a data URL.
        """

        return self.about(image, question, choice, more, request, lambda bench, analysis: tables.stages(bench.stages(analysis)))

    def needle(
        self,
        methods: list[str],
        dataset: str = "single-word",
        rows: int = 7,
        cols: int = 7,
        by: str = "answer",
        choice: str = "",
        request: gr.Request | None = None,
    ) -> Reply:
        """Measures how often maps point at a needle: one special cell in a grid, in every place once.

        Args:
            methods: of maps, such as attention or sae-attention.
            dataset: patch, single-word, multi-words, text or symbols.
            rows: of cells.
            cols: of cells.
            by: answer for the VLM, page for the retrieval model.
            choice: one of `offers`; the first by default.

        Returns:
            a `SweepSummary`: by data set and method accuracy, score, rank and distance with intervals, and biases.
        """

        def act() -> SweepSummary:
            if not isinstance(methods, list) or not all(isinstance(name, str) for name in methods):
                raise UserError("methods are names; expected a list such as ['attention'].")
            if dataset not in DATASETS:
                raise UserError(f"{str(dataset)[:40]!r} was given as dataset; expected one of {', '.join(DATASETS)}.")
            if by not in ("answer", "page"):
                raise UserError(f"{str(by)[:40]!r} was given as by; expected answer or page.")
            subject = retrieving(loaded(self.benches).pages()) if by == "page" else answering(self.bench(choice))
            return measure(subject, dataset, (int(number(rows)), int(number(cols))), methods)

        return self.answered(act, request)

    def latent_search(self, text: str, choice: str = "", request: gr.Request | None = None) -> Reply:
        """Latents of an SAE whose label has every word of a text; no model is run.

        Args:
            text: a word or several.
            choice: one of `offers`; the first by default.

        Returns:
            a `Latents`: ids and names, the surest first.
        """
        return self.answered(lambda: Latents(self.bench(choice).search(texts.short(text, "A search") or "", MAX_FOUND)), request)

    def latent_detail(self, latent: int, choice: str = "", request: gr.Request | None = None) -> Reply:
        """What an SAE's index knows of one latent; no model is run.

        Args:
            latent: its id.
            choice: one of `offers`; the first by default.

        Returns:
            a `Detail`: name, statistics, histogram, neighbours, and reference pictures by strength with where it fires.
        """

        def act() -> Detail:
            (which,) = whole_numbers([latent], "latents")
            return self.bench(choice).detail(which)

        return self.answered(act, request)

    def latents_at(self, image: str, region: list[float] | None = None, choice: str = "", request: gr.Request | None = None) -> Reply:
        """Latents that fire in a region of an image, those most that fire least elsewhere in it; no question is asked.

        Args:
            image: the file's bytes as base64.
            region: y0, x0, y1, x1 in pixels; the whole image by default.
            choice: one of `offers`; the first by default.

        Returns:
            an `AtPlace`: ids and names, with the mean activation inside and outside.
        """

        def act() -> AtPlace:
            box = None if region is None else boxed(region)
            return self.bench(choice).at_place(load_image(picture(image)), box)

        return self.answered(act, request)

    def wire(self) -> None:
        """Puts them on the page that is being built."""
        serve(self.attention_by_head, HeadAttention)
        serve(self.head_map, HeadMap)
        serve(self.steer, Steered)
        serve(self.clusters, Tree)
        serve(self.layers, Layers)
        serve(self.stages, Stages)
        serve(self.needle, SweepSummary)
        serve(self.latents_at, AtPlace)
        serve(self.latent_search, Latents, light=True)
        serve(self.latent_detail, Detail, light=True)


def _token(token: object) -> int | None:
    return None if token is None else whole_numbers([token], "tokens")[0]
