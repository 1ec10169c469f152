"""Looking latents up in an SAE's index: all of them, one, those of a name. Runs no model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scratchpad.errors import UserError
from scratchpad.reader import Reader
from scratchpad.records import Named, Reference
from scratchpad.records.certificate import Certificate
from scratchpad.records.lookup import Entry, Neighbour, Overview
from scratchpad.records.views import Detail
from scratchpad.sae.certificate import certificate_of
from scratchpad.sae.index import Index

INTERVALS = {"around": "like this picture", "silent": "counter-example"}  # of reference pictures, as they are shown
PER_INTERVAL = 3


class Lookup(Reader):
    """A reader that answers for its SAE's latents."""

    def names(self) -> Sequence[str]:
        """Every label that the index knows a latent by, in order of latents; none without an index."""
        return self.index.names if self.index else []

    def overview(self) -> Overview:
        """Every latent that fires: sparsity, mean activation, label entropy."""
        if self.index is None:
            return Overview((), (), (), (), 0)
        table = self.index.latents
        sparsity, mean = (np.array(table.column(name).to_pylist()) for name in ("sparsity", "mean_activation"))
        alive = np.flatnonzero(sparsity > 0)
        entropy = table.column("entropy").to_pylist()
        return Overview(
            ids=tuple(alive.tolist()),
            sparsity=tuple(np.round(sparsity[alive], 5).tolist()),
            mean=tuple(np.round(mean[alive], 5).tolist()),
            entropy=tuple(entropy[i] for i in alive),
            images=round(1 / float(sparsity[alive].min())) if len(alive) else 0,
        )

    def entry(self, latent: int) -> Entry:
        """What the index knows of one latent.

        Raises:
            UserError: there is no index, or no such latent.
        """
        row = self.index.row(latent) if self.index else None
        if self.index is None or row is None:
            raise UserError(f"Latent {latent} isn't in the index of {self.sae.name}.")
        detail = self.index.detail(latent)
        pairs = zip(detail.get("neighbours", []), detail.get("similarity", []), strict=True)
        return Entry(
            **vars(row),
            cluster=detail.get("cluster"),
            histogram=tuple(detail.get("histogram", ())),
            neighbours=tuple(Neighbour(i, self.name(i), float(cosine)) for i, cosine in pairs),
        )

    def detail(self, latent: int) -> Detail:
        """All of it: what `entry` says, with pictures of each interval of activation and counter-examples.

        Raises:
            UserError: as `entry`.
        """
        entry = self.entry(latent)
        return Detail(entry, self.references(latent, around=entry.mean_activation))

    def search(self, text: str, most: int = 50) -> tuple[Named, ...]:
        """Latents whose label has every word of a text, the surest first; none without an index."""
        rows = self.index.search(text, most) if self.index and text.strip() else []
        return tuple(Named(row.id, row.name) for row in rows)

    def cluster(self, number: int) -> tuple[Named, ...]:
        """Latents of a cluster of decoder rows, those that fire most first; none without an index."""
        return tuple(Named(row.id, row.name) for row in (self.index.cluster(number) if self.index else []))

    def named(self, latents: Sequence[int]) -> tuple[Named, ...]:
        """Latents with the labels that the index knows them by; those that it doesn't know are left out."""
        names = self.names()
        return tuple(Named(i, names[i]) for i in dict.fromkeys(latents) if 0 <= i < len(names))

    def rename(self, latent: int, name: str) -> Entry:
        """Gives a latent a name, for everybody; an empty one takes it back.

        Raises:
            UserError: there is no index, no such latent, or the file can't be written.
        """
        self._indexed().rename(latent, name)
        return self.entry(latent)

    def references(self, latent: int, most: int = 9, around: float | None = None) -> tuple[Reference, ...]:
        """Pictures of the index on which a latent fires, strongest first; none without an index.

        Args:
            around: the activation on the picture at hand; then pictures of each interval of activation come too, with counter-examples.
        """
        if self.index is None:
            return ()
        rows = self.index.references(latent, most, around=around, per_interval=None if around is None else PER_INTERVAL)
        masks = [np.round(row.mask * 255).astype(np.uint8) for row in rows]
        return tuple(
            Reference(INTERVALS.get(row.interval, row.interval), row.activation, row.labels, mask, row.thumbnail)
            for row, mask in zip(rows, masks, strict=True)
        )

    def certificate(self) -> Certificate:
        """What the SAE's recipe does beside baselines of the same budget.

        Raises:
            UserError: its folder has no certificate of these weights.
        """
        made = certificate_of(self.sae.folder)
        if made is None or made.identity != self.sae.identity:
            raise UserError(f"{self.sae.name} has no certificate; make one with `scratchpad eval-sae --sanity`.")
        return made

    def _indexed(self) -> Index:
        if self.index is None:
            raise UserError(f"{self.sae.name} has no index; make one with `scratchpad index`.")
        return self.index
