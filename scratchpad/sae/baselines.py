"""What an SAE is held against: SAEs of the same budget that can't have learned what it claims, as folders in SAELens format.

After "Sanity Checks for SAEs" (arXiv 2602.14111: random frozen decoder, random frozen encoder) and "SAEs can interpret randomly
initialized transformers" (arXiv 2501.17727: an SAE of a model with random weights), beside two bases that nobody trains: the layer's own
dimensions and its principal components. In: activations and a `Recipe`. Out: folders that `load_sae` reads. Measures nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors.torch import save_file
from torch import Tensor

from scratchpad.errors import UserError
from scratchpad.files import add_files
from scratchpad.sae.config import CONFIG, WEIGHTS, sign
from scratchpad.sae.load import Sae, load_sae
from scratchpad.sae.train import Recipe, train_sae

Activations = Float[Tensor, "n d"]


@dataclass(frozen=True)
class Trained:
    """An SAE that is trained once for each seed."""

    name: str
    made: str
    frozen: tuple[str, ...] = ()  # tensors that stay as chance made them
    own_encoder: bool = True  # off: it reads the encoder with its weights shuffled


ANEW = Trained("trained", "the recipe, trained anew")
DECODER = Trained("random decoder", "decoder rows random and frozen; encoder and biases trained", ("W_dec",))
ENCODER = Trained("random encoder", "encoder and its biases random and frozen; decoder trained", ("W_enc", "b_enc"))
MODEL = Trained("random model", "the recipe on the same vision encoder with the entries of every weight shuffled", own_encoder=False)
TRAINED = (ANEW, DECODER, ENCODER, MODEL)
NEURONS, PCA = "neurons", "PCA"
FIXED = {
    NEURONS: "each dimension of the layer less its mean, above and below apart; the largest of a patch; nothing is trained",
    PCA: "principal components, above and below the mean apart; the largest of a patch; nothing is trained",
}
COUNT = "training_activations"  # of metadata
NAMES = {"topk": "topk", "batchtopk": "batchtopk", "matryoshka_batchtopk": "matryoshka", "standard": "standard"}  # SAELens' name: ours


def recipe_of(sae: Sae, steps: int | None = None) -> Recipe:
    """The recipe that an SAE's cfg.json tells, as SAELens and `train-sae` write it.

    Args:
        steps: of every training, in place of those that it says.

    Raises:
        UserError: it doesn't say how many steps, or how it was trained; or was trained in a way that can't be repeated here.
    """
    said = sae.metadata
    name = NAMES.get(str(said.get("training_architecture", sae.architecture)))
    if name is None:
        raise UserError(
            f"How {sae.name} was trained can't be repeated: its cfg.json says {said.get('training_architecture', sae.architecture)!r}; "
            f"expected one of {', '.join(NAMES)}."
        )
    wanted = steps if steps is not None else _whole(said.get("training_steps"))
    if wanted is None:
        raise UserError(f"The recipe of {sae.name} isn't known: its cfg.json has no training_steps; say how many with --steps.")
    details = said.get("training_architecture_details")
    details = details if isinstance(details, dict) else {}
    k = sae.k or _whole(details.get("k")) or _rounded(said.get("l0"))
    if name != "standard" and k is None:
        raise UserError(f"The recipe of {sae.name} isn't known: its cfg.json says neither k nor l0.")
    l1, rate = details.get("l1_coefficient"), said.get("training_rate")
    return Recipe(
        d_sae=sae.d_sae,
        k=min(k or 1, sae.d_sae),
        steps=wanted,
        size=_whole(said.get("training_batch")) or Recipe.size,
        rate=float(rate) if isinstance(rate, int | float) else Recipe.rate,
        architecture=name,
        l1=float(l1) if isinstance(l1, int | float) else Recipe.l1,
        centred=True,
    )


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _rounded(value: object) -> int | None:
    return max(1, round(value)) if isinstance(value, int | float) and 0 < value < 10**6 else None


def train(
    kind: Trained, activations: Callable[[], Activations], recipe: Recipe, seed: int, folder: Path, metadata: Mapping[str, object]
) -> Sae:
    """One seed's SAE, in folder/<kind>-<seed>; what is there already is taken where it's of the same recipe.

    Args:
        activations: gives them, where they are needed.
        metadata: of the model, for cfg.json.

    Raises:
        UserError: there are fewer activations than a step takes, or what is there is of another recipe or model.
    """
    out, whole = folder / f"{kind.name.replace(' ', '-')}-{seed}", replace(recipe, seed=seed)

    def make(about: dict[str, object]) -> None:
        x = activations()
        if len(x) < recipe.size:
            raise UserError(f"There are {len(x)} activations for steps of {recipe.size}; give more images.")
        train_sae(x, whole, out, about | {COUNT: len(x)}, kind.frozen)

    return _once(out, vars(whole) | {"frozen": list(kind.frozen)}, metadata, make)


def fixed(name: str, activations: Callable[[], Activations], k: int, folder: Path, metadata: Mapping[str, object]) -> Sae:
    """One of FIXED, in folder/<name>: a basis of the activations and its mirror image, of which the k largest count on a patch.

    Raises:
        UserError: what is there already is of another k or model.
    """
    out = folder / name.lower()

    def make(about: dict[str, object]) -> None:
        x = activations()
        rows, mean = _basis(name, x)
        _write(rows, mean, min(k, len(mean)), out, about | {COUNT: len(x)})

    return _once(out, {"k": k}, metadata, make)


def _basis(name: str, activations: Activations) -> tuple[Float[Tensor, "l d"], Float[Tensor, " d"]]:
    """Rows, each with its mirror image, and the activations' mean."""
    width = activations.shape[1]
    mean, basis = activations.mean(0, dtype=torch.float32), torch.eye(width)
    if name == PCA:
        products = torch.zeros(width, width, dtype=torch.float64)
        for part in activations.split(1 << 16):
            centred = part.double() - mean
            products += centred.T @ centred
        basis = torch.linalg.eigh(products).eigenvectors.T.flip(0).float()
    return torch.cat([basis, -basis]), mean


def _once(out: Path, own: Mapping[str, object], metadata: Mapping[str, object], make: Callable[[dict[str, object]], None]) -> Sae:
    about = dict(metadata) | {"baseline": dict(own)}
    if not (out / CONFIG).is_file():
        make(about)
    sae = load_sae(out)
    if any(sae.metadata.get(key) != json.loads(json.dumps(value)) for key, value in about.items()):
        raise UserError(f"{out} holds an SAE of another model or recipe; give another folder.")
    return sae


def _write(rows: Float[Tensor, "l d"], mean: Float[Tensor, " d"], k: int, out: Path, metadata: Mapping[str, object]) -> None:
    """A TopK SAE whose encoder and decoder are these rows, in SAELens format."""
    weights = {"W_enc": rows.T.contiguous(), "W_dec": rows.contiguous(), "b_enc": torch.zeros(len(rows)), "b_dec": mean.contiguous()}
    config = {
        "architecture": "topk",
        "d_in": rows.shape[1],
        "d_sae": len(rows),
        "k": k,
        "rescale_acts_by_decoder_norm": False,
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": True,
        "normalize_activations": "none",
        "reshape_activations": "none",
        "metadata": dict(metadata),
    }
    with add_files(out, last=CONFIG) as aside:
        save_file(weights, aside / WEIGHTS)
        (aside / CONFIG).write_text(json.dumps(config))
        sign(aside)
