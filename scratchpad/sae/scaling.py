"""The factor by which an SAE's input was scaled in training, so that its average length is the root of its width.

In: the weights and the factor, or the folder of a SAELens checkpoint, which keeps it in a file of its own. Out: weights that read and
write unscaled activations (SAELens folds the same way before it saves an SAE).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from scratchpad.errors import UserError

BESIDE = "activation_scaler.json"  # in a checkpoint of SAELens


def folded(weights: Mapping[str, Tensor], factor: float) -> dict[str, Tensor]:
    """The same SAE, of unscaled activations."""
    changed = {"W_enc": weights["W_enc"] * factor, "W_dec": weights["W_dec"] / factor, "b_dec": weights["b_dec"] / factor}
    return {**weights, **changed}


def factor_beside(folder: Path, name: Path) -> float | None:
    """What a checkpoint says; None where it says nothing.

    Raises:
        UserError: what it says is no factor.
    """
    path = folder / BESIDE
    if not path.is_file():
        return None
    try:
        value = json.loads(path.read_text())
        factor = value.get("scaling_factor") if isinstance(value, dict) else value
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"The SAE in {name} is damaged ({str(error)[:200]}); restore its {BESIDE}.") from error
    return None if factor is None else checked_factor(factor, f"scaling_factor in {BESIDE} of {name}")


def checked_factor(factor: object, what: str) -> float:
    """A factor that can be folded.

    Raises:
        UserError: it isn't a number above 0.
    """
    if isinstance(factor, bool) or not isinstance(factor, int | float) or not math.isfinite(factor) or factor <= 0:
        raise UserError(f"{str(factor)[:40]} was given as {what}; expected a number above 0.")
    return float(factor)
