"""A store under trouble: full, read by several servers, shared; and bundles that would cost more than they're worth."""

from __future__ import annotations

import base64
import errno
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from scratchpad import files
from scratchpad.cases import bundle as bundles
from scratchpad.cases.bundle import Bundle, unpack
from scratchpad.cases.store import Store
from scratchpad.errors import UserError

FIXTURE = Path(__file__).parent / "fixtures" / "format-1.case"
TODAY = FIXTURE.with_name("format-2.case")


@pytest.fixture(scope="module")
def made() -> Bundle:
    return unpack(FIXTURE.read_bytes())


def changed(made: Bundle, change: dict[str, object], how: int = zipfile.ZIP_STORED) -> bytes:
    """A bundle's bytes with fields of what it shows changed, not checked."""
    case = json.loads(made.text)
    case["shown"] |= change
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", how) as archive:
        archive.writestr("case.json", json.dumps(case))
        for i, data in enumerate(made.images):
            archive.writestr(f"image-{i}.png", data)
    return buffer.getvalue()


def test_a_full_disk_leaves_nothing_and_the_next_save_works(made: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, real, calls = Store(tmp_path / "store"), files._sync, []

    def full(path: Path) -> None:
        calls.append(path)
        if len(calls) > 2:  # when the case comes, after what is said of it
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path)

    monkeypatch.setattr(files, "_sync", full)
    with pytest.raises(UserError, match="No space left"):
        store.put(made)
    assert list((tmp_path / "store").iterdir()) == []
    monkeypatch.undo()
    case, key = store.put(made)
    assert key
    assert store.get(case) == made


def test_a_store_that_can_only_be_read_says_so(made: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "write_bytes", refused)
    with pytest.raises(UserError, match="Read-only file system"):
        Store(tmp_path / "store").put(made)


def test_two_servers_save_and_rename_at_once(tmp_path: Path) -> None:
    """Cases and names from each of two processes, into one folder. The race that this closes failed 8 of 300 saves and most renames."""
    act = f"""
import sys
from pathlib import Path
from scratchpad.cases.bundle import bundle, unpack
from scratchpad.cases.store import Store
from scratchpad.sae.names import rename
from dataclasses import replace
made = unpack(Path({str(TODAY)!r}).read_bytes())
store, who = Store({str(tmp_path / "store")!r}), sys.argv[1]
for n in range(20):
    store.put(bundle(replace(made.case, title=f"{{who}} {{n}}"), made.made))
    for again in range(3):
        rename(Path({str(tmp_path)!r}), n, f"{{who}} {{n}} {{again}}")
"""
    servers = [subprocess.Popen([sys.executable, "-c", act, who], stderr=subprocess.PIPE, text=True) for who in ("one", "two")]
    said = [server.communicate(timeout=240)[1] for server in servers]
    assert [server.returncode for server in servers] == [0, 0], said
    store = Store(tmp_path / "store")
    assert len(store._ids()) == 40
    assert {Path(name).suffix for name in os.listdir(tmp_path / "store")} == {".case", ".json"}
    names = json.loads((tmp_path / "names.json").read_text())
    assert all(one["name"].split()[1] == number for number, one in names.items())


def packed(values: list[float], kind: str) -> str:
    return base64.b64encode(np.array(values, kind).tobytes()).decode()


def test_arrays_of_format_1_hold_numbers_and_indices_of_what_there_is(made: Bundle) -> None:
    shown = json.loads(made.text)["shown"]
    for name in ("maps", "scores", "means", "codeValues"):
        values = np.frombuffer(base64.b64decode(shown[name]), "<f4").copy()
        for bad in (np.nan, np.inf, -np.inf):
            values[len(values) // 2] = bad
            with pytest.raises(UserError, match="damaged"):
                unpack(changed(made, {name: packed(values.tolist(), "<f4")}))
    indices = np.frombuffer(base64.b64decode(shown["codeIndices"]), "<i4").copy()
    for bad_index in (-1, 2**31 - 1, max(shown["active"]) + 1):
        indices[0] = bad_index
        with pytest.raises(UserError, match="damaged"):
            unpack(changed(made, {"codeIndices": packed(indices.tolist(), "<i4")}))
    with pytest.raises(UserError, match="damaged"):
        unpack(changed(made, {"rows": [10**6, *shown["rows"][1:]]}))
    assert unpack(changed(made, {})) == made


def test_a_bundle_is_packed_as_bundles_are_and_its_pictures_count_together(made: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    for how in (zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2):
        with pytest.raises(UserError, match="packed in a way"):
            unpack(changed(made, {}, how))
    assert unpack(changed(made, {}, zipfile.ZIP_DEFLATED)).id == unpack(changed(made, {})).id
    monkeypatch.setattr(bundles, "MAX_TOTAL", 224 * 224 - 1)
    monkeypatch.setattr(bundles, "load_image", lambda data: pytest.fail("a picture was decoded"))
    with pytest.raises(UserError, match="million pixels together"):
        unpack(changed(made, {}))
