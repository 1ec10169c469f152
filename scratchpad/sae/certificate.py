"""An SAE's certificate in its folder: kept in cfg.json's metadata, where it goes when the SAE is trained again and stays when it's copied.

The hash in cfg.json is of the weights' file alone and the SAE's identity of its tensors, so that keeping a certificate changes neither.
Which weights it speaks of, it says itself: where its identity is another one's, it's of no use.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from scratchpad.errors import UserError
from scratchpad.files import write_whole
from scratchpad.records import dump, loads
from scratchpad.records.certificate import Certificate
from scratchpad.sae.config import CONFIG, read_config

KEY = "certificate"  # of metadata


def keep(folder: Path, certificate: Certificate) -> None:
    """Writes it into the SAE's cfg.json.

    Raises:
        UserError: cfg.json can't be read or written.
    """
    config = read_config(folder)
    metadata = config.get("metadata")
    config["metadata"] = (metadata if isinstance(metadata, dict) else {}) | {KEY: dump(certificate)}
    try:
        write_whole(folder / CONFIG, json.dumps(config))
    except OSError as error:
        raise UserError(f"{folder / CONFIG} can't be written ({error.strerror or error}).") from error


def certificate_of(folder: Path) -> Certificate | None:
    """What cfg.json has of it; None where there is none, or what is there is no certificate. Which weights it's of isn't looked at."""
    try:
        metadata = json.loads((folder / CONFIG).read_text()).get("metadata")
        return loads(Certificate, json.dumps(metadata[KEY]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, ValidationError):
        return None
