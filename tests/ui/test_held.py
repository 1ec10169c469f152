"""What was asked travels with the page: never another picture than the one it shows, whatever becomes of the server's memory."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from playwright.sync_api import Browser, Page

from scratchpad.benches import Benches
from scratchpad.cases.store import Store
from scratchpad.errors import UserError
from scratchpad.experiments.trial import MAX_TARGET
from scratchpad.records import Analysis, dumps
from scratchpad.ui.handlers import Handlers
from scratchpad.ui.held import Asked, Seal, held, same
from scratchpad.ui.keeping import Keeping
from scratchpad.ui.studies import Studies
from scratchpad.ui.texts import MAX_CHARACTERS, QUESTION
from scratchpad.workbench import Workbench
from tests.ui.conftest import PATIENCE, press, visit


@pytest.fixture(scope="module")
def handlers(benches: Benches) -> Handlers:
    return Handlers(benches)


def test_an_event_of_another_picture_is_refused_and_nothing_kept(handlers: Handlers, scene_path: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.png"
    shutil.copy(scene_path, mine)
    drawn, _, asked = handlers.ask([str(mine)], "what animal is there")
    assert drawn
    assert asked
    key = json.loads(drawn)["page"]["key"]
    latent = json.loads(drawn)["analysis"]["latents"][0]["id"]
    store = Store(tmp_path / "store")
    keeping, studies = Keeping([store], handlers), Studies(handlers)
    edit = {"items": [{"latent": latent, "op": "scale", "value": 0.0}]}
    acts = [
        lambda now, event: handlers.test(now, event | {"do": "ablate", "edit": edit}),
        lambda now, event: handlers.test(now, event | {"do": "verify"}),
        lambda now, event: keeping.keep(now, event | {"title": "mine", "tests": []}),
        studies.stages,
        studies.layers,
        lambda now, event: studies.place(now, event | {"region": [0, 0, 112, 112], "image": None}),
        lambda now, event: studies.compare(now, event | {"prompt": "what is there"}, [str(scene_path)]),
    ]
    for act in acts:
        for now, event in ((None, {"key": key}), (asked, {"key": f"{key} other"}), (asked, {}), (asked, {"key": [key]})):
            assert "ask the question again" in json.loads(act(now, event))["error"]
    assert "Nothing was asked" in json.loads(handlers.test(None, {"do": "ablate"}))["error"]
    assert store.listed() == []
    assert not (tmp_path / "store").exists()
    assert json.loads(keeping.keep(asked, {"key": key, "title": "mine", "tests": []}))["id"]
    mine.unlink()
    for act in acts:
        assert "upload them and ask again" in json.loads(act(asked, {"key": key}))["error"]


def test_what_a_page_holds_is_the_servers_own() -> None:
    seal, other = Seal(), Seal()
    value = Asked(("/x.png",), "é", "0", "k")
    sealed = seal.sealed(value)
    assert seal.opened(sealed) == value
    strange = ["x" * 64 + dumps(value), "", None, [], 3, "0" * 10**6]
    for text in (other.sealed(value), sealed[:-1], sealed.replace("x.png", "y.png"), *strange):
        assert seal.opened(text) is None
    box = held(value)
    assert box.skip_api
    assert box.preprocess(box.value) == value
    again = type(box)(**box.constructor_args)  # as Gradio makes a session's own after a skipped update
    assert again.preprocess(box.value) == value
    assert box.postprocess(None) == ""
    with pytest.raises(UserError, match="Nothing was asked"):
        same(None, {})


def test_text_beside_the_question_is_bounded(handlers: Handlers, bench: Workbench, analysis: Analysis, scene_path: Path) -> None:
    drawn, _, asked = handlers.ask([str(scene_path)], "what animal is there")
    assert drawn
    assert asked
    event = {"key": asked.key, "edit": {"items": [{"latent": 1, "op": "set", "value": 0}]}, "target": "dog " * MAX_CHARACTERS}
    for name in ("ablate", "smallest", "diagnose"):
        assert f"at most {MAX_CHARACTERS}" in json.loads(handlers.test(asked, event | {"do": name}))["error"]
    assert f"at most {QUESTION}" in handlers.ask([str(scene_path)], "what " * QUESTION)[1]
    for target in ("dog " * (MAX_TARGET + 1), "dog " * 10**6):
        with pytest.raises(UserError, match="a word or two"):
            bench.suffice(analysis, target)


def config(address: str) -> Any:
    with urllib.request.urlopen(f"{address}/config", timeout=300) as answer:
        return json.load(answer)


def held_by(page: Page) -> str:
    return str(page.evaluate("Scratchpad.state.page.key"))


@pytest.fixture
def opened(chromium: Browser, address: str) -> Iterator[Page]:
    page = chromium.new_page()
    visit(page, address)
    yield page
    page.close()


@pytest.mark.browser
def test_a_page_whose_session_is_gone_goes_on(opened: Page, address: str, scene_path: Path) -> None:
    """Sessions of others throw it out meanwhile; nothing of a page lies in one."""
    opened.set_input_files("#sp-ask input[type=file]", str(scene_path))
    opened.wait_for_function("Scratchpad.state.draft.images[0].ref.upload", timeout=PATIENCE)
    before = held_by(opened)
    opened.click("#sp-go")
    opened.wait_for_function("(k) => Scratchpad.state.page.key !== k && !Scratchpad.state.jobs.ask", arg=before, timeout=PATIENCE)
    panel = next(c["id"] for c in config(address)["components"] if c["props"].get("elem_id") == "sp-line-ask")
    for n in range(230):  # more than the server remembers
        wanted = {"data": "", "session_hash": f"stranger {n}", "component_id": panel, "fn_name": "stop"}
        head = {"content-type": "application/json"}
        call = urllib.request.Request(f"{address}/gradio_api/component_server", json.dumps(wanted).encode(), head)
        urllib.request.urlopen(call, timeout=300).close()
    opened.locator(".sp-card .sp-pick").first.click()
    press(opened, "go")
    assert opened.evaluate("Scratchpad.state.errors.test || ''") == ""
    answer = opened.evaluate("Scratchpad.state.analysis.answer")
    assert opened.evaluate("Scratchpad.state.runs[0].test.comparison.before.text") == answer


@pytest.mark.browser
def test_an_address_is_fetched_after_no_event_either(address: str, scene_path: Path) -> None:
    """Gradio makes a session's components anew from their class once an event leaves one of them as it is."""
    known = config(address)["dependencies"]
    line = next(c["id"] for c in config(address)["components"] if c["props"].get("elem_id") == "sp-line-keep")
    keep = next(d["id"] for d in known if [line, "select"] in d["targets"])
    ask = next(d["id"] for d in known if d["api_name"] == "ask")
    assert "Nothing was asked" in ran(address, keep, [""], {"title": "x"})
    bare, marked = {"path": "/etc/passwd"}, {"path": "http://127.0.0.1:9/x.png", "meta": {"_type": "gradio.FileData"}}
    for picture in (bare, bare | {"path": str(scene_path)}, marked, {"path": "http://127.0.0.1:9/x.png"}):
        told = ran(address, ask, [picture, "what animal is there", "0", "", None])
        assert "no upload" in told or "nothing is fetched" in told, told
    told: Any = Client(address, verbose=False).predict(handle_file(str(scene_path)), "what animal is there", api_name="/ask")
    assert json.loads(told[0])["analysis"]["run"]["answer"]


def ran(address: str, function: int, data: list[Any], event: Any = None) -> str:
    """What the queue tells a session of one event, as a page sends it."""
    wanted = {"data": data, "fn_index": function, "session_hash": "one session", "event_data": event, "trigger_id": None}
    head = {"content-type": "application/json"}
    join = urllib.request.Request(f"{address}/gradio_api/queue/join", json.dumps(wanted).encode(), head)
    urllib.request.urlopen(join, timeout=300).close()
    with urllib.request.urlopen(f"{address}/gradio_api/queue/data?session_hash=one%20session", timeout=300) as stream:
        return str(stream.read().decode())
