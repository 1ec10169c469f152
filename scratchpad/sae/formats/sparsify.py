"""EleutherAI's sparsify: sae.safetensors with cfg.json, the k largest of relu((x - b_dec) W + b).

The folder is named after the module that it reads: `vision_tower.encoder.layers.7`, or `model.layers.24` in the language model.
"""

from __future__ import annotations

import re
from pathlib import Path

from scratchpad.errors import UserError
from scratchpad.sae.formats.files import beside, file_of, only, saved, state_of, text, whole
from scratchpad.sae.formats.foreign import Foreign
from scratchpad.sae.hookpoint import point_of

UNSAID = re.compile(r"layers?\.\d+$")  # of what, isn't said


def sparsify(source: Path) -> Foreign:
    """sparsify's file.

    Raises:
        UserError: it's a transcoder, of another activation, or reads another place than a block's output.
    """
    path = file_of(source, "sae.safetensors", "*/sae.safetensors")
    state = state_of(saved(path.read_bytes(), path.name), path)
    config = beside(path, "cfg.json")
    if config.get("transcode") or config.get("skip_connection") or "W_skip" in state:
        raise UserError(f"{path.parent.name} is a transcoder: it puts out another layer than it reads; expected an SAE.")
    act = text(config, "activation") or "topk"
    if act != "topk" or config.get("signed"):
        raise UserError(f"{path.parent.name} has the activation {'signed ' if config.get('signed') else ''}{act!r}; expected topk.")
    only(state, path, ("encoder.weight", "encoder.bias", "W_dec", "b_dec"))
    k = whole(config, "k")
    place = path.parent.name
    return Foreign(
        state["encoder.weight"].T,
        state["encoder.bias"],
        state["W_dec"],
        state["b_dec"],
        subtract=True,
        k=k,
        at=None if UNSAID.match(place) else point_of(place, place),
        rule="" if k else "has no k in a cfg.json beside it",
    )
