"""A family nobody wrote an adapter for: its geometry is measured on the model, or the model is refused.

Which blocks are read, what precedes the patches and which patches every image token is made of all come from gradients;
where tiles lie comes from ramps, as for every family. What can't be measured so is refused in one sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn
from transformers import PreTrainedModel, ProcessorMixin

from scratchpad.errors import UserError
from scratchpad.grid import Grid
from scratchpad.vlm.adapter import Adapter, Ahead, Layout, Seen, measured_tiles

TOWERS = ("vision_tower", "vision_model", "visual", "vision_encoder")
MOST = 4096  # image tokens whose patches are measured one by one


class Generic(Adapter):
    """One instance a model, so that what was measured on it stays with it."""

    family = "generic"
    sees_ahead: Ahead = "prompt"  # for all that is known
    model_types: tuple[str, ...] = ()

    def tower(self, model: PreTrainedModel) -> nn.Module:
        inner: Any = getattr(model, "model", model)
        found = next((getattr(inner, name) for name in TOWERS if isinstance(getattr(inner, name, None), nn.Module)), None)
        if found is None:
            raise _refusal(model, f"it has no vision encoder under any of the names {', '.join(TOWERS)}")
        return found

    def blocks(self, model: PreTrainedModel) -> Sequence[nn.Module]:
        lists = [list(m) for m in self.tower(model).modules() if isinstance(m, nn.ModuleList) and len({type(block) for block in m}) == 1]
        if not lists:
            raise _refusal(model, "its vision encoder has no list of equal blocks")
        return max(lists, key=len)

    def read_layers(self, model: PreTrainedModel) -> tuple[int, ...]:
        """Blocks after which nothing but the connector comes: an output that reaches the image embeddings by a way of its own."""
        blocks = self.blocks(model)
        outputs, features = self._trial(model)
        read = []
        for i, out in enumerate(outputs):
            later = outputs[i + 1] if i + 1 < len(outputs) else None
            if later is None:
                (gradient,) = torch.autograd.grad(features.sum(), out, retain_graph=True, allow_unused=True)
                if gradient is not None:
                    read.append(i)
            elif self._bypasses(out, later, features):
                read.append(i)
        if not read:
            raise _refusal(model, f"no gradient leads from its {len(blocks)} vision blocks to the image tokens")
        return tuple(read)

    def _bypasses(self, out: Tensor, later: Tensor, features: Tensor) -> bool:
        """Whether `out` reaches the features other than through the next block's output."""
        (total,) = torch.autograd.grad(features.sum(), out, retain_graph=True, allow_unused=True)
        if total is None:
            return False
        (beyond,) = torch.autograd.grad(features.sum(), later, retain_graph=True, allow_unused=True)
        if beyond is None:
            return True
        (through,) = torch.autograd.grad(later, out, beyond, retain_graph=True, allow_unused=True)
        return through is None or not torch.allclose(total, through, rtol=1e-3, atol=1e-5 * float(total.abs().max()))

    def leading_tokens(self, model: PreTrainedModel) -> int:
        vision: Any = model.config.vision_config
        outputs, _ = self._trial(model)
        side = vision.image_size // vision.patch_size
        leading = outputs[0].shape[-2] - side * side
        if not 0 <= leading <= 8:
            raise _refusal(model, f"its vision blocks hold {outputs[0].shape[-2]} vectors where {side} x {side} patches were expected")
        return leading

    def _trial(self, model: PreTrainedModel) -> tuple[list[Tensor], Tensor]:
        """Outputs of all blocks for one grey tile, and the image features, with gradients."""
        vision: Any = model.config.vision_config
        outputs: list[Tensor] = []

        def keep(module: nn.Module, args: Any, out: Any) -> Any:
            x = out[0] if isinstance(out, tuple) else out
            if not x.requires_grad:
                x = x.requires_grad_(True)
            outputs.append(x)
            return (x, *out[1:]) if isinstance(out, tuple) else x

        handles = [block.register_forward_hook(keep, prepend=True) for block in self.blocks(model)]
        pixels = torch.zeros(1, 3, vision.image_size, vision.image_size, device=model.device, dtype=model.dtype)
        try:
            with torch.enable_grad():
                inner: Any = model.model
                features = inner.get_image_features(pixel_values=pixels).pooler_output
        except (TypeError, AttributeError, RuntimeError, ValueError) as error:
            raise _refusal(model, f"its image features could not be computed from one {vision.image_size} px tile ({error})") from error
        finally:
            for handle in handles:
                handle.remove()
        return outputs, torch.cat([f.flatten(0, -2) for f in features]) if isinstance(features, list | tuple) else features

    def layout(self, model: PreTrainedModel, processor: ProcessorMixin, seen: Seen) -> Layout:
        if seen.ramps.ndim < 4:
            raise _refusal(model, "its processor makes no pictures of its tiles, so where they lie can't be measured")
        patch = model.config.vision_config.patch_size
        tiles = measured_tiles(seen.ramps.reshape(-1, *seen.ramps.shape[-3:]), seen.sizes, patch)
        patches = sum(tile.patches for tile in tiles)
        rows = _made_of(model, self, seen, patches)
        shares = rows.sum(1)
        if (shares > max(64, patches // 8)).any():
            raise _refusal(model, f"its image tokens are made of up to {int(shares.max())} of {patches} patches each, so none has a place")
        matrix = sparse.csr_matrix(rows / np.maximum(shares, 1)[:, None], dtype=np.float32)
        return Layout(Grid(tuple(seen.sizes), tiles, matrix))


def _made_of(model: PreTrainedModel, adapter: Generic, seen: Seen, patches: int) -> np.ndarray:
    """bool[v, p]: the Jacobian's pattern of the image embeddings with respect to the last block read."""
    from scratchpad.vlm.check import pattern  # which imports the registry that this module is part of

    ids = seen.inputs["input_ids"][0]
    positions = torch.nonzero(ids == adapter.image_token(model)).flatten().tolist()
    if len(positions) > MOST:
        raise _refusal(model, f"it makes {len(positions)} image tokens, more than the {MOST} that are measured one by one")
    inputs = {k: v.to(model.device) for k, v in seen.inputs.items() if isinstance(v, Tensor)}
    inputs["pixel_values"] = inputs["pixel_values"].to(model.dtype)
    return pattern(model, adapter, inputs, positions, range(len(positions)), patches)


def _refusal(model: PreTrainedModel, missing: str) -> UserError:
    return UserError(f"Models of type {model.config.model_type!r} have no adapter, and no map of this one could be trusted: {missing}.")
