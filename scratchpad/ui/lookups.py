"""What the page looks up in an SAE's index: its latents, their names, their reference images. Nothing here runs a model."""

from __future__ import annotations

import math

from scratchpad.benches import Benches, loaded
from scratchpad.errors import UserError
from scratchpad.records import dump
from scratchpad.records.views import Latents
from scratchpad.workbench import Workbench

NUMBER = "A latent is a whole number."
MAX_FOUND = 40  # latents of a search
MAX_LISTED = 120  # latents of a list


class Lookups:
    """The lookups, over the workbenches that are offered.

    Raises:
        UserError: what was given is not of its form, or there is nothing to look it up in.
    """

    def __init__(self, benches: Benches | None, naming: bool = False):
        self.benches, self.naming = benches, naming

    def detail(self, given: object) -> dict[str, object]:
        """A latent's reference images; given [choice, latent] or [choice, latent, its activation on the picture at hand]."""
        *which, around = given if isinstance(given, list) and len(given) == 3 else (*(given if isinstance(given, list) else ()), None)
        bench, number = self._latent(which)
        strong = isinstance(around, int | float) and not isinstance(around, bool) and math.isfinite(around)
        return _references(bench, number, float(around) if strong else None)

    def overview(self, choice: object) -> dict[str, object]:
        """All latents of the SAE."""
        return dump(self._bench(choice).overview())

    def latent(self, given: object) -> dict[str, object]:
        """What the index knows of one latent; given [choice, latent]."""
        bench, number = self._latent(given)
        return dump(bench.detail(number))

    def rename(self, given: object) -> dict[str, object]:
        """Gives a latent a name where the owner allows it; given [choice, latent, name]."""
        *which, name = given if isinstance(given, list) and len(given) == 3 else (None, None, None)
        bench, number = self._latent(which)
        if not self.naming:
            raise UserError("Names can't be given here: the owner allows it with --naming.")
        if not isinstance(name, str) or not name.isprintable():
            raise UserError("A name is a few words.")
        bench.rename(number, name)
        return dump(bench.detail(number))

    def search(self, given: object) -> dict[str, object]:
        """Latents whose name has every word of a text, of a decoder cluster by its number, or of a list; given [choice, which]."""
        choice, which = given if isinstance(given, list) and len(given) == 2 else (None, "")
        bench = self._bench(choice)
        text = which[:200] if isinstance(which, str) else ""
        if isinstance(which, list):
            latents = bench.named([i for i in which[:MAX_LISTED] if type(i) is int])
        else:
            latents = bench.cluster(which) if isinstance(which, int) else bench.search(text, MAX_FOUND)
        return dump(Latents(latents))

    def _bench(self, choice: object) -> Workbench:
        return loaded(self.benches).of(str(choice) if choice else None)

    def _latent(self, given: object) -> tuple[Workbench, int]:
        try:
            choice, number = given if isinstance(given, list | tuple) else ()
            number = int(number)
        except (ValueError, TypeError, OverflowError) as error:
            raise UserError(NUMBER) from error
        bench = self._bench(choice)
        if not 0 <= number < bench.sae_ref.d_sae:
            raise UserError(f"Latent {number} was asked for; {bench.sae_ref.name} has 0 to {bench.sae_ref.d_sae - 1}.")
        return bench, number


def _references(bench: Workbench, latent: int, around: float | None = None) -> dict[str, object]:
    """A latent's reference images."""
    return {"references": [dump(reference) for reference in bench.references(latent, around=around)]}
