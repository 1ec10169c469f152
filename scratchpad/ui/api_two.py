"""Endpoints that set two sides beside each other: two answers, or one answer at two hook points."""

from __future__ import annotations

import gradio as gr

from scratchpad.errors import UserError
from scratchpad.records.beside import SideBySide
from scratchpad.records.influence import Influence
from scratchpad.ui.endpoint import Endpoints, Reply, of_a_question, serve, whole_numbers
from scratchpad.workbench import side_by_side

MAX_SIDE, MAX_CONTROLS = 20, 40  # latents of each side, and others for each: every one is a pass of the model


class TwoSided(Endpoints):
    """Of two questions, SAEs or points."""

    @of_a_question
    def compare(
        self,
        image: str,
        question: str,
        other_image: str | None = None,
        other_question: str | None = None,
        other_choice: str | None = None,
        other_more: list[str] | None = None,
        choice: str = "",
        more: list[str] | None = None,
        request: gr.Request | None = None,
    ) -> Reply:
        """Two answers side by side, and which concepts they share: of another image, to another question, or read with another SAE.

        Args:
            {question}
            other_image: the second one's, as base64; by default the same images.
            other_question: the second one's; by default the same.
            other_choice: the second one's model and SAE; by default the same.
            other_more: images of the second one's question after `other_image`.

        Returns:
            a `SideBySide`: both analyses, and concepts matched by latent where the SAE is the same, else by claimed names.
        """

        def act() -> SideBySide:
            if other_more and other_image is None:
                raise UserError("other_more was given without other_image; give the second question's first image there.")
            _, left = self.asked(image, question, choice, more)
            also = more if other_image is None else other_more
            said = question if other_question is None else other_question
            _, right = self.asked(other_image or image, said, choice if other_choice is None else other_choice, also)
            return side_by_side(left, right)

        return self.answered(act, request)

    @of_a_question
    def influence(
        self,
        image: str,
        question: str,
        onto: str,
        most: int = 10,
        controls: int = 40,
        choice: str = "",
        more: list[str] | None = None,
        request: gr.Request | None = None,
    ) -> Reply:
        """Which latents at a later hook point change when latents at an earlier one are ablated, by intervention.

        Args:
            {question}
            onto: which of the offers holds the SAE of the later point, by its id; of the same model.
            most: latents of each side, those of the best score, up to 20.
            controls: others of like activation mass that are ablated in each one's stead, up to 40.

        Returns:
            an `Influence`: sources x targets, each effect as a share of the target's activation mass, with how many controls do as much.
        """

        def act() -> Influence:
            (latents,), (others,) = whole_numbers([most], "most"), whole_numbers([controls], "controls")
            if not (1 <= latents <= MAX_SIDE and 1 <= others <= MAX_CONTROLS):
                raise UserError(f"most was {latents} and controls {others}; expected 1 to {MAX_SIDE} and 1 to {MAX_CONTROLS}.")
            bench, analysis = self.asked(image, question, choice, more)
            return bench.influence(analysis, self.bench(onto), latents, others)

        return self.answered(act, request)

    def wire(self) -> None:
        """Puts them on the page that is being built."""
        serve(self.compare, SideBySide)
        serve(self.influence, Influence)
