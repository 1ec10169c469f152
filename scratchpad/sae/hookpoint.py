"""Where in a VLM an SAE reads, from the name that its project gives to the place.

In: a hook point's name (TransformerLens', Prisma's, or a module's path). Out: the `HookPoint` that it means, or one sentence why it's
none. Nothing here knows of a model: whether there is such a block is checked where an SAE meets one.
"""

from __future__ import annotations

import re
from pathlib import Path

from scratchpad.errors import UserError
from scratchpad.records.hookpoint import PROJECTOR, HookPoint, language, vision

BLOCK = re.compile(r"(?:^|\.)(?:layers?|blocks?|resblocks|h)\.(\d{1,4})(?:\.(.+))?$")
LANGUAGE = re.compile(r"language_model|text_model|lm_head|^(?:model\.)?layers\.\d+$|^transformer\.h\.")
AFTER, BEFORE = ("", "output", "hook_resid_post", "resid_post"), ("input", "hook_resid_pre", "resid_pre")


def point_of(hook: str, name: str | Path) -> HookPoint | None:
    """The point whose activations a hook point's name means; None where it says no block.

    Args:
        hook: as `blocks.9.hook_resid_post`, `vision_tower.encoder.layers.9`, `model.layers.24` (which is in the language model) or
            `projector`; what a block reads is what the block before it puts out.
        name: what errors call the SAE.

    Raises:
        UserError: the name means another place: inside a block, or before the first.
    """
    if hook == str(PROJECTOR):
        return PROJECTOR
    spoken = bool(LANGUAGE.search(hook))
    match = BLOCK.search(hook)
    if match is None and not spoken:
        return None
    block, place = (int(match[1]), match[2] or "") if match else (0, hook)
    of = language if spoken else vision
    if place in AFTER:
        return of(block)
    if place in BEFORE and block > 0:
        return of(block - 1)
    raise UserError(
        f"The SAE in {name} reads {hook[:80]}, which is not the output of a {'language-model' if spoken else 'vision'} block; "
        "expected one of the residual stream after a block, such as blocks.9.hook_resid_post."
    )
