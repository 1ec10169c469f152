"""A family nobody wrote an adapter for: its geometry is measured on the model, or the model is refused.

Which blocks are read, what precedes the patches and which patches every image token is made of all come from gradients;
where tiles lie comes from ramps, as for every family. What can't be measured so is refused in one sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from inspect import signature

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy import sparse
from torch import Tensor, nn
from transformers import PreTrainedModel

from scratchpad.errors import UserError
from scratchpad.grid import Grid
from scratchpad.vlm.adapter import Adapter, Ahead, Layout, Shown, measured_tiles
from scratchpad.vlm.jacobian import pattern
from scratchpad.vlm.protocols import Processor

TOWERS = ("vision_tower", "vision_model", "visual", "vision_encoder")
MAX_IMAGE_TOKENS = 4096  # whose patches are measured one by one
MAX_LEADING = 8  # vectors before the patches


class Generic(Adapter):
    """A model of an unknown family. What doesn't hang on the image is measured at once, before any hook of ours is placed.

    Raises:
        UserError: its vision encoder isn't found, or can't be measured.
    """

    family = "generic"
    sees_ahead: Ahead = "prompt"  # for all that is known
    model_types: tuple[str, ...] = ()

    def __init__(self, model: PreTrainedModel, processor: Processor):
        super().__init__(model, processor)
        self._sized = "image_sizes" in signature(self.tower.forward).parameters  # the encoder takes pictures of any shape, padded to one
        tiles = 2 if self._sized else 1
        outputs, features = self._trial(tiles)
        self.packed = outputs[0].ndim == 3 and outputs[0].shape[0] < tiles
        self._read = self._read_of(outputs, features)
        self._leading = self._leading_of(outputs[0].shape[:-1].numel() // tiles)
        self._width = int(outputs[0].shape[-1])

    @cached_property
    def tower(self) -> nn.Module:
        """The module under one of the names TOWERS.

        Raises:
            UserError: there is none.
        """
        towers = (getattr(self.body, name, None) for name in TOWERS)
        tower = next((module for module in towers if isinstance(module, nn.Module)), None)
        if tower is None:
            raise self._refusal(f"it has no vision encoder under any of the names {', '.join(TOWERS)}")
        return tower

    @cached_property
    def blocks(self) -> Sequence[nn.Module]:
        """The tower's longest list of modules of one class.

        Raises:
            UserError: there is none.
        """
        lists = [list(m) for m in self.tower.modules() if isinstance(m, nn.ModuleList) and len({type(block) for block in m}) == 1]
        if not lists:
            raise self._refusal("its vision encoder has no list of equal blocks")
        return max(lists, key=len)

    @property
    def steps(self) -> tuple[nn.Module, ...]:
        """None."""
        return ()  # only a family's own adapter can say that a step looks at one tile alone

    @property
    def read_layers(self) -> tuple[int, ...]:
        """As one gradient from the image features showed."""
        return self._read

    @property
    def leading_tokens(self) -> int:
        """As a block's output of one tile showed."""
        return self._leading

    @property
    def width(self) -> int:
        """As a block's output showed."""
        return self._width

    def layout(self, shown: Shown) -> Layout:
        """Tiles measured by ramps, tokens by the Jacobian.

        Raises:
            UserError: its tiles or tokens can't be measured.
        """
        if shown.ramps.ndim < 4:
            raise self._refusal("its processor makes no pictures of its tiles, so where they lie can't be measured")
        ramps = shown.ramps.reshape(-1, *shown.ramps.shape[-3:])
        whole = shown.inputs["image_sizes"].tolist() if self._sized else [ramps.shape[-2:]] * len(ramps)
        patch = self._side("patch_size")
        tiles = tuple(
            tile for ramp, (h, w) in zip(ramps, whole, strict=True) for tile in measured_tiles(ramp[None, :, :h, :w], shown.sizes, patch)
        )
        if len(tiles) != len(ramps):
            raise self._refusal(f"{len(ramps) - len(tiles)} of {len(ramps)} tiles that its processor makes show nothing of the image")
        patches = sum(tile.patches for tile in tiles)
        rows = self._made_of(shown, patches)
        shares = rows.sum(1)
        if (shares > max(64, patches // 8)).any():
            raise self._refusal(f"its image tokens are made of up to {int(shares.max())} of {patches} patches each, so none has a place")
        matrix = sparse.csr_matrix(rows / np.maximum(shares, 1)[:, None], dtype=np.float32)
        return Layout(Grid(tuple(shown.sizes), tiles, matrix))

    @torch.enable_grad()
    def _trial(self, tiles: int) -> tuple[list[Float[Tensor, "n s d"]], Tensor]:
        """Outputs of all blocks for grey tiles, and the image features. Every output is a leaf: what comes before is cut off."""
        leaves: list[Tensor] = []

        def cut(module: nn.Module, args: object, out: Tensor | tuple[Tensor, ...]) -> Tensor | tuple[Tensor, ...]:
            leaves.append((out[0] if isinstance(out, tuple) else out).detach().requires_grad_())
            return (leaves[-1], *out[1:]) if isinstance(out, tuple) else leaves[-1]

        side = self._side("image_size")
        pixels = torch.zeros(tiles, 3, side, side, device=self.device, dtype=self.model.dtype)
        sizes = {"image_sizes": torch.tensor([[side, side]] * tiles, device=self.device)} if self._sized else {}
        handles = [block.register_forward_hook(cut, prepend=True) for block in self.blocks]
        try:
            features = self.body.get_image_features(pixel_values=pixels, **sizes).pooler_output
        except (TypeError, AttributeError, RuntimeError, ValueError) as error:
            raise self._refusal(f"its image features could not be computed from one {side} px tile ({error})") from error
        finally:
            for handle in handles:
                handle.remove()
        if len(leaves) != len(self.blocks):
            raise self._refusal(f"one tile passes {len(leaves)} of what seem to be {len(self.blocks)} vision blocks")
        return leaves, torch.cat([f.flatten(0, -2) for f in features]) if isinstance(features, list | tuple) else features

    def _read_of(self, outputs: list[Tensor], features: Tensor) -> tuple[int, ...]:
        """Blocks whose output reaches the image features by a way of its own, not through the next block's output alone.

        The gradient of one random direction of the features: zero by chance with probability zero.
        """
        along = torch.randn(features.shape, generator=torch.Generator().manual_seed(0)).to(features.device, features.dtype)
        slopes = torch.autograd.grad(features, outputs, along, allow_unused=True) if features.requires_grad else ()
        read = tuple(i for i, slope in enumerate(slopes) if slope is not None and slope.ne(0).any())
        if not read:
            raise self._refusal(f"no gradient leads from its {len(self.blocks)} vision blocks to the image tokens")
        return read

    def _leading_of(self, vectors: int) -> int:
        """How many of a block's vectors come before the patches."""
        side = self._side("image_size") // self._side("patch_size")
        leading = vectors - side * side
        if not 0 <= leading <= MAX_LEADING:
            raise self._refusal(f"its vision blocks hold {vectors} vectors where {side} x {side} patches were expected")
        return leading

    def _side(self, name: str) -> int:
        """A side in pixels, which some configurations give twice."""
        given = getattr(getattr(self.config, "vision_config", None), name, None)
        sides = {*given} if isinstance(given, list | tuple) else {given}
        side = sides.pop()
        if sides or not isinstance(side, int):
            raise self._refusal(f"its vision configuration says {given} as {name}, where one number was expected")
        return side

    def _made_of(self, shown: Shown, patches: int) -> Bool[np.ndarray, "v p"]:
        """The Jacobian's pattern of the image embeddings with respect to the last block read."""
        positions = torch.nonzero(shown.inputs["input_ids"][0] == self.image_token).flatten().tolist()
        if len(positions) > MAX_IMAGE_TOKENS:
            raise self._refusal(f"it makes {len(positions)} image tokens, more than the {MAX_IMAGE_TOKENS} that are measured one by one")
        try:
            return pattern(self, self.device_inputs(shown.inputs), positions, range(len(positions)), patches)
        except (RuntimeError, ValueError, IndexError) as error:
            raise self._refusal(f"its encoder doesn't hold {patches} patches as its tiles say ({error})") from error

    def _refusal(self, missing: str) -> UserError:
        kind = self.model.config.model_type
        reason = " ".join(missing.split())[:300]
        return UserError(f"Models of type {kind!r} have no adapter, and no map of this one could be trusted: {reason}.")
