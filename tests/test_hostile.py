"""More than ten thousand hostile inputs over all doors: a sentence, never a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from scratchpad.benches import Benches
from scratchpad.cases.bundle import pack, unpack
from scratchpad.cases.store import Store
from scratchpad.cli.needles import _pair
from scratchpad.cli.testing import _one, box
from scratchpad.errors import UserError
from scratchpad.images import load_image
from scratchpad.ui.handlers import Handlers, read_edit, read_sampling, read_target
from scratchpad.ui.keeping import Keeping

FIXTURE = Path(__file__).parent / "cases" / "fixtures" / "format-1.case"
STRANGE = [
    None,
    True,
    -1,
    0,
    2**63,
    1e308,
    float("nan"),
    "",
    "0",
    "<script>",
    "../..",
    "\x00",
    "é" * 5000,
    "{x}",
    [],
    [[]],
    {},
    {"latent": 1},
    b"\x00",
]


def value(rng: np.random.Generator, depth: int = 0) -> object:
    """Something a stranger may send."""
    kind = int(rng.integers(6 if depth < 3 else 4))
    if kind < 3:
        return STRANGE[int(rng.integers(len(STRANGE)))]
    if kind == 3:
        return "".join(chr(int(c)) for c in rng.integers(0, 0x2FFF, int(rng.integers(0, 40))))
    if kind == 4:
        return [value(rng, depth + 1) for _ in range(int(rng.integers(0, 4)))]
    keys = ("latents", "scale", "region", "target", "smallest", "items", "op", "value", "latent", "runs", "title", "notes", "fork", "image")
    keys += ("scales", "ops", "keep_error", "temperature", "seed", "verify")
    return {str(rng.choice(keys)): value(rng, depth + 1) for _ in range(int(rng.integers(0, 5)))}


def refused(act: Callable[[], object]) -> bool:
    """Whether it's refused with a sentence; any other exception fails the test that asks."""
    try:
        act()
    except UserError as error:
        return 0 < len(str(error)) < 1000
    return False


def test_what_events_carry() -> None:
    rng = np.random.default_rng(0)
    said = 0
    for _ in range(4000):
        event = value(rng)
        given = event if isinstance(event, dict) else {"edit": event, "target": value(rng)}
        edit = given.get("edit", {"items": value(rng), "keep_error": value(rng)})
        said += refused(lambda edit=edit: read_edit(edit)) + refused(lambda event=event: read_edit({"items": [event]}))
        latent = {"latent": 1, "op": "set", "value": value(rng), "region": value(rng)}
        said += refused(lambda latent=latent: read_edit({"items": [latent]}))
        refused(lambda v=value(rng): read_sampling({"sampling": v}))
        refused(lambda given=given: read_target(given))
    assert said > 11000, f"{said} of 12000 were refused"


def test_what_the_command_line_parses() -> None:
    rng = np.random.default_rng(1)
    said = 0
    for _ in range(2500):
        text = str(value(rng))
        said += sum(refused(act) for act in (lambda t=text: box(t), lambda t=text: _one(t, None, None), lambda t=text: _pair(t, "--cells")))
    assert said > 7000, f"{said} of 7500 were refused"


def test_names_of_cases(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    keeping = Keeping([Store(tmp_path)], Handlers(None))
    for _ in range(1500):
        name = value(rng)
        assert refused(lambda name=name: keeping.file(name))  # type: ignore[misc]
        for told in (keeping.replay(name), keeping.keep(None, {"title": name})):  # type: ignore[arg-type]
            assert json.loads(told)["error"]
            assert "Something went wrong" not in told
    assert list(tmp_path.iterdir()) == []


def test_bundles_with_bytes_changed() -> None:
    rng = np.random.default_rng(3)
    whole = pack(unpack(FIXTURE.read_bytes()))
    said = 0
    for _ in range(60):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), int(rng.integers(1, 20))):
            data[place] = int(rng.integers(256))
        said += refused(lambda data=data: unpack(bytes(data)))
    assert said > 50, f"{said} of 60 changed bundles were refused"
    assert all(refused(lambda: unpack(rng.bytes(int(rng.integers(0, 400))))) for _ in range(1500))


def test_pictures_that_are_none() -> None:
    rng = np.random.default_rng(4)
    heads = [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF0000WEBP", b"BM", b"II*\x00", b"8BPS", b"%!PS-Adobe"]
    said = sum(
        refused(lambda: load_image(heads[int(rng.integers(len(heads)))] + rng.bytes(int(rng.integers(0, 300))))) for _ in range(1500)
    )
    assert said > 1400, f"{said} of 1500 were refused"


@pytest.mark.parametrize(
    "prompt", ["\x00", "é" * 3000, "\u202e reversed", "<image><image>", "{{ 7*7 }}", "<|assistant|>", "a\nb", "🙂" * 50, "\ud800"]
)
def test_prompts(benches: Benches, scene_path: Path, prompt: str) -> None:
    found, said, _ = Handlers(benches).ask([str(scene_path)], prompt)
    assert (found is None) == bool(said)
    assert "went wrong" not in said
    assert "file" not in said, "the prompt was never read"
