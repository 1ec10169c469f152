"""One answer, ready to be given again under changes of its activations.

In: a run with its codes, on a loaded model and SAE. Out: answers and log-probabilities under edits. Every number is a real
run of the model; what codes and gradients propose is never reported as what happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float

from scratchpad.analysis.edit import delta
from scratchpad.analysis.standing import everywhere
from scratchpad.errors import UserError
from scratchpad.grid import Places
from scratchpad.records import Answer, Codes, Edit, Run, Sampling
from scratchpad.sae.load import Sae
from scratchpad.vlm import points
from scratchpad.vlm.forcing import Forced, force, force_all
from scratchpad.vlm.gradient import gradient
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.logprobs import answer_logodds
from scratchpad.vlm.prepare import Prepared
from scratchpad.vlm.reuse import CleanRun
from scratchpad.vlm.run import generate

MAX_TARGET = 64  # tokens of a target


@dataclass(frozen=True)
class Change:
    """What is added to the activations at a hook point, a row for each of `Run.places`."""

    rows: Float[np.ndarray, "n d"] = field(repr=False)
    later: points.Change | None = field(default=None, repr=False)  # at a point of the language model, to tokens that the run hasn't


@dataclass(frozen=True)
class Trial:
    """What is needed to run one answer again. Lives as long as one request, under the workbench's lock."""

    vlm: Vlm = field(repr=False)
    sae: Sae = field(repr=False)
    run: Run
    codes: Codes
    prepared: Prepared = field(repr=False)
    clean: CleanRun | None = field(repr=False)  # what the unedited run computed and an edited one can take over
    plain: Forced  # the original answer, teacher-forced without an edit
    name: Callable[[int], str] = field(repr=False)  # what a latent is called, "" where nothing is claimed

    @cached_property
    def places(self) -> Places:
        """What the rows of activations stand for."""
        return self.run.places

    def change(self, edit: Edit) -> Change | None:
        """What an edit adds to the activations; None where that's nothing."""
        rows = delta(self.sae, self.codes, edit, self.places, self.run.states())
        if rows is None:
            return None
        return Change(rows, everywhere(self.sae, edit) if self.sae.at.place == "language" else None)

    def force(self, edits: Sequence[Edit], ids: tuple[int, ...] | None = None) -> Forced:
        """An answer (the original by default), teacher-forced under each edit."""
        changes = (self.change(edit) for edit in edits)
        return self.force_changes((Change(np.zeros_like(self.run.states())) if c is None else c for c in changes), ids)

    def force_changes(self, changes: Iterable[Change], ids: tuple[int, ...] | None = None) -> Forced:
        """As `force`, under changes of the activations themselves."""
        own = ids is None or ids == self.run.answer_ids  # then each token that is fed in has a row
        later: list[points.Change | None] = []

        def rows() -> Iterator[Float[np.ndarray, "n d"]]:
            for change in changes:  # one after another, since all at once may be large
                later.append(change.later)
                yield change.rows if own else self._asked(change.rows)

        return force_all(self.vlm, self.prepared, ids or self.run.answer_ids, self.sae.at, rows(), self.clean, later)

    def _asked(self, rows: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "m d"]:
        """Of rows, those that hold whatever is answered: without the answer's tokens."""
        return rows[: self.prepared.length] if self.sae.at.place == "language" else rows

    def generate(self, change: Change | None, max_new_tokens: int, sampling: Sampling | None = None) -> Answer:
        """A new answer under a change, greedy or drawn."""
        if change is None:
            return generate(self.vlm, self.prepared, max_new_tokens, sampling=sampling)
        batch = torch.from_numpy(self._asked(change.rows))[None]
        return generate(self.vlm, self.prepared, max_new_tokens, self.sae.at, batch, self.clean, sampling, change.later)

    def gradient(self, ids: tuple[int, ...]) -> Float[np.ndarray, "n d"]:
        """Gradient of an answer's log-probability with respect to the activations; 0 for tokens of another answer than the run's."""
        return self._of_rows(ids, gradient(self.vlm, self.prepared, ids, self.sae.at, clean=self.clean))

    def odds_gradient(self, ids: tuple[int, ...]) -> Float[np.ndarray, "n d"]:
        """As `gradient`, of the log-odds of the answer's tokens: telling where the answer is all but certain."""
        return self._of_rows(ids, gradient(self.vlm, self.prepared, ids, self.sae.at, answer_logodds, self.clean))

    def _of_rows(self, ids: tuple[int, ...], slope: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "n d"]:
        if ids == self.run.answer_ids:
            return slope
        out = np.zeros_like(self.run.states())
        shared = self._asked(slope)
        out[: len(shared)] = shared
        return out

    def ids(self, target: str) -> tuple[int, ...]:
        """A text's tokens, as an answer would begin with it.

        Raises:
            UserError: the tokenizer can't make it, or it's longer than MAX_TARGET tokens.
        """
        tokenizer = self.vlm.processor.tokenizer
        text = target.strip()
        if len(text) > 16 * MAX_TARGET:
            raise UserError(f"A target of {len(text)} characters was given; expected at most {MAX_TARGET} tokens: a word or two.")
        ids = tokenizer(text, add_special_tokens=False)["input_ids"] if text else []
        if not ids or tokenizer.unk_token_id in ids:
            raise UserError(f"{text[:80]!r} was given as target, which {self.vlm.name} can't say; expected words that its tokenizer knows.")
        if len(ids) > MAX_TARGET:
            raise UserError(f"A target of {len(ids)} tokens was given; expected at most {MAX_TARGET}: a word or two.")
        return tuple(ids)

    def unsaid(self, target: str) -> tuple[int, ...]:
        """As `ids`.

        Raises:
            UserError: also, when the answer begins with it already.
        """
        ids = self.ids(target)
        if force(self.vlm, self.prepared, ids).unchanged[0]:
            raise UserError(f"The answer already begins with {target!r}; expected a target that it doesn't give.")
        return ids
