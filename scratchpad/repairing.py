"""A repair read from its file, and the model that it stands on. In: repair.json, a model, its SAE. Out: the model under the edit.

A repair is for one model and one SAE, told by their identities; for any other it's refused.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import ValidationError

from scratchpad.analysis.standing import change_of
from scratchpad.errors import UserError
from scratchpad.records.audit import Repair
from scratchpad.records.codec import dumps, loads
from scratchpad.sae.load import Sae
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.standing import changed_for_good

MAX_BYTES = 2**20


def read_repair(path: str | Path) -> Repair:
    """A repair as `scratchpad audit` writes it.

    Raises:
        UserError: there is none, or it isn't one.
    """
    file = Path(path)
    try:
        if file.stat().st_size > MAX_BYTES:
            raise UserError(
                f"{file} is larger than {MAX_BYTES // 2**20} MB, which no repair is; expected one that `scratchpad audit` wrote."
            )
        return loads(Repair, file.read_bytes())
    except OSError as error:
        raise UserError(f"There is no repair {file} that can be read; expected one that `scratchpad audit` wrote.") from error
    except ValidationError as error:
        raise UserError(f"{file} is no repair, or it is damaged; expected one that `scratchpad audit` wrote.") from error


def repaired(vlm: Vlm, sae: Sae, repair: Repair) -> Vlm:
    """The model under a repair, with a name and identity that say so. The one given changes with it.

    Raises:
        UserError: the repair is for another model or SAE, or is no edit that can stand.
    """
    for what, made, now in (("model", repair.model, vlm), ("SAE", repair.sae, sae)):
        if made.identity != now.identity:
            raise UserError(
                f"The repair {repair.title!r} is for the {what} {made.name} ({made.identity}), loaded is {now.name} ({now.identity}): "
                f"an edit of one {what}'s latents means nothing in another; make it anew with `scratchpad audit`."
            )
    identity = hashlib.sha256(dumps(repair.edit).encode()).hexdigest()[:16]
    return changed_for_good(vlm, sae.at, change_of(sae, repair.edit), repair.title, identity)
