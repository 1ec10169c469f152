"""Released SAEs by their name in SAELens' directory, `release/sae_id`, as `gemma-scope-2-4b-it-res/layer_17_width_16k_l0_medium`.

In: a name. Out: a folder in SAELens format, fetched once by SAELens' own loader and kept. The directory's SAEs are of language models, so
that a block they read is one of the language model.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from scratchpad.errors import UserError
from scratchpad.files import replace_folder
from scratchpad.sae.config import CONFIG, sign


def cache() -> Path:
    """Where fetched SAEs are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "visual-scratchpad" / "saes"


def folder_of(source: str | Path) -> Path:
    """The folder of an SAE: the one given, or, where there is none and the name is a released SAE's, the one that was fetched.

    Raises:
        UserError: the release has no such SAE, or it can't be fetched or kept.
    """
    path = Path(source)
    release, _, sae_id = str(source).partition("/")
    if path.exists() or path.is_absolute() or not sae_id or release in ("", ".", ".."):
        return path
    from sae_lens.loading.pretrained_saes_directory import get_pretrained_saes_directory

    known = get_pretrained_saes_directory().get(release)
    if known is None:
        return path
    if sae_id not in known.saes_map:
        some = ", ".join(list(known.saes_map)[:5])
        raise UserError(f"{sae_id[:80]!r} was given as SAE of the release {release}, which has {len(known.saes_map)}, among them {some}.")
    out = cache() / release / sae_id
    if not (out / CONFIG).is_file():
        _fetch(release, sae_id, out)
    return out


def _fetch(release: str, sae_id: str, out: Path) -> None:
    from sae_lens import SAE

    try:
        sae, _, _ = SAE.from_pretrained_with_cfg_and_sparsity(release, sae_id)
    except Exception as error:  # whatever the loader of one of a dozen formats, or the hub, says
        line = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"The SAE {release}/{sae_id} could not be fetched: {line[:200]}") from error
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with replace_folder(out) as aside:
            for weight in sae.parameters():
                weight.data = weight.data.contiguous()  # some loaders transpose, and safetensors saves no views
            sae.save_model(aside)
            config = json.loads((aside / CONFIG).read_text())
            metadata = config.get("metadata") or {}
            if str(metadata.get("hook_name", "")).startswith("blocks."):
                metadata["hook_name"] = f"language_model.{metadata['hook_name']}"
            config["metadata"] = metadata
            (aside / CONFIG).write_text(json.dumps(config))
            sign(aside)
    except OSError as error:
        raise UserError(f"{out} can't be written to: {error.strerror or error}.") from error
