"""PatchSAE's `save_model`: torch.save({"cfg", "state_dict"}), and FastSAE's `*_state_dict.pt` with `*_config.json`.

relu((x - b_dec) W_enc + b_enc); the layer is cfg.block_layer, -2 for the block before the last.
"""

from __future__ import annotations

from pathlib import Path

from scratchpad.errors import UserError
from scratchpad.records.hookpoint import vision
from scratchpad.sae.formats.files import beside, file_of, only, saved, state_of, text, whole, within
from scratchpad.sae.formats.foreign import Foreign

OTHERS = ("sae_type", "top_k", "input_unit_norm")  # what Bussmann's configurations say and PatchSAE's don't


def patchsae(source: Path) -> Foreign:
    """PatchSAE's or FastSAE's file."""
    path = file_of(source, "*_state_dict.pt", "*.pt")
    values = saved(path.read_bytes(), path.name)
    state = state_of(values, path)
    config = within(values, "cfg") or within(values, "config") or beside(path, "*_config.json", "config.json")
    foreign = [field for field in OTHERS if config.get(field)]
    if foreign:
        raise UserError(f"{path.name} is not of PatchSAE: its configuration says {', '.join(foreign)}; give --format bussmann.")
    if config.get("gated_sae") or (text(config, "activation_name") or "relu") != "relu":
        raise UserError(f"{path.name} is gated or not of ReLU; an SAE of PatchSAE is relu((x - b_dec) W_enc + b_enc).")
    only(state, path, ("W_enc", "b_enc", "W_dec", "b_dec"), ("num_batches_not_active",))
    layer = whole(config, "block_layer")
    return Foreign(
        state["W_enc"],
        state["b_enc"],
        state["W_dec"],
        state["b_dec"],
        subtract=True,
        at=vision(layer) if layer is not None and layer >= 0 else None,
        model=text(config, "model_name"),
        class_token=bool(config["class_token"]) if "class_token" in config else None,
    )
