"""What an edited run needn't compute again: vision blocks below the edit, what is done to each tile alone of tiles that stay,
keys and values before the first changed token.

In: a clean run's own tensors, kept on its device. Out: scopes in which the model takes them instead of computing them.
Exact, because nothing before a changed token can see it (causal attention); where a family's attention looks ahead, less
is reused. Knows nothing of SAEs. A `CleanRun` belongs to whoever runs; it's never part of a record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor, nn
from transformers import Cache, DynamicCache
from transformers.cache_utils import CacheLayerMixin, DynamicLayer, DynamicSlidingWindowLayer

from scratchpad.records.hookpoint import HookPoint
from scratchpad.vlm.hooks import Arguments, Output, first_of
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.prepare import Prepared
from scratchpad.vlm.tilewise import Done, for_new_tiles, watching_steps

Pair = tuple[Tensor, Tensor]  # keys and values, each 1 g s c


@dataclass(frozen=True)
class CleanRun:
    """What an unedited run leaves for edited ones of the same prompt."""

    at: HookPoint  # where edits happen
    blocks: dict[int, Output]  # what vision blocks put out, for those that are read again
    steps: Done  # what the adapter's steps took in and put out
    pairs: tuple[Pair, ...] | None  # of every language-model layer; None where a sliding window has forgotten some


@contextmanager
def keeping(vlm: Vlm, at: HookPoint) -> Iterator[tuple[dict[int, Output], Done]]:
    """Collects what the last vision block that an edit leaves alone puts out, those below it that the language model reads, and the
    adapter's steps."""
    outputs: dict[int, Output] = {}
    upto = _last_same(vlm, at)
    wanted = [i for i in vlm.adapter.read_layers if i < upto] + [upto]

    def hook(i: int) -> Callable[[nn.Module, object, Output], None]:
        return lambda _module, _args, output: outputs.__setitem__(i, output)

    handles = [vlm.blocks[i].register_forward_hook(hook(i), prepend=True) for i in wanted]
    try:
        with watching_steps(vlm.adapter.steps) as steps:
            yield outputs, steps
    finally:
        for handle in handles:
            handle.remove()


def _last_same(vlm: Vlm, at: HookPoint) -> int:
    """The last vision block whose output an edit leaves as it was, but for the edit itself."""
    return at.block if at.place == "vision" else vlm.read_layer


def clean_run(at: HookPoint, collected: tuple[dict[int, Output], Done], cache: object) -> CleanRun:
    """From what `keeping` collected and the cache that generation left."""
    layers = getattr(cache, "layers", [])
    pairs = tuple((part.keys, part.values) for part in layers) if layers and all(map(_whole, layers)) else None
    return CleanRun(at, *collected, pairs)


def _whole(layer: CacheLayerMixin) -> bool:
    """Whether a cache's layer still has all keys and values."""
    kind = type(layer)
    keys = layer.keys
    return kind is DynamicLayer or (kind is DynamicSlidingWindowLayer and keys is not None and layer.get_seq_length() == keys.shape[-2])


def first_changed(vlm: Vlm, prepared: Prepared, at: HookPoint, changed: Bool[np.ndarray, " n"]) -> int:
    """The first position whose keys and values may differ when these rows change at a hook point.

    Blocks above the edit mix the patches of a tile, so below the last block read a change reaches all of its tile.
    """
    last = prepared.length - 1  # something must be computed
    positions = prepared.image_positions
    if at.place == "language":
        earliest = int(np.argmax(changed)) if changed.any() else last
        return _seen_from(vlm, min(earliest, last), positions)
    if at.place == "projector":
        return _seen_from(vlm, positions[int(np.argmax(changed))], positions) if changed.any() else last
    grid = prepared.grid
    if at.block < vlm.read_layer:
        ends = np.cumsum([tile.patches for tile in grid.tiles])
        changed = np.concatenate([np.full(len(part), part.any()) for part in np.split(changed, ends[:-1])])
    tokens = np.flatnonzero(grid.patch_values_to_tokens(changed.astype(np.float32)))
    return _seen_from(vlm, positions[int(tokens[0])], positions) if len(tokens) else last


def _seen_from(vlm: Vlm, position: int, images: Sequence[int]) -> int:
    """The first position that sees a given one, itself included, where image tokens stand at `images`."""
    first = {"nothing": position, "image": images[0] if position in images else position, "prompt": 0}
    return first[vlm.adapter.sees_ahead]


@contextmanager
def reusing(vlm: Vlm, clean: CleanRun | None, first: int, count: int) -> Iterator[None]:
    """The next forward pass, of `count` copies of the prompt, computes only what is new; later ones are left alone."""
    if clean is None:
        yield
        return
    with _replaying(vlm, clean, count), _resuming(vlm, clean, first, count):
        yield


@contextmanager
def _replaying(vlm: Vlm, clean: CleanRun, count: int) -> Iterator[None]:
    """Vision blocks up to the edited layer hand out what they put out before, and those that nobody reads are passed through.

    Steps are done for tiles that differ. Hooks on all of them run as ever.
    """
    blocks, steps, layer = vlm.blocks, vlm.adapter.steps, _last_same(vlm, clean.at)
    changed = [*blocks[: layer + 1], *blocks[vlm.read_layer + 1 :], *(steps[i] for i in clean.steps)]
    before = [module.__dict__.get("forward") for module in changed]
    through = _through(clean.blocks[layer])
    for i, block in enumerate(blocks):
        if i <= layer:
            block.forward = _repeated(clean.blocks[i], count, vlm.adapter.packed) if i in clean.blocks else through
        elif i > vlm.read_layer:
            block.forward = through
    for i, done in clean.steps.items():
        steps[i].forward = for_new_tiles(steps[i].forward, done, count)
    try:
        yield
    finally:
        for module, forward in zip(changed, before, strict=True):
            if forward is None:
                del module.forward
            else:
                module.forward = forward  # some wrap a module's forward, accelerate among them


def _through(like: Output) -> Callable[..., Output]:
    """A block's forward that hands on what it takes in, in the form in which blocks of its kind do."""
    rest = like[1:] if isinstance(like, tuple) else None
    return lambda x, *args, **kwargs: x if rest is None else (x, *rest)


def _repeated(output: Output, count: int, packed: bool) -> Callable[..., Output]:
    """A block's forward that hands out what it put out before, for `count` copies of the prompt."""
    x = first_of(output)
    many = x.repeat(1, count, 1) if packed else x.repeat(count, *[1] * (x.ndim - 1))
    out = (many, *output[1:]) if isinstance(output, tuple) else many
    return lambda *args, **kwargs: out


@contextmanager
def _resuming(vlm: Vlm, clean: CleanRun, first: int, count: int) -> Iterator[None]:
    """The language model's next pass begins at position `first`, upon the clean run's keys and values before it."""

    def begin(module: nn.Module, args: Any, kwargs: Arguments) -> tuple[Any, Arguments] | None:
        handle.remove()
        mask = kwargs.get("attention_mask")
        if clean.pairs is None or first == 0 or (isinstance(mask, dict) and any(part is None for part in mask.values())):
            return None
        cache = kwargs.get("past_key_values")
        if cache is None:
            cache = DynamicCache(config=vlm.model.config)
        for i, (keys, values) in enumerate(clean.pairs):
            _begin(cache, i, keys[:, :, :first].expand(count, -1, -1, -1), values[:, :, :first].expand(count, -1, -1, -1))
        return args, kwargs | _from(first, kwargs) | {"past_key_values": cache, "use_cache": True}

    handle = vlm.adapter.language_model.register_forward_pre_hook(begin, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


def _begin(cache: Cache, layer: int, keys: Tensor, values: Tensor) -> None:
    """A cache layer's first keys and values: without the copy that `update` makes where all of them are kept."""
    empty = cache.layers[layer] if layer < len(cache.layers) else None
    if type(empty) is not DynamicLayer or empty.is_initialized:
        cache.update(keys, values, layer)
        return
    empty.lazy_initialization(keys, values)
    empty.keys, empty.values = keys, values


def _from(first: int, kwargs: Arguments) -> Arguments:
    """A language model's arguments without the positions before `first`."""
    new: Arguments = {"inputs_embeds": kwargs["inputs_embeds"][:, first:]}
    for name in ("position_ids", "cache_position"):
        if kwargs.get(name) is not None:
            new[name] = kwargs[name][..., first:]
    mask = kwargs.get("attention_mask")
    if isinstance(mask, dict):
        new["attention_mask"] = {name: part[..., first:, :] for name, part in mask.items()}
    elif mask is not None and mask.ndim == 4:
        new["attention_mask"] = mask[..., first:, :]
    if kwargs.get("visual_pos_masks") is not None:  # DeepStack: one row for every image token of the batch
        places = kwargs["visual_pos_masks"]
        later = torch.zeros_like(places)
        later[:, first:] = True
        new["visual_pos_masks"] = places[:, first:]
        new["deepstack_visual_embeds"] = [x[later[places]] for x in kwargs["deepstack_visual_embeds"]]
    return new
