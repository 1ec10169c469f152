"""What was asked, held by the page that shows it: signed by the server that answered, sent back with every event.

No session on the server remembers it, so none can lose it or mix it up. A page whose server was started anew, or whose
pictures are gone, is told to ask again; so is an event that is of another analysis than the one that came with it.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import gradio as gr

from scratchpad.errors import UserError
from scratchpad.records import Settings
from scratchpad.records.codec import dumps, loads, record
from scratchpad.ui.sweeper import used
from scratchpad.ui.upload import changed

Event = Mapping[str, object]  # what a page sends with a click: a visitor's, nothing of it is known
NOTHING = "Nothing was asked yet; ask a question about an image first."
AGAIN = "What this page shows is not what the server was last asked from it; ask the question again. Nothing was kept."
MAX_CHARACTERS = 64 * 2**10  # characters


@record
class Asked:
    """Pictures (files of the server's), prompt, settings and choice of an analysis."""

    images: tuple[str, ...]
    prompt: str
    choice: str
    key: str  # see `envelope.key_of`
    settings: Settings = Settings()


class Seal:
    """Signs with a secret of this process."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def sealed(self, value: Asked) -> str:
        """The value as text that `opened` takes back."""
        text = dumps(value)
        return f"{self._mark(text)}{text}"

    def opened(self, sealed: object) -> Asked | None:
        """The value, or None where it isn't this process's own."""
        if not isinstance(sealed, str) or not 64 < len(sealed) <= MAX_CHARACTERS:
            return None
        mark, text = sealed[:64], sealed[64:]
        if not hmac.compare_digest(mark.encode(), self._mark(text).encode()):
            return None
        return loads(Asked, text)

    def _mark(self, text: str) -> str:
        return hmac.new(self._secret, text.encode("utf-8", "surrogatepass"), sha256).hexdigest()


def held(value: Asked | None) -> gr.Textbox:
    """A component that hands actions what was asked and is given it by them; on the page it's a sealed text that nobody sees."""
    seal = Seal()

    def preprocess(self: object, payload: object) -> Asked | None:
        return seal.opened(payload)

    def postprocess(self: object, asked: object) -> str:
        return seal.sealed(asked) if isinstance(asked, Asked) else asked if isinstance(asked, str) else ""

    box = gr.Textbox(seal.sealed(value) if value else "", visible=False, elem_id="sp-asked")
    box.__class__ = changed(gr.Textbox, preprocess=preprocess, postprocess=postprocess, skip_api=property(lambda self: True))
    return box


def same(asked: Asked | None, event: Event) -> Asked:
    """What was asked, if the event is of it.

    Raises:
        UserError: nothing was asked, the event's page shows another analysis, or its pictures are gone.
    """
    if asked is None:
        raise UserError(NOTHING if not event.get("key") else AGAIN)
    if not isinstance(event.get("key"), str) or event["key"] != asked.key:
        raise UserError(AGAIN)
    if not all(Path(path).is_file() for path in asked.images):
        raise UserError("The pictures asked about were removed from the server after a while; upload them and ask again. Nothing was kept.")
    for path in asked.images:
        used(path)
    return asked
