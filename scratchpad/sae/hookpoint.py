"""Where in an encoder an SAE reads, from the name that its project gives to the place.

In: a hook point's name (TransformerLens', Prisma's, or a module's path). Out: the vision block whose output it means, or one
sentence why it's none. Nothing here knows of a model: whether there is such a block is checked where an SAE meets one.
"""

from __future__ import annotations

import re
from pathlib import Path

from scratchpad.errors import UserError

BLOCK = re.compile(r"(?:^|\.)(?:layers?|blocks?|resblocks|h)\.(\d+)(?:\.(.+))?$")
LANGUAGE = re.compile(r"language_model|text_model|lm_head|^(?:model\.)?layers\.\d+$|^transformer\.h\.")
AFTER, BEFORE = ("", "output", "hook_resid_post", "resid_post"), ("input", "hook_resid_pre", "resid_pre")


def layer_of(hook: str, name: str | Path) -> int | None:
    """The vision block, from 0, whose output a hook point means; None where its name says no block.

    Args:
        hook: as `blocks.9.hook_resid_post` or `vision_tower.encoder.layers.9`; what a block reads is what the block before it puts out.
        name: what errors call the SAE.

    Raises:
        UserError: the name means another place: inside a block, before the first, or in the language model.
    """
    if LANGUAGE.search(hook):
        raise UserError(f"The SAE in {name} reads {hook}, which is in the language model; expected the output of a vision block.")
    match = BLOCK.search(hook)
    if match is None:
        return None
    block, place = int(match[1]), match[2] or ""
    if place in AFTER:
        return block
    if place in BEFORE and block > 0:
        return block - 1
    raise UserError(
        f"The SAE in {name} reads {hook[:80]}, which is not the output of a vision block; "
        "expected one of the residual stream after a block, such as blocks.9.hook_resid_post."
    )
