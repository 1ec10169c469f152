"""cfg.json as SAELens wrote it before version 6, in today's words.

In: what a file says. Out: the same, or with everything that isn't the SAE's form below `metadata`.
"""

from __future__ import annotations

from collections.abc import Mapping

FORM = ("d_in", "d_sae", "dtype", "device", "apply_b_dec_to_input", "reshape_activations", "rescale_acts_by_decoder_norm")


def as_today(config: Mapping[str, object]) -> dict[str, object]:
    """A configuration of today's form; one that has `metadata`, or names no hook point, is left as it is."""
    hook = config.get("hook_name", config.get("hook_point"))
    if "metadata" in config or not isinstance(hook, str):
        return dict(config)
    activation, given = config.get("activation_fn", config.get("activation_fn_str")), config.get("activation_fn_kwargs")
    topk = activation == "topk" and isinstance(given, Mapping)
    normalise = config.get("normalize_activations")
    form = {field: config[field] for field in FORM if field in config}
    form["architecture"] = "topk" if topk else config.get("architecture", "standard")
    form["normalize_activations"] = (
        {True: "expected_average_only_in", False: "none"}[normalise] if isinstance(normalise, bool) else normalise
    )
    if topk and isinstance(given, Mapping):
        form["k"] = given.get("k")
    if "reshape_activations" not in form and "hook_z" in hook:
        form["reshape_activations"] = "hook_z"
    return form | {"metadata": {"hook_name": hook, "model_name": str(config.get("model_name", ""))}}
