"""Names of latents beside those of the index, in a file of their own (names.json), each with where it comes from.

People's names stand before an encoder's, both before those of labels. Making an index anew leaves them alone.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from scratchpad.errors import UserError
from scratchpad.files import write_whole

MAX_LENGTH = 80  # characters
USER = "user"


@dataclass(frozen=True)
class Name:
    """What a latent is called, and who says so."""

    name: str
    source: str = USER  # or the encoder that found it, with its score


def read_names(sae: Path) -> dict[int, Name]:
    """None where there is no file.

    Raises:
        UserError: names.json is damaged.
    """
    path = sae / "names.json"
    if not path.is_file():
        return {}
    try:
        names = json.loads(path.read_text())
        return {
            int(i): Name(str(entry["name"]), str(entry["source"])) if isinstance(entry, dict) else Name(str(entry))
            for i, entry in names.items()
        }
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise UserError(f"The names in {path} can't be read ({error}); expected a JSON object of latent: name.") from error


def rename(sae: Path, latent: int, name: str) -> None:
    """Gives a latent a name; an empty one takes it back."""
    names = read_names(sae)
    text = " ".join(name.split())[:MAX_LENGTH]
    if text:
        names[latent] = Name(text)
    else:
        names.pop(latent, None)
    write_names(sae, names)


def add_names(sae: Path, named: dict[int, Name]) -> int:
    """Adds names that an encoder found; what people named stays. How many were added."""
    names = read_names(sae)
    new = {i: name for i, name in named.items() if names.get(i, name).source != USER}
    write_names(sae, names | new)
    return len(new)


def write_names(sae: Path, names: dict[int, Name]) -> None:
    """Writes names.json beside an SAE, whole or not at all.

    Raises:
        UserError: it can't be written.
    """
    try:
        write_whole(sae / "names.json", json.dumps({str(i): asdict(names[i]) for i in sorted(names)}, indent=1, ensure_ascii=False))
    except OSError as error:
        raise UserError(f"The names in {sae} can't be written ({error.strerror}).") from error
