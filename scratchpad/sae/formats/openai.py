"""OpenAI's sparse_autoencoder, and files with its keys: pre_bias, encoder.weight, latent_bias, decoder.weight.

act((n(x) - pre_bias) W + latent_bias), reconstruction a W' + pre_bias; the state_dict says the activation by name. Its loader takes it that
TopK SAEs, and no others, layer_norm their input; a tied decoder is the encoder's own weight.
"""

from __future__ import annotations

from pathlib import Path

from scratchpad.errors import UserError
from scratchpad.sae.formats.files import beside, file_of, only, saved, state_of, text, whole, within
from scratchpad.sae.formats.foreign import Foreign
from scratchpad.sae.normalise import LAYER_NORM, NONE

DECODERS = ("decoder.weight", "decoder.linear.weight")
IDLE = ("stats_last_nonzero",)


def openai(source: Path) -> Foreign:
    """A file with OpenAI's keys."""
    path = file_of(source, "*.pt", "*.safetensors")
    values = saved(path.read_bytes(), path.name)
    state = state_of(values, path)
    inner = within(values, "state_dict") or values
    act = text(inner, "activation") or text(beside(path, "config.json"), "activation") or "ReLU"
    if act not in ("ReLU", "TopK"):
        raise UserError(f"{path.name} has the activation {act[:40]!r}; expected ReLU or TopK.")
    params = within(inner, "activation_state_dict")
    after = text(params, "postact_fn") or "ReLU"
    if after != "ReLU":
        raise UserError(f"{path.name} puts {after[:40]!r} after its TopK; expected ReLU, as activations here are 0 or above.")
    only(state, path, ("pre_bias", "encoder.weight", "latent_bias", *DECODERS), IDLE)
    decoder = next((state[name] for name in DECODERS if name in state), None)
    tied = decoder is None or (DECODERS[1] in state and DECODERS[0] not in state)
    return Foreign(
        state["encoder.weight"].T,
        state["latent_bias"],
        state["encoder.weight"] if tied or decoder is None else decoder.T,
        state["pre_bias"],
        subtract=True,
        k=whole(params, "k") if act == "TopK" else None,
        normalise=LAYER_NORM if act == "TopK" else NONE,
        rule="is a TopK that doesn't say its k" if act == "TopK" and whole(params, "k") is None else "",
    )
