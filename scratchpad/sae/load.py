"""An SAE in SAELens format, read without importing SAELens (which takes seconds), and its sparse encoding.

In: a folder with cfg.json and sae_weights.safetensors, or activations. Out: `Sae`, `Codes`. Knows nothing of VLMs but
the metadata that says which layer of which model the SAE was trained on.

Formulas (SAELens 6; SAE of PatchSAE, Lim et al. 2025, section 3): x' = x - b_dec if apply_b_dec_to_input;
pre = x' W_enc + b_enc; a = ReLU(pre) (standard), pre where pre > threshold (jumprelu, which BatchTopK is saved as),
or the k largest of ReLU(pre) (topk); reconstruction = a W_dec + b_dec.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from scratchpad.errors import UserError
from scratchpad.records import Codes
from scratchpad.sae.config import CONFIG, WEIGHTS, check_hash, check_weights, checked, read_config

ROWS, COLUMNS = 256, 8192  # patches and latents whose dense pre-activations exist at once


@dataclass(frozen=True)
class Sae:
    """A loaded SAE; `layer` is the vision block whose output it reads."""

    name: str
    folder: Path
    architecture: str
    layer: int
    metadata: dict[str, object] = field(repr=False)
    W_enc: Float[Tensor, "d l"] = field(repr=False)
    b_enc: Float[Tensor, " l"] = field(repr=False)
    W_dec: Float[Tensor, "l d"] = field(repr=False)
    b_dec: Float[Tensor, " d"] = field(repr=False)
    k: int | None = None
    threshold: Float[Tensor, " l"] | None = field(default=None, repr=False)
    subtract_b_dec: bool = True
    rescale: bool = False  # top k is taken of pre * decoder norm, decoding divides by it

    @cached_property
    def identity(self) -> str:
        """Hash of its tensors."""
        digest = hashlib.sha256(f"{self.architecture} {self.layer} {self.k} {self.subtract_b_dec} {self.rescale}".encode())
        for tensor in (self.W_enc, self.b_enc, self.W_dec, self.b_dec, self.threshold):
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
        pre = self._before(x)
        if self.k is not None:
            top = pre.topk(min(self.k, pre.shape[-1]), -1)
            return torch.zeros_like(pre).scatter_(-1, top.indices, top.values.relu())
        return self._after(pre)

    def _before(self, x: Float[Tensor, "p d"], latents: slice = slice(None)) -> Float[Tensor, "p n"]:
        pre = torch.addmm(self.b_enc[latents], x - self.b_dec if self.subtract_b_dec else x, self.W_enc[:, latents])
        return pre.mul_(self._norms[latents]) if self.rescale else pre

    @cached_property
    def _norms(self) -> Float[Tensor, " l"]:
        return self.W_dec.norm(dim=-1)

    def _after(self, pre: Float[Tensor, "p n"], latents: slice = slice(None)) -> Float[Tensor, "p n"]:
        """ReLU in place, with the threshold where there is one."""
        if self.threshold is not None:
            pre.masked_fill_(pre <= self.threshold[latents], 0)
        return pre.relu_()

    @torch.no_grad()
    def encode(self, x: Float[np.ndarray, "p d"]) -> Codes:
        """Sparse codes; the dense array exists only a few patches and latents at a time."""
        z = torch.from_numpy(np.ascontiguousarray(x, np.float32)).to(self.W_enc.device)
        parts = [self._largest(part) if self.k else self._positive(part) for part in z.split(ROWS)]
        k = max((values.shape[1] for values, _ in parts), default=1)
        pad = [((0, 0), (0, k - values.shape[1])) for values, _ in parts]
        values = np.concatenate([np.pad(v, p) for (v, _), p in zip(parts, pad, strict=True)])
        indices = np.concatenate([np.pad(i, p) for (_, i), p in zip(parts, pad, strict=True)])
        return Codes(self.name, self.d_sae, values, indices)

    def _blocks(self) -> list[slice]:
        return [slice(start, min(start + COLUMNS, self.d_sae)) for start in range(0, self.d_sae, COLUMNS)]

    def _largest(self, x: Float[Tensor, "p d"]) -> tuple[np.ndarray, np.ndarray]:
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
        return values.relu().cpu().numpy(), indices.cpu().numpy().astype(np.int32)

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

    def directions(self) -> Float[Tensor, "l d"]:
        """What one unit of a latent adds to the activations."""
        return self.W_dec / self._norms[:, None] if self.rescale else self.W_dec

    @torch.no_grad()
    def reconstruct(self, codes: Codes) -> Float[np.ndarray, "p d"]:
        """a W_dec + b_dec from sparse codes."""
        values = torch.from_numpy(codes.values).to(self.W_dec.device)
        indices = torch.from_numpy(codes.indices.astype(np.int64)).to(self.W_dec.device)
        total = F.embedding_bag(indices, self.directions(), per_sample_weights=values, mode="sum")
        return (total + self.b_dec).cpu().numpy()


def load_sae(folder: str | Path, device: str = "cpu", name: str | Path | None = None) -> Sae:
    """Reads an SAE folder in SAELens format.

    Args:
        name: what errors call the folder, where it isn't at its place yet.

    Raises:
        UserError: the folder, its weights or its metadata are missing, damaged or of an unknown kind.
    """
    folder = Path(folder)
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
    return Sae(
        name=folder.resolve().name,
        folder=folder,
        architecture=config["architecture"],
        layer=config["layer"],
        metadata=config["metadata"],
        W_enc=weights["W_enc"],
        b_enc=weights["b_enc"],
        W_dec=weights["W_dec"],
        b_dec=weights["b_dec"],
        k=config["k"],
        threshold=weights.get("threshold"),
        subtract_b_dec=config["subtract_b_dec"],
        rescale=config["rescale"],
    )
