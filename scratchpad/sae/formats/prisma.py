"""ViT-Prisma's weights.pt or n_images_*.pt with config.json: act((n(x) - b_dec) W_enc + b_enc), act relu or topk then relu.

n is layer_norm unless the configuration says otherwise, with SAELens' formulas; gated SAEs have SAELens' tensors.
"""

from __future__ import annotations

from pathlib import Path

from scratchpad.errors import UserError
from scratchpad.records.hookpoint import HookPoint, vision
from scratchpad.sae.formats.files import State, Values, beside, file_of, only, saved, state_of, text, whole, within
from scratchpad.sae.formats.foreign import Foreign, Gate
from scratchpad.sae.hookpoint import point_of
from scratchpad.sae.normalise import NONE, NORMALISATIONS


def prisma(source: Path) -> Foreign:
    """ViT-Prisma's file.

    Raises:
        UserError: it reads another place than a block's output, the class token alone, or is of a form that it isn't known to have.
    """
    path = file_of(source, "weights.pt", "*.pt")
    values = saved(path.read_bytes(), path.name)
    state = state_of(values, path)
    config = beside(path, "config.json") or within(values, "cfg")
    if config.get("is_transcoder"):
        raise UserError(f"{path.name} is a transcoder: it puts out another layer than it reads; expected an SAE.")
    if config.get("cls_token_only"):
        raise UserError(
            f"{path.name} reads the class token alone (cls_token_only), and here an SAE reads patches; expected one of all tokens."
        )
    gated = text(config, "architecture") == "gated"
    if not gated and (text(config, "architecture") or "standard") not in ("standard", "vanilla"):
        raise UserError(f"{path.name} is of architecture {config.get('architecture')!r}; expected standard or gated.")
    act = text(config, "activation_fn_str") or "relu"
    if act not in (("relu",) if gated else ("relu", "topk")):
        raise UserError(f"{path.name} has the activation {act!r}; expected relu or topk.")
    vectors = ("b_gate", "b_mag", "r_mag") if gated else ("b_enc",)
    only(state, path, ("W_enc", "W_dec", "b_dec", *vectors), _idle(state))
    return Foreign(
        state["W_enc"],
        state[vectors[0]],
        state["W_dec"],
        state["b_dec"],
        subtract=True,
        k=_k(config) if act == "topk" else None,
        gate=Gate(state["r_mag"], state["b_mag"]) if gated else None,
        normalise=_normalise(config, path),
        at=_at(config, path),
        model=text(config, "model_name"),
        class_token=False if "cls_token_only" in config else None,
    )


def _idle(state: State) -> tuple[str, ...]:
    """A factor per latent that finetuning may have moved, where it hasn't."""
    factor = state.get("scaling_factor")
    return ("scaling_factor",) if factor is not None and bool((factor == 1).all()) else ()


def _k(config: Values) -> int:
    k = whole(within(config, "activation_fn_kwargs"), "k")
    if k is None:
        raise KeyError("k")
    return k


def _normalise(config: Values, path: Path) -> str:
    given = config.get("normalize_activations")
    how = NONE if given in (None, "None", False) else str(given)
    if how not in NORMALISATIONS:
        raise UserError(f"{path.name} normalises its input ({how[:40]}); expected one of {', '.join(NORMALISATIONS)}.")
    return how


def _at(config: Values, path: Path) -> HookPoint | None:
    """The block whose output it reads; its hook point is named whole, or by block and place."""
    layer = whole(config, "hook_point_layer")
    hook = text(config, "hook_point") or (f"blocks.{layer}.{text(config, 'layer_subtype')}" if text(config, "layer_subtype") else "")
    at = point_of(hook.replace("{layer}", str(layer)), path.name) if hook else None
    return vision(layer) if at is None and layer is not None else at
