"""saev's `dump`: a line of JSON, then torch.save(state_dict).

Without a schema act((x - b_dec) W_enc + b_enc); from schema 2 on act(x W_enc + b_enc); schema 1 was written by both. BatchTopK without a
threshold takes the k largest of each sample, as TopK does.
"""

from __future__ import annotations

import json
from pathlib import Path

from scratchpad.sae.formats.files import file_of, only, saved, state_of, text, whole, within
from scratchpad.sae.formats.foreign import Foreign


def saev(source: Path) -> Foreign:
    """saev's file."""
    path = file_of(source, "sae.pt", "*.pt")
    line, _, rest = path.read_bytes().partition(b"\n")
    header = json.loads(line)
    state = state_of(saved(rest, path.name), path)
    only(state, path, ("W_enc", "b_enc", "W_dec", "b_dec", "activation.threshold"))
    schema = header.get("schema")
    config = within(header, "cfg") or header
    activation = within(config, "activation") or {"cls": header.get("cls", "Relu"), "params": config}
    params = within(activation, "params")
    threshold = state.get("activation.threshold")
    limit = float(threshold) if threshold is not None else 0.0
    k = None
    if "topk" in text(activation, "cls").lower() and threshold is None:
        k = whole(params, "top_k")
        if k is None:
            raise KeyError("top_k")
    return Foreign(
        state["W_enc"],
        state["b_enc"],
        state["W_dec"],
        state["b_dec"],
        subtract={None: True, 1: None}.get(schema, False),
        k=k,
        threshold=limit if limit > 0 else None,
    )
