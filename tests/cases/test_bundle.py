"""Bundles come from strangers; the store outlives a kill at any moment."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scratchpad.cases import bundle as bundles
from scratchpad.cases.bundle import Bundle, bundle, pack, unpack
from scratchpad.cases.store import Store
from scratchpad.cases.tables import attention_png, tables
from scratchpad.errors import UserError
from scratchpad.records import dumps
from scratchpad.ui.export import page

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="module")
def old() -> Bundle:
    return unpack((FIXTURES / "format-1.case").read_bytes())


@pytest.fixture(scope="module")
def made() -> Bundle:
    return unpack((FIXTURES / "format-2.case").read_bytes())


def rewritten(made: Bundle, change) -> bytes:
    """The bundle with its text changed as a stranger might."""
    value = json.loads(made.text)
    change(value)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("case.json", json.dumps(value))
        archive.writestr("made.json", dumps(made.made))
        for i, data in enumerate(made.images):
            archive.writestr(f"image-{i}.png", data)
    return buffer.getvalue()


def renamed(made: Bundle, title: str) -> Bundle:
    return bundle(replace(made.case, title=title), made.made)


def test_the_first_format_opens_for_good(old: Bundle) -> None:
    assert old.id == "6edee5daad73e6ba7f6fb2e3c38326ba"
    assert old.case.analysis.run.answer == "snow"
    test = old.case.tests[0]
    assert test.comparison.changed
    assert test.verdict.kind == "inconclusive"  # its control sets weren't distinct
    assert unpack(pack(old)) == old
    assert old.made.at == "2026-11-21T16:24:57Z"


def test_the_second_format_opens_for_good(made: Bundle) -> None:
    assert made.id == json.loads((FIXTURES / "format-2.json").read_text())["id"]
    assert made.case.tests[0].verdict.kind == "supported"


def test_the_envelope_is_not_in_the_hash(made: Bundle) -> None:
    later = bundle(made.case, replace(made.made, at="2030-01-01T00:00:00Z"))
    assert later.id == made.id
    assert pack(later) != pack(made)


def test_same_content_same_bytes_same_id(made: Bundle) -> None:
    again = unpack(pack(made))
    assert again == made
    assert pack(again) == pack(made)


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.update(title="<script>"),
        lambda v: v["analysis"]["run"].update(answer="another"),
        lambda v: v["analysis"]["run"]["tokens"][-1].update(logprob=-1.5),
        lambda v: v["tests"][0]["comparison"]["after"].update(text="another"),
    ],
)
def test_changed_content_is_another_case(made: Bundle, change) -> None:
    data = rewritten(made, change)
    assert unpack(data).id != made.id
    with pytest.raises(UserError, match="was changed"):
        unpack(data, expected=made.id)


def spoiled(packed: dict, value: float) -> None:
    """One entry of a packed array made another number."""
    data = bytearray(base64.b64decode(packed["data"]))
    data[:4] = np.array([value], "<f4" if packed["dtype"] == "f4" else "<i4").tobytes()
    packed["data"] = base64.b64encode(bytes(data)).decode()


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.update(surprise=1),
        lambda v: v["analysis"].pop("question"),
        lambda v: v["analysis"]["run"].update(answer=3),
        lambda v: v["analysis"]["heatmap"]["latents"].append("<script>"),
        lambda v: v["analysis"]["run"]["tokens"][0].update(index='"><script>'),
        lambda v: v["analysis"]["weights"]["values"].update(shape=[1, 1]),
        lambda v: v["analysis"]["weights"]["values"].update(data=v["analysis"]["weights"]["values"]["data"][:-8]),
        lambda v: v["analysis"]["codes"]["values"].update(shape=[10**6, 10**6]),
        lambda v: spoiled(v["analysis"]["weights"]["values"], float("nan")),
        lambda v: spoiled(v["analysis"]["codes"]["indices"], 10**6),
        lambda v: spoiled(v["analysis"]["run"]["grid"]["patches"], 10**6),
        lambda v: v["analysis"]["run"]["grid"]["tiles"][0].update(rows=15),
        lambda v: v["analysis"]["run"]["grid"]["tiles"][0].update(image=1),
        lambda v: v["tests"][0]["comparison"]["delta_logprob"].__setitem__(0, "much"),
        lambda v: v["tests"][0]["comparison"]["edit"]["items"][0].update(image=7),
        lambda v: v["tests"][0]["control"]["edit"]["items"][0].update(value=1e300),
        lambda v: v["references"].update({"1": [{"interval": "", "labels": "", "activation": 0, "mask": {}, "thumbnail": "https://x/"}]}),
        lambda v: v["analysis"]["sae"].update(identity="<b>"),
        lambda v: v["analysis"]["question"]["images"][0].update(width=225),
        lambda v: v["analysis"]["question"]["images"][0].update(sha256="0" * 64),
        lambda v: v.update(title="x" * 1000),
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
    for version in (3, True, "2", None):
        with pytest.raises(UserError, match="reads formats 1 to 2"):
            unpack(rewritten(made, lambda v, version=version: v.update(format=version)))


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
    made.pictures()[0].save(buffer, "PNG", exif=exif)
    with zipfile.ZipFile(io.BytesIO(pack(made))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()} | {"image-0.png": buffer.getvalue()}
    again = io.BytesIO()
    with zipfile.ZipFile(again, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    assert b"secret" in again.getvalue()
    assert pack(unpack(again.getvalue(), made.id)) == pack(made)


def test_pictures_are_summed_before_they_are_opened(made: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "MAX_TOTAL", 224 * 224 - 1)
    monkeypatch.setattr(bundles, "load_image", lambda data: pytest.fail("a picture was opened"))
    for name in ("format-1.case", "format-2.case"):
        with pytest.raises(UserError, match="million pixels together"):
            unpack((FIXTURES / name).read_bytes())


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


@pytest.mark.parametrize("kills", [40, pytest.param(200, marks=pytest.mark.slow)])
def test_killed_while_saving_the_store_holds_a_case_whole_or_not_at_all(made: Bundle, tmp_path: Path, kills: int) -> None:
    rng = np.random.default_rng(0)
    whole, span = 0, 0.05  # s; how long a save is given at most follows what came of those before, however busy the machine is
    for n in range(kills):
        one = renamed(made, f"case {n}")
        child = os.fork()
        if child == 0:
            Store(tmp_path).put(one)
            os._exit(0)
        time.sleep(float(rng.uniform(0, span)))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        store = Store(tmp_path)
        there = store.has(one.id)
        span *= 0.8 if there else 1.25
        if there:
            assert store.get(one.id) == one
            whole += 1
    assert 0 < whole < kills, f"{whole} of {kills} were whole: the moments chosen don't test anything"


@pytest.mark.parametrize("name", ["format-1.case", "format-2.case"])
def test_tables_and_picture(name: str) -> None:
    kept = unpack((FIXTURES / name).read_bytes())
    files = tables(kept)
    assert files["latents.csv"].count("\n") == len(kept.case.analysis.latents) + 1
    edited = kept.case.tests[0].comparison.edit.items[0]
    assert files["tests.csv"].splitlines()[1].startswith(f"1,{edited.latent},set")
    assert Image.open(io.BytesIO(attention_png(kept))).size == (224, 224)


def test_a_spreadsheet_runs_nothing(made: Bundle) -> None:
    run = made.case.analysis.run
    tokens = (replace(run.tokens[0], text="=cmd()"), *run.tokens[1:])
    evil = bundle(replace(made.case, analysis=replace(made.case.analysis, run=replace(run, tokens=tokens))), made.made)
    assert "'=cmd()" in tables(evil)["tokens.csv"]


def test_the_exported_page_carries_text_as_text(made: Bundle) -> None:
    text = page(renamed(made, "</script><script>alert(1)</script>"))
    assert "alert(1)</script>" not in text.replace("&lt;/script&gt;", "")
    assert "http://" not in text.replace("http://www.w3.org", "")
