"""What is in a file that another project saved: tensors and plain values. Nothing in a file is ever run.

In: a path. Out: tensors by name, plain values by name. Knows no project's meaning of either.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from scratchpad.errors import UserError

Values = Mapping[str, object]
State = Mapping[str, Tensor]


class _Plain:
    """Stands where a file keeps its project's configuration object; holds its values, runs nothing of it."""

    def __init__(self, *values: object, **named: object):
        self.__dict__.update(named)


# what PatchSAE and ViT-Prisma pickle beside their tensors; read as `_Plain`
CONFIGS = (
    "src.sae_training.config.ViTSAERunnerConfig",
    "src.sae_training.config.Config",
    "vit_prisma.sae.config.VisionModelSAERunnerConfig",
)


def saved(data: bytes, name: str) -> Values:
    """What torch.save or safetensors wrote, as far as it is tensors and plain values by name.

    Raises:
        UserError: it holds objects of unknown classes, no names, or is damaged.
    """
    if name.endswith(".safetensors"):
        try:
            return dict(load(data))
        except (SafetensorError, ValueError) as error:
            raise UserError(f"{name} is damaged ({str(error)[:200]}); restore it.") from error
    try:
        with torch.serialization.safe_globals([(_Plain, config) for config in CONFIGS]):
            value = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises pickle's, zipfile's and its own
        raise UserError(
            f"{name} is damaged, or holds Python objects beside tensors, which are never run; "
            "in its own project, save its state_dict alone with torch.save and import that."
        ) from error
    if not isinstance(value, Mapping):
        raise UserError(f"{name} holds {type(value).__name__}; expected tensors by name.")
    return {str(key): inner for key, inner in value.items()}


def file_of(source: Path, *patterns: str) -> Path:
    """A file given as it is, or the first in a folder that fits the first pattern that any fits.

    Raises:
        UserError: there is none.
    """
    if source.is_file():
        return source
    for pattern in patterns:
        hit = sorted(source.glob(pattern))
        if hit:
            return hit[0]
    raise UserError(f"There is no {' or '.join(patterns)} in {source}.")


def beside(path: Path, *patterns: str) -> Values:
    """A JSON object in a file beside the weights; empty where there is none."""
    for pattern in patterns:
        for file in sorted(path.parent.glob(pattern)):
            value = json.loads(file.read_text())
            return value if isinstance(value, dict) else {}
    return {}


def within(values: Values, name: str) -> Values:
    """An object among values, a configuration's or a mapping; empty where there is none."""
    inner = values.get(name)
    if isinstance(inner, Mapping):
        return {str(key): value for key, value in inner.items()}
    return dict(vars(inner)) if isinstance(inner, _Plain) else {}


def state_of(values: Values, path: Path) -> State:
    """The tensors: below `state_dict` where there is one, else all.

    Raises:
        UserError: there are none.
    """
    state = {name: value for name, value in (within(values, "state_dict") or values).items() if isinstance(value, Tensor)}
    if not state:
        raise UserError(f"{path.name} holds no tensors by name; expected a state_dict.")
    return state


def only(state: State, path: Path, read: Iterable[str], idle: Iterable[str] = ()) -> None:
    """Checks that nothing is left over that would change the codes.

    Args:
        read: tensors that the reader reads.
        idle: those that only training needs.

    Raises:
        UserError: there are others.
    """
    left = sorted(set(state) - {*read, *idle})
    if left:
        raise UserError(
            f"{path.name} holds {', '.join(left)[:200]} too, which an SAE of this format doesn't have; is it of another --format?"
        )


def whole(values: Values, name: str) -> int | None:
    """A whole number among values; None where there is none."""
    value = values.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def text(values: Values, name: str) -> str:
    """A text among values; "" where there is none."""
    value = values.get(name)
    return value if isinstance(value, str) else ""
