"""An SAE in SAELens format, read without importing SAELens (which takes seconds), and its sparse encoding.

In: a folder with cfg.json and sae_weights.safetensors, or activations. Out: `Sae`, `Codes`. Knows nothing of VLMs but
the metadata that says where in which model the SAE was trained on.

Formulas (SAELens 6; SAE of PatchSAE, Lim et al. 2025, section 3): x' = x - b_dec if apply_b_dec_to_input;
pre = x' W_enc + b_enc; a = ReLU(pre) (standard), pre where pre > threshold (jumprelu, which BatchTopK is saved as),
the k largest of ReLU(pre) (topk), or ReLU(x' W_enc exp(r_mag) + b_mag) where x' W_enc + b_gate > 0 (gated);
reconstruction = a W_dec + b_dec. Where the SAE normalises its input, x is what `normalise` makes of it, and the reconstruction is
carried back: a unit of a latent is then as long as its patch's scale.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from scratchpad.errors import UserError
from scratchpad.records import Codes
from scratchpad.records.hookpoint import HookPoint
from scratchpad.sae.config import CONFIG, WEIGHTS, check_hash, check_weights, checked, read_config
from scratchpad.sae.directory import folder_of
from scratchpad.sae.normalise import AVERAGE, CONSTANT_NORM, LAYER_NORM, NONE, normalised
from scratchpad.sae.scaling import factor_beside, folded

ROWS, COLUMNS = 256, 8192  # patches and latents whose dense pre-activations exist at once


@dataclass(frozen=True)
class Sae:
    """A loaded SAE, and the point of a VLM whose activations it reads."""

    name: str
    folder: Path
    architecture: str
    at: HookPoint
    metadata: dict[str, object] = field(repr=False)
    W_enc: Float[Tensor, "d l"] = field(repr=False)
    b_enc: Float[Tensor, " l"] = field(repr=False)  # of gated: b_gate
    W_dec: Float[Tensor, "l d"] = field(repr=False)
    b_dec: Float[Tensor, " d"] = field(repr=False)
    k: int | None = None
    threshold: Float[Tensor, " l"] | None = field(default=None, repr=False)
    subtract_b_dec: bool = True
    rescale: bool = False  # top k is taken of pre * decoder norm, decoding divides by it
    normalise: str = NONE  # what is done to each patch before it's read; AVERAGE: to scale by a factor that isn't known
    r_mag: Float[Tensor, " l"] | None = field(default=None, repr=False)  # of gated
    b_mag: Float[Tensor, " l"] | None = field(default=None, repr=False)

    @cached_property
    def identity(self) -> str:
        """Hash of its tensors."""
        place = str(self.at.block if self.at.place == "vision" else self.at)
        told_apart = f"{self.architecture} {place} {self.k} {self.subtract_b_dec} {self.rescale}"
        digest = hashlib.sha256((told_apart if self.normalise == NONE else f"{told_apart} {self.normalise}").encode())
        for tensor in (self.W_enc, self.b_enc, self.W_dec, self.b_dec, self.threshold, self.r_mag, self.b_mag):
            if tensor is not None:
                digest.update(tensor.cpu().numpy().tobytes())
        return digest.hexdigest()[:16]

    @property
    def width(self) -> int:
        """d: dimensions of the activations that it reads."""
        return int(self.W_dec.shape[1])

    @property
    def d_sae(self) -> int:
        """l: how many latents it has."""
        return int(self.W_dec.shape[0])

    @torch.no_grad()
    def activations(self, x: Float[Tensor, "p d"]) -> Float[Tensor, "p l"]:
        """Dense activations: small inputs only."""
        pre = self._before(normalised(x, self.normalise).inner)
        if self.k is not None:
            top = pre.topk(min(self.k, pre.shape[-1]), -1)
            return torch.zeros_like(pre).scatter_(-1, top.indices, top.values.relu())
        return self._after(pre)

    @torch.no_grad()
    def of(self, x: Float[Tensor, "p d"], latents: Sequence[int]) -> Float[Tensor, "p n"]:
        """Activations of a few latents, as `encode` has them."""
        z = normalised(x.to(self.W_enc.device, torch.float32), self.normalise).inner
        wanted = torch.tensor(latents, device=self.W_enc.device)
        if self.k is None:
            return self._after(self._before(z, wanted), wanted)
        parts = []
        for part in z.split(ROWS):
            values, indices = self._top(part)
            parts.append((values[:, :, None] * (indices[:, :, None] == wanted)).sum(1))
        return torch.cat(parts)

    def _before(self, x: Float[Tensor, "p d"], latents: slice | Tensor = slice(None)) -> Float[Tensor, "p n"]:
        centred = x - self.b_dec if self.subtract_b_dec else x
        if self.r_mag is not None:
            return centred @ self.W_enc[:, latents]  # two biases follow
        pre = torch.addmm(self.b_enc[latents], centred, self.W_enc[:, latents])
        return pre.mul_(self._norms[latents]) if self.rescale else pre

    @cached_property
    def _norms(self) -> Float[Tensor, " l"]:
        norms: torch.Tensor = self.W_dec.norm(dim=-1)
        return norms

    def _after(self, pre: Float[Tensor, "p n"], latents: slice | Tensor = slice(None)) -> Float[Tensor, "p n"]:
        """ReLU in place, with the threshold or gate where there is one."""
        if self.r_mag is not None and self.b_mag is not None:
            closed = pre + self.b_enc[latents] <= 0
            pre = torch.addcmul(self.b_mag[latents], pre, self.r_mag[latents].exp()).masked_fill_(closed, 0)
        if self.threshold is not None:
            pre.masked_fill_(pre <= self.threshold[latents], 0)
        return pre.relu_()

    @torch.no_grad()
    def encode(self, x: Float[np.ndarray, "p d"]) -> Codes:
        """Sparse codes; the dense array exists only a few patches and latents at a time."""
        z = normalised(self._tensor(x), self.normalise).inner
        parts = [self._largest(part) if self.k else self._positive(part) for part in z.split(ROWS)]
        k = max((values.shape[1] for values, _ in parts), default=1)
        pad = [((0, 0), (0, k - values.shape[1])) for values, _ in parts]
        values = np.concatenate([np.pad(v, p) for (v, _), p in zip(parts, pad, strict=True)])
        indices = np.concatenate([np.pad(i, p) for (_, i), p in zip(parts, pad, strict=True)])
        return Codes(self.name, self.d_sae, values, indices)

    def _blocks(self) -> list[slice]:
        return [slice(start, min(start + COLUMNS, self.d_sae)) for start in range(0, self.d_sae, COLUMNS)]

    def _largest(self, x: Float[Tensor, "p d"]) -> tuple[np.ndarray, np.ndarray]:
        values, indices = self._top(x)
        return values.cpu().numpy(), indices.cpu().numpy().astype(np.int32)

    def _top(self, x: Float[Tensor, "p d"]) -> tuple[Float[Tensor, "p k"], Int[Tensor, "p k"]]:
        """The k largest of every patch, best first: of each block's and those before it."""
        assert self.k is not None
        values = torch.empty(len(x), 0, device=x.device)
        indices = torch.empty(len(x), 0, dtype=torch.long, device=x.device)
        for block in self._blocks():
            pre = self._before(x, block)
            top = pre.topk(min(self.k, pre.shape[1]), -1)
            values, indices = torch.cat([values, top.values], 1), torch.cat([indices, top.indices + block.start], 1)
            if values.shape[1] > self.k:
                best = values.topk(self.k, -1)
                values, indices = best.values, indices.gather(1, best.indices)
        return values.relu(), indices

    def _positive(self, x: Float[Tensor, "p d"]) -> tuple[np.ndarray, np.ndarray]:
        """All that are above 0 of every patch, largest first, padded to the most that some patch has."""
        rows, columns, activations = [], [], []
        for block in self._blocks():
            pre = self._after(self._before(x, block), block)
            row, column = (index.cpu().numpy() for index in pre.nonzero(as_tuple=True))
            rows.append(row)
            columns.append(column + block.start)
            activations.append(pre[pre > 0].cpu().numpy())
        row, column, value = (np.concatenate(each) for each in (rows, columns, activations))
        order = np.lexsort((-value, row))
        row, column, value = row[order], column[order], value[order]
        counts = np.bincount(row, minlength=len(x))
        k = max(1, int(counts.max(initial=0)))
        place = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
        values, indices = np.zeros((len(x), k), np.float32), np.zeros((len(x), k), np.int32)
        values[row, place], indices[row, place] = value, column
        return values, indices

    def _tensor(self, x: Float[np.ndarray, "p d"]) -> Float[Tensor, "p d"]:
        return torch.from_numpy(np.ascontiguousarray(x, np.float32)).to(self.W_enc.device)

    def directions(self) -> Float[Tensor, "l d"]:
        """What one unit of a latent adds to a patch whose scale is 1 (see `scales`)."""
        return self.W_dec / self._norms[:, None] if self.rescale else self.W_dec

    @torch.no_grad()
    def scales(self, x: Float[np.ndarray, "p d"]) -> Float[np.ndarray, "p 1"]:
        """How many times `directions` a unit of a latent adds to each patch: 1 unless the SAE normalises its input."""
        scale = normalised(self._tensor(x), self.normalise).scale
        return np.ones((len(x), 1), np.float32) if scale is None else np.asarray(scale.cpu().numpy())

    @torch.no_grad()
    def reconstruct(self, codes: Codes, x: Float[np.ndarray, "p d"] | None = None) -> Float[np.ndarray, "p d"]:
        """a W_dec + b_dec from sparse codes, at the activations' own scale.

        Args:
            x: the activations that the codes are of; only an SAE that normalises its input needs them.

        Raises:
            ValueError: they are needed and weren't given.
        """
        values = torch.from_numpy(codes.values).to(self.W_dec.device)
        indices = torch.from_numpy(codes.indices.astype(np.int64)).to(self.W_dec.device)
        total = F.embedding_bag(indices, self.directions(), per_sample_weights=values, mode="sum")
        total = total + self.b_dec
        if self.normalise in (LAYER_NORM, CONSTANT_NORM):
            if x is None:
                raise ValueError(f"{self.name} normalises its input: what it reconstructs can't be carried back without the activations")
            total = normalised(self._tensor(x), self.normalise).back(total)
        return np.asarray(total.cpu().numpy())


def load_sae(folder: str | Path, device: str = "cpu", name: str | Path | None = None) -> Sae:
    """Reads an SAE folder in SAELens format.

    Args:
        folder: or the name of a released SAE, `release/sae_id`, which is fetched once.
        name: what errors call the folder, where it isn't at its place yet.

    Raises:
        UserError: the folder, its weights or its metadata are missing, damaged or of an unknown kind.
    """
    folder = folder_of(folder)
    named = Path(name) if name else folder
    for path in (folder / CONFIG, folder / WEIGHTS):
        if not path.is_file():
            raise UserError(f"{named} is not an SAE folder: it has no {path.name}; expected SAELens format.")
    config = checked(read_config(folder), named)
    check_hash(folder, config["metadata"], named)
    try:
        weights = load_file(folder / WEIGHTS, device=device)
    except (SafetensorError, OSError, ValueError) as error:
        raise UserError(f"The SAE in {named} is damaged ({str(error)[:200]}); restore its {WEIGHTS}.") from error
    check_weights(weights, config, named)
    weights = {tensor: value.float() for tensor, value in weights.items()}
    normalise, factor = config["normalise"], factor_beside(folder, named)
    if normalise == AVERAGE and factor is not None:
        weights, normalise = folded(weights, factor), NONE
    return Sae(
        name=folder.resolve().name,
        folder=folder,
        architecture=config["architecture"],
        at=config["at"],
        metadata=config["metadata"],
        W_enc=weights["W_enc"],
        b_enc=weights["b_gate" if config["architecture"] == "gated" else "b_enc"],
        W_dec=weights["W_dec"],
        b_dec=weights["b_dec"],
        k=config["k"],
        threshold=weights.get("threshold"),
        subtract_b_dec=config["subtract_b_dec"],
        rescale=config["rescale"],
        normalise=normalise,
        r_mag=weights.get("r_mag"),
        b_mag=weights.get("b_mag"),
    )
