"""What the page looks up in an SAE's index: its latents, their names, their reference images. Nothing here runs a model."""

from __future__ import annotations

import math
from typing import Any

from scratchpad.benches import Benches, loaded
from scratchpad.errors import UserError
from scratchpad.ui import tables
from scratchpad.workbench import Workbench

NUMBER = "A latent is a whole number."
MAX_FOUND = 40  # latents of a search


class Lookups:
    """The lookups, over the workbenches that are offered.

    Raises:
        UserError: what was given is not of its form, or there is nothing to look it up in.
    """

    def __init__(self, benches: Benches | None, naming: bool = False):
        self.benches, self.naming = benches, naming

    def detail(self, given: Any) -> dict[str, Any]:
        """A latent's reference images; given [choice, latent] or [choice, latent, its activation on the picture at hand]."""
        *which, around = given if isinstance(given, list) and len(given) == 3 else (*(given if isinstance(given, list) else ()), None)
        bench, number = self._latent(which)
        strong = isinstance(around, int | float) and not isinstance(around, bool) and math.isfinite(around)
        return tables.references(bench, number, float(around) if strong else None)

    def overview(self, choice: Any) -> dict[str, Any]:
        """All latents of the SAE."""
        return tables.overview(self._bench(choice))

    def latent(self, given: Any) -> dict[str, Any]:
        """What the index knows of one latent; given [choice, latent]."""
        bench, number = self._latent(given)
        return tables.latent(bench, number)

    def rename(self, given: Any) -> dict[str, Any]:
        """Gives a latent a name where the owner allows it; given [choice, latent, name]."""
        *which, name = given if isinstance(given, list) and len(given) == 3 else (None, None, None)
        bench, number = self._latent(which)
        if not self.naming or bench.index is None:
            raise UserError("Names can't be given here: the owner allows it with --naming.")
        if not isinstance(name, str) or not name.isprintable():
            raise UserError("A name is a few words.")
        bench.index.rename(number, name)
        return tables.latent(bench, number)

    def search(self, given: Any) -> dict[str, Any]:
        """Latents whose name has every word of a text, or of a decoder cluster by its number; given [choice, which]."""
        choice, which = given if isinstance(given, list) and len(given) == 2 else (None, "")
        index = self._bench(choice).index
        if index and isinstance(which, int):
            rows = index.cluster(which)
        else:
            rows = index.search(which[:200], MAX_FOUND) if index and isinstance(which, str) and which.strip() else []
        return {"latents": [{"id": row.id, "name": row.name} for row in rows]}

    def _bench(self, choice: object) -> Workbench:
        return loaded(self.benches).of(str(choice) if choice else None)

    def _latent(self, given: Any) -> tuple[Workbench, int]:
        try:
            choice, number = given
            number = int(number)
        except (ValueError, TypeError, OverflowError) as error:
            raise UserError(NUMBER) from error
        bench = self._bench(choice)
        if not 0 <= number < bench.sae.d_sae:
            raise UserError(f"Latent {number} was asked for; {bench.sae.name} has 0 to {bench.sae.d_sae - 1}.")
        return bench, number
