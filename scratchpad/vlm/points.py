"""What passes a hook point: recorded, or changed, whatever the place.

In: a model, a point, a prompt whose image tokens' positions are known. Out: scopes. A row of `vision.N` is a patch, in the grid's order; of
`projector` an image token, as the language model takes it in; of `language.N` a token of the sequence, image, text and answer alike, after
the block and before what a family adds behind it (DeepStack). Knows nothing of SAEs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import Cache

from scratchpad.records.hookpoint import HookPoint
from scratchpad.vlm.hooks import Output, adding, first_of, patches_of
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.prepare import Prepared

Change = Callable[[Float[Tensor, "n d"]], Float[Tensor, "n d"]]  # what is added to each row, by its activations


class Reached(Exception):
    """A pass came to where it was to end."""


@dataclass
class _Pass:
    """The language model's pass under way."""

    first: int = 0  # position of its first token in the sequence


@contextmanager
def _passes(vlm: Vlm) -> Iterator[_Pass]:
    """Says where in the sequence each pass of the language model begins; to be entered after whatever shortens it."""
    current = _Pass()

    def begin(module: nn.Module, args: object, kwargs: dict[str, object]) -> None:
        cache = kwargs.get("past_key_values")
        current.first = int(cache.get_seq_length()) if isinstance(cache, Cache) else 0

    handle = vlm.adapter.language_model.register_forward_pre_hook(begin, with_kwargs=True)
    try:
        yield current
    finally:
        handle.remove()


@contextmanager
def recording_at(vlm: Vlm, at: HookPoint, positions: Sequence[int], class_token: bool = False) -> Iterator[list[Float[Tensor, "b n d"]]]:
    """Collects what passes a point, pass by pass; of the projector in the pass that holds the image tokens alone.

    Of a packed encoder all pictures of a batch are in one row. Patches are in the encoder's order.

    Args:
        positions: of the image tokens in the prompt.
        class_token: what comes before each tile's patches is collected too.
    """
    recorded: list[Tensor] = []
    leading = 0 if at.place == "language" or class_token else vlm.leading

    def after(module: nn.Module, args: object, output: Output) -> None:
        recorded.append(patches_of(first_of(output), leading).detach())

    def before(module: nn.Module, args: object, kwargs: dict[str, Tensor]) -> None:
        x = kwargs["inputs_embeds"]
        if not recorded and x.shape[1] > max(positions):
            recorded.append(x[:, list(positions)].detach())

    if at.place == "projector":
        handle = vlm.adapter.language_model.register_forward_pre_hook(before, with_kwargs=True)
    else:
        handle = vlm.block(at).register_forward_hook(after, prepend=True)
    try:
        yield recorded
    finally:
        handle.remove()


def rows_of(recorded: Sequence[Float[Tensor, "1 n d"]], at: HookPoint, prepared: Prepared, answered: int) -> Float[Tensor, "n d"]:
    """What `recording_at` collected while a prompt was answered, a row per patch in the grid's order, image token, or token fed in.

    Args:
        answered: how many tokens the answer has; the last isn't fed back.
    """
    if at.place == "language":
        return torch.cat(list(recorded), 1)[0, : prepared.length + answered - 1]
    rows = recorded[0].reshape(-1, recorded[0].shape[-1])
    if at.place == "projector" or prepared.order is None:
        return rows
    return rows[torch.from_numpy(prepared.order).argsort().to(rows.device)]


@contextmanager
def changing_at(
    vlm: Vlm,
    at: HookPoint,
    prepared: Prepared,
    delta: Float[Tensor, "b n d"],
    later: Sequence[Change | None] = (),
) -> Iterator[None]:
    """Adds a change to what passes a point; row b of a batch of like prompts gets delta[b].

    To be entered after whatever shortens the language model's passes.

    Args:
        later: of `language.N`: for each of the batch, what is added to tokens behind the n that `delta` is of; None for nothing.
    """
    if at.place == "vision":
        with adding(vlm.block(at), vlm.leading, delta, prepared.order):
            yield
        return
    with _passes(vlm) as current:
        if at.place == "projector":
            handle = vlm.adapter.language_model.register_forward_pre_hook(_moved_images(current, prepared, delta), with_kwargs=True)
        else:
            handle = vlm.block(at).register_forward_hook(_moved_tokens(current, delta, later), prepend=True)
        try:
            yield
        finally:
            handle.remove()


def _moved_images(current: _Pass, prepared: Prepared, delta: Tensor) -> Callable[..., tuple[object, dict[str, Tensor]]]:
    positions = torch.tensor(prepared.image_positions)

    def before(module: nn.Module, args: object, kwargs: dict[str, Tensor]) -> tuple[object, dict[str, Tensor]]:
        x = kwargs["inputs_embeds"]
        here = positions - current.first
        within = (here >= 0) & (here < x.shape[1])
        if not within.any():
            return args, kwargs
        moved = x.index_add(1, here[within].to(x.device), delta[:, within.to(delta.device)].to(x.device, x.dtype))
        return args, kwargs | {"inputs_embeds": moved}

    return before


def _moved_tokens(current: _Pass, delta: Tensor, later: Sequence[Change | None]) -> Callable[..., Output]:
    def after(module: nn.Module, args: object, output: Output) -> Output:
        x = first_of(output)
        known = delta[:, current.first : current.first + x.shape[1]].to(x.device, x.dtype)
        rest = x[:, known.shape[1] :]
        if rest.shape[1] and any(later):
            pairs = zip(later, rest, strict=True)
            rest = torch.stack([row if change is None else row + change(row).to(row.dtype) for change, row in pairs])
        y = torch.cat([x[:, : known.shape[1]] + known, rest], 1)
        return (y, *output[1:]) if isinstance(output, tuple) else y

    return after


@contextmanager
def stopping_at(vlm: Vlm, at: HookPoint) -> Iterator[None]:
    """The pass in this scope ends at a point of the language model, or before it: nothing behind is computed. To be entered last."""

    def before(module: nn.Module, args: object, kwargs: object) -> None:
        raise Reached

    def after(module: nn.Module, args: object, output: object) -> None:
        raise Reached

    if at.place == "language":
        handle = vlm.block(at).register_forward_hook(after)
    else:
        handle = vlm.adapter.language_model.register_forward_pre_hook(before, with_kwargs=True)
    try:
        yield
    except Reached:
        pass
    finally:
        handle.remove()
