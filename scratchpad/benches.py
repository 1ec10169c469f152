"""The workbenches that a server's owner offers: pairs of a model and an SAE. Visitors choose among them and can't add any.

A workbench is loaded when it's first chosen; workbenches of one model share it. Holds no visitor's state.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scratchpad.errors import UserError
from scratchpad.pages import Pages
from scratchpad.records.audit import Repair
from scratchpad.records.certificate import Certificate
from scratchpad.records.hookpoint import HookPoint
from scratchpad.sae.certificate import certificate_of
from scratchpad.sae.config import CONFIG, at_of
from scratchpad.vlm.checkpoint import Placement, own_world
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.retrieval import load_retriever
from scratchpad.workbench import DEFAULT_MODEL, DEFAULT_SAE, Workbench

OTHERS = ("emoji-middle", "emoji-early")  # SAEs of the demo beside its default


@dataclass(frozen=True)
class Offer:
    """One pair; `id` is what a page sends back."""

    id: str
    model: str
    sae: str
    alone: bool  # whether all offers are of this model

    @property
    def label(self) -> str:
        """What a menu calls it: model where there are several, SAE, hook point where it can be read."""
        at = _at(Path(self.sae))
        of = "" if self.alone else f"{Path(self.model).name} · "
        return of + Path(self.sae).name + ("" if at is None else f" · {at.short}")

    @property
    def own_world(self) -> bool:
        """Whether its model says that it knows its own world alone, as the demo's does."""
        return own_world(Path(self.model)) is not None


class Benches:
    """The offers, and the workbenches loaded so far. A repair is of the first of them, and its model is under it whatever the SAE.

    Raises:
        UserError: from the constructor, when nothing is offered or the first can't be loaded.
    """

    def __init__(
        self,
        pairs: Sequence[tuple[str | Path, str | Path]],
        placement: Placement | None = None,
        retriever: str | Path | None = None,
        repair: Repair | None = None,
    ):
        if not pairs:
            raise UserError("No model is offered; give one with --model and --sae.")
        self.placement, self._repair = placement, repair
        named = [(str(model), str(sae)) for model, sae in dict.fromkeys(pairs)]
        self.offers = [Offer(str(n), model, sae, len({m for m, _ in named}) == 1) for n, (model, sae) in enumerate(named)]
        self._loaded: dict[str, Workbench] = {}
        self._lock = threading.Lock()
        self._source = retriever
        self._pages: Pages | None = None
        self.first = self.of(None)

    def of(self, choice: str | None) -> Workbench:
        """The workbench of a choice, the first by default.

        Raises:
            UserError: it isn't offered, or can't be loaded.
        """
        offer = next((o for o in self.offers if o.id == choice), None) if choice else self.offers[0]
        if offer is None:
            raise UserError(f"{choice!r} isn't offered here; choose one of the list.")
        with self._lock:
            if offer.id not in self._loaded:
                self._loaded[offer.id] = Workbench(
                    self._model(offer), offer.sae, self.placement, self._repair if offer is self.offers[0] else None
                )
            return self._loaded[offer.id]

    def certificates(self) -> list[Certificate]:
        """Those of the SAEs offered that have one, loaded or not. Each says of which weights it is."""
        folders = {offer.sae: self._loaded[offer.id].sae.folder for offer in self.offers if offer.id in self._loaded}
        made = (certificate_of(folders.get(sae, Path(sae))) for sae in dict.fromkeys(offer.sae for offer in self.offers))
        return [certificate for certificate in made if certificate is not None]

    @property
    def retriever_name(self) -> str | None:
        """What the retrieval model offered beside is called, if there is one."""
        return Path(self._source).name if self._source else None

    def pages(self) -> Pages:
        """The retrieval model offered beside, loaded when first asked for.

        Raises:
            UserError: there is none, or it can't be loaded.
        """
        if self._source is None:
            raise UserError("No retrieval model is offered here; the owner gives one with --retriever.")
        with self._lock:
            if self._pages is None:
                self._pages = Pages(load_retriever(self._source, self.placement))
            return self._pages

    def load_from_afar(self) -> None:
        """Loads now what is offered of a hub rather than of a folder.

        Raises:
            UserError: one can't be loaded.
        """
        for offer in self.offers:
            if not Path(offer.model).exists():
                self.of(offer.id)
        if self._source and not Path(self._source).exists():
            self.pages()

    def layers(self, choice: str | None) -> list[Workbench]:
        """The workbenches of the same model, one for each SAE offered for it, the earliest hook point first."""
        of = next((o for o in self.offers if o.id == choice), self.offers[0])
        return sorted((self.of(o.id) for o in self.offers if o.model == of.model), key=lambda bench: bench.sae.at.order)

    def like(self, model: str, sae: str) -> str:
        """The choice whose model and SAE have these names; the first where none has."""
        return next((o.id for o in self.offers if (Path(o.model).name, Path(o.sae).name) == (model, sae)), self.offers[0].id)

    def _model(self, offer: Offer) -> Vlm | str:
        """The model itself, if another workbench has it."""
        for other in self.offers:
            if other.model == offer.model and other.id in self._loaded:
                return self._loaded[other.id].vlm
        return offer.model


def loaded(benches: Benches | None) -> Benches:
    """The benches, where there are some.

    Raises:
        UserError: this server has no model loaded.
    """
    if benches is None:
        raise UserError("This server has no model loaded; it shows cases that were kept.")
    return benches


def offered(model: str | None, sae: str | None, more: Sequence[str] = ()) -> list[tuple[str, str]]:
    """The pairs that an owner's settings name.

    Args:
        more: each MODEL=SAE,SAE...

    Raises:
        UserError: one of `more` isn't of that form.
    """
    pairs = [(model or str(DEFAULT_MODEL), sae or str(DEFAULT_SAE))]
    if not model and not sae:
        pairs += [(str(DEFAULT_MODEL), str(DEFAULT_SAE.parent / name)) for name in OTHERS]
    for offer in more:
        model_name, equals, saes = offer.partition("=")
        if not (model_name.strip() and equals and saes.strip(" ,")):
            raise UserError(f"--offer was {offer!r}; expected MODEL=SAE or MODEL=SAE,SAE.")
        pairs += [(model_name.strip(), each.strip()) for each in saes.split(",") if each.strip()]
    return pairs


def _at(folder: Path) -> HookPoint | None:
    """The hook point that an SAE's configuration names, if it can be read without loading it."""
    try:
        return at_of(json.loads((folder / CONFIG).read_text())["metadata"], folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, UserError):
        return None
