"""Bundles come from strangers; the store outlives a kill at any moment."""

from __future__ import annotations

import io
import json
import os
import signal
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scratchpad.cases import bundle as bundles
from scratchpad.cases.bundle import Bundle, bundle, pack, unpack
from scratchpad.cases.store import Store
from scratchpad.cases.tables import attention_png, tables
from scratchpad.errors import UserError
from scratchpad.ui.export import page

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="module")
def made() -> Bundle:
    return unpack((FIXTURES / "format-1.case").read_bytes())


def rewritten(made: Bundle, change) -> bytes:
    """The bundle with its text changed as a stranger might."""
    value = json.loads(made.case.model_dump_json())
    change(value)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("case.json", json.dumps(value))
        for name, data in zip(made.case.images, made.images, strict=True):
            archive.writestr(name, data)
    return buffer.getvalue()


def renamed(made: Bundle, title: str) -> Bundle:
    return bundle(made.case.model_copy(update={"title": title}), made.pictures())


def test_the_first_format_opens_for_good(made: Bundle) -> None:
    assert made.id == "6edee5daad73e6ba7f6fb2e3c38326ba"
    assert made.case.answer == "snow"
    assert made.case.runs[0].after.answer != made.case.runs[0].before.answer


def test_same_content_same_bytes_same_id(made: Bundle) -> None:
    again = unpack(pack(made))
    assert again == made
    assert pack(again) == pack(made)


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.update(title="<script>"),
        lambda v: v["shown"].update(answer="another"),
        lambda v: v["logprobs"].__setitem__(0, -1.5),
        lambda v: v["runs"][0]["after"].update(answer="another"),
    ],
)
def test_changed_content_is_another_case(made: Bundle, change) -> None:
    data = rewritten(made, change)
    assert unpack(data).id != made.id
    with pytest.raises(UserError, match="was changed"):
        unpack(data, expected=made.id)


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.update(surprise=1),
        lambda v: v.pop("prompt"),
        lambda v: v.update(answer=3),
        lambda v: v["shown"]["active"].append("<script>"),
        lambda v: v["shown"]["tokens"][0].update(index='"><script>'),
        lambda v: v["shown"].update(maps=v["shown"]["maps"][:-8]),
        lambda v: v["shown"]["tiles"][0].update(rows=15),
        lambda v: v["runs"][0]["delta_logprob"].update(answer="much"),
        lambda v: v["images"].__setitem__(0, "../../etc/passwd"),
        lambda v: v["details"].update({"1": {"references": [{"src": "https://x/", "labels": "", "rows": 1, "cols": 1, "mask": ""}]}}),
        lambda v: v["sae"].update(identity="<b>"),
        lambda v: v.update(title="x" * 1000),
        lambda v: v["shown"]["tiles"][0].update(image=1),
        lambda v: v["runs"][0]["items"][0].update(image=7),
    ],
)
def test_what_is_not_as_the_format_has_it_is_refused(made: Bundle, change) -> None:
    with pytest.raises(UserError, match="damaged"):
        unpack(rewritten(made, change))


def test_other_files_are_refused_in_one_sentence(made: Bundle) -> None:
    whole = pack(made)
    for data in (b"", b"hello", whole[:1000], whole[:-40], whole[:5000] + b"x" * 50 + whole[5050:]):
        with pytest.raises(UserError):
            unpack(data)
    with pytest.raises(UserError, match="format 2"):
        unpack(rewritten(made, lambda v: v.update(format=2)))


def test_a_bomb_is_refused_before_it_unpacks(made: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "MAX_UNPACKED", 2**20)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("case.json", b" " * (4 * 2**20))
    with pytest.raises(UserError, match="unpacks to more"):
        unpack(buffer.getvalue())


def test_metadata_of_pictures_stays_behind(made: Bundle) -> None:
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x9286] = "secret"
    Image.fromarray(np.zeros((224, 224, 3), np.uint8)).save(buffer, "JPEG", exif=exif, comment=b"secret")
    kept = bundle(made.case, [Image.open(buffer)])
    assert b"secret" in buffer.getvalue()
    assert b"secret" not in pack(kept)


def test_a_store_keeps_lists_and_deletes(made: Bundle, tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    quiet, key = store.put(renamed(made, "quiet"))
    loud, _ = store.put(renamed(made, "loud"), listed=True)
    assert [row.title for row in store.listed()] == ["loud"]
    assert store.get(quiet).case.title == "quiet"
    assert store.put(renamed(made, "quiet")) == (quiet, None)
    assert key is not None
    with pytest.raises(UserError, match="doesn't delete"):
        store.delete(quiet, "guess")
    store.delete(quiet, key)
    with pytest.raises(UserError, match="no case"):
        store.get(quiet)
    assert store.has(loud)
    assert key not in (tmp_path / "s" / f"{loud}.json").read_text()


@pytest.mark.parametrize("name", ["../../x", "", "0" * 31, "G" * 32, "0" * 32 + "/..", "a" * 32 + "\n"])
def test_an_id_is_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="no id"):
        Store(tmp_path).get(name)


def test_a_full_store_says_so(made: Bundle, tmp_path: Path) -> None:
    store = Store(tmp_path, most=1)
    store.put(made)
    with pytest.raises(UserError, match="holds 1 cases"):
        store.put(renamed(made, "second"))


def test_an_object_store_works_too(made: Bundle) -> None:
    store = Store("memory://cases")
    case, _ = store.put(made, listed=True)
    assert store.get(case) == made
    assert [row.id for row in store.listed()] == [case]


def test_killed_while_saving_the_store_holds_a_case_whole_or_not_at_all(made: Bundle, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    whole, begun = 0, time.perf_counter()
    for n in range(5):
        Store(tmp_path / "apart").put(renamed(made, f"unharmed {n}"))
    once = (time.perf_counter() - begun) / 5  # on this machine, as busy as it is
    for n in range(200):
        one = renamed(made, f"case {n}")
        child = os.fork()
        if child == 0:
            Store(tmp_path).put(one)
            os._exit(0)
        time.sleep(float(rng.uniform(0, 3 * once)))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        store = Store(tmp_path)
        if store.has(one.id):
            assert store.get(one.id) == one
            whole += 1
    assert 0 < whole < 200, f"{whole} of 200 were whole: the moments chosen don't test anything"


def test_tables_and_picture(made: Bundle) -> None:
    files = tables(made)
    assert files["latents.csv"].count("\n") == len(made.case.shown.active) + 1
    assert files["tests.csv"].splitlines()[1].startswith("1,476,set")
    assert Image.open(io.BytesIO(attention_png(made))).size == (224, 224)


def test_a_spreadsheet_runs_nothing(made: Bundle) -> None:
    tokens = [made.case.shown.tokens[0].model_copy(update={"text": "=cmd()"}), *made.case.shown.tokens[1:]]
    evil = bundle(made.case.model_copy(update={"shown": made.case.shown.model_copy(update={"tokens": tokens})}), made.pictures())
    assert "'=cmd()" in tables(evil)["tokens.csv"]


def test_the_exported_page_carries_text_as_text(made: Bundle) -> None:
    text = page(renamed(made, "</script><script>alert(1)</script>"))
    assert "alert(1)</script>" not in text.replace("&lt;/script&gt;", "")
    assert "http://" not in text.replace("http://www.w3.org", "")
