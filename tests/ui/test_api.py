"""The endpoints for programs, over a real server: typed answers, the workbench's numbers, sentences for bad input."""

from __future__ import annotations

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from scratchpad.analysis.beside import matched
from scratchpad.cases.case import Case
from scratchpad.records import Analysis, Diagnosis, Sufficient, Test, Verified, loads
from scratchpad.records.attention import HeadAttention, HeadMap
from scratchpad.records.beside import SideBySide
from scratchpad.records.certificate import Certificate
from scratchpad.records.edit import changing
from scratchpad.records.influence import Influence
from scratchpad.records.steering import Steered
from scratchpad.records.sweep import SweepSummary
from scratchpad.records.tree import Tree
from scratchpad.records.views import AtPlace, Detail, Latents, Layers, Offered, Stages
from scratchpad.workbench import Workbench

pytestmark = pytest.mark.browser


RETURNS: dict[str, Any] = {
    "analyze": Analysis,
    "ablate": Test,
    "effects": Verified,
    "suffice": Sufficient,
    "diagnose": Diagnosis,
    "offers": tuple[Offered, ...],
    "case_open": Case,
    "attention_by_head": HeadAttention,
    "head_map": HeadMap,
    "steer": Steered,
    "influence": Influence,
    "clusters": Tree,
    "layers": Layers,
    "stages": Stages,
    "compare": SideBySide,
    "needle": SweepSummary,
    "latents_at": AtPlace,
    "latent_search": Latents,
    "latent_detail": Detail,
    "certificate": Certificate,
}


@pytest.fixture(scope="module")
def client(server: str) -> Client:
    return Client(server, verbose=False, headers={"x-forwarded-for": "10.0.0.1"})


def test_analyze_ablate_and_suffice_give_what_the_workbench_gives(client: Client, image: str, bench: Workbench, scene_path: Path) -> None:
    own = bench.analyze(scene_path, "what animal is there")
    told: Any = client.predict(image, "what animal is there", api_name="/analyze")
    assert told["run"]["answer"] == own.run.answer
    assert [row["id"] for row in told["latents"]] == [row.id for row in own.latents]
    narrow: Any = client.predict(image, "what animal is there", 64, "", None, [2, 3], [1], api_name="/analyze")
    chosen = bench.analyze(scene_path, "what animal is there", attention_layers=[2, 3], attention_heads=[1])
    assert narrow["question"]["settings"]["attention_heads"] == [1]
    assert [row["id"] for row in narrow["latents"]] == [row.id for row in chosen.latents]
    with pytest.raises(AppError, match="lists of at most"):
        client.predict(image, "what animal is there", 64, "", None, None, [0] * 2000, api_name="/analyze")
    first = told["latents"][0]["id"]
    tested: Any = client.predict(image, "what animal is there", [first], 0.0, "", "", api_name="/ablate")
    assert tested["comparison"]["before"]["text"] == own.run.answer
    assert len(tested["control"]["sets"]) == 32
    assert tested["verdict"]["sentence"]
    least: Any = client.predict(image, "what animal is there", "", 8, "", api_name="/suffice")
    assert least["flipped"] == (least["before"] != least["after"])


def test_several_images_are_asked_about(client: Client, image: str, bench: Workbench, scene_path: Path) -> None:
    own = bench.analyze([scene_path, scene_path], "what is in <image> and not in <image>")
    told: Any = client.predict(image, "what is in <image> and not in <image>", 64, "", [image], api_name="/analyze")
    assert (told["run"]["answer"], told["run"]["grid"]["sizes"]) == (own.run.answer, [[224, 224], [224, 224]])
    for more, said in (([image] * 10, "at most 9"), (["x"], "isn't base64"), ("x", "list of at most 9")):
        with pytest.raises(AppError, match=said):
            client.predict(image, "what", 64, "", more, api_name="/analyze")
    with pytest.raises(AppError, match="once for each"):
        client.predict(image, "what is in <image>", 64, "", [image], api_name="/analyze")


def test_every_endpoint_is_typed_and_documented(client: Client) -> None:
    told: Any = client.view_api(return_format="dict", print_info=False)
    endpoints = told["named_endpoints"]
    assert set(endpoints) == {f"/{name}" for name in ("ask", *RETURNS)}
    names = [p["parameter_name"] for p in endpoints["/ablate"]["parameters"]]
    assert names == ["image", "question", "latents", "strength", "target", "choice", "more", "op", "region", "picture", "cluster"]
    for name, endpoint in endpoints.items():
        for part in (*endpoint["parameters"], *endpoint["returns"]):
            assert not re.search(r"\bAny\b", part["python_type"]["type"]) or name == "/ask", (name, part)
        assert "Any" not in endpoint["returns"][0]["python_type"]["type"], name


def test_what_every_endpoint_answers_is_of_its_declared_record(server: str, image: str, bench: Workbench, scene_path: Path) -> None:
    """And the record is the workbench's: read back by the one codec, which refuses what isn't declared."""
    asking = Client(server, verbose=False, headers={"x-forwarded-for": "10.0.0.20"})
    question = "what animal is there"
    own = bench.analyze(scene_path, question)
    latent = own.latents[0].id
    shipped = sorted((Path(__file__).parents[2] / "examples" / "cases").glob("*.case"))[0].stem
    given: dict[str, dict[str, Any]] = {
        "effects": {"image": image, "question": question, "most": 3},
        "attention_by_head": {"image": image, "question": question},
        "head_map": {"image": image, "question": question, "layers": [3, 4], "heads": [0]},
        "steer": {"image": image, "question": question, "latent": latent},
        "influence": {"image": image, "question": question, "onto": "0", "most": 2, "controls": 3, "choice": "1"},
        "clusters": {"image": image, "question": question},
        "layers": {"image": image, "question": question},
        "stages": {"image": image, "question": question},
        "compare": {
            "image": image,
            "question": question,
            "other_image": image,
            "other_more": [image],
            "other_question": "How many things are there?",
            "other_choice": "1",
        },
        "needle": {"methods": ["random"], "dataset": "patch", "rows": 2, "cols": 2},
        "latents_at": {"image": image, "region": [0, 0, 112, 112]},
        "latent_search": {"text": "octopus"},
        "latent_detail": {"latent": latent},
        "case_open": {"case": shipped},
    }
    answers = {}
    for name, sent in given.items():
        answers[name] = loads(RETURNS[name], json.dumps(asking.predict(**sent, api_name=f"/{name}")))
    verified = bench.verify(own, 3)
    assert [e.latent for e in answers["effects"].effects] == [e.latent for e in verified.effects]
    assert [e.actual for e in answers["effects"].effects] == pytest.approx([e.actual for e in verified.effects], abs=1e-3)
    np.testing.assert_allclose(answers["head_map"].values, bench.head_map(own, None, [3, 4], [0]).values, atol=1e-5)
    np.testing.assert_allclose(answers["attention_by_head"].shares, bench.attention_by_head(own).shares, atol=1e-5)
    assert [dose.answer for dose in answers["steer"].doses] == [dose.answer for dose in bench.steer(own, latent).doses]
    assert (answers["influence"].sae.name, answers["influence"].onto.name) == ("emoji-middle", "emoji-last")
    assert np.shape(answers["influence"].effects) == (2, 2)
    assert answers["clusters"].leaves == bench.tree(own).leaves
    assert [row.layer for row in answers["layers"].layers] == [1, 3, 5]
    assert len(answers["stages"].stages) == 6
    assert answers["compare"].left.run.answer == own.run.answer
    assert (answers["compare"].right.question.prompt, answers["compare"].right.sae.name) == ("How many things are there?", "emoji-middle")
    assert len(answers["compare"].right.question.images) == 2
    assert answers["compare"].matched == matched(answers["compare"].left, answers["compare"].right)
    assert set(answers["needle"].results["patch"]) == {"random"}
    assert answers["latents_at"] == bench.at_place(scene_path, (0, 0, 112, 112))
    assert {row.name for row in answers["latent_search"].latents} == {"octopus"}
    assert answers["latent_detail"].entry == bench.entry(latent)
    assert answers["latent_detail"].references


def test_ablate_takes_clusters_regions_and_other_changes(server: str, image: str, bench: Workbench, scene_path: Path) -> None:
    asking = Client(server, verbose=False, headers={"x-forwarded-for": "10.0.0.21"})
    question = "what animal is there"
    own = bench.analyze(scene_path, question)
    cluster, latent = own.heatmap.clusters[0], own.latents[0].id
    for sent, edit in (
        ({"latents": [], "cluster": cluster.id}, changing(cluster.latents, "scale", 0.0)),
        ({"latents": [latent], "op": "set", "strength": 3.0}, changing([latent], "set", 3.0)),
        ({"latents": [latent], "op": "add", "strength": 2.0, "region": [0, 0, 112, 112]}, changing([latent], "add", 2.0, (0, 0, 112, 112))),
        ({"latents": [latent], "picture": 0}, changing([latent], "scale", 0.0, image=0)),
    ):
        told: Any = asking.predict(image=image, question=question, **sent, api_name="/ablate")
        test = loads(Test, json.dumps(told))
        assert test.comparison.edit == edit
        assert test.comparison.effect == pytest.approx(bench.ablate(own, edit).effect, abs=1e-3)
    for sent, said in (
        ({"latents": []}, "needs 1 to"),
        ({"latents": [latent], "cluster": 999}, "Cluster 999 was given"),
        ({"latents": [latent], "op": "drop"}, "expected one of set, scale, add"),
        ({"latents": [latent], "region": [0, 0, 1]}, "expected y0, x0, y1, x1"),
        ({"latents": [latent], "region": [900, 900, 901, 901]}, "holds no patch"),
        ({"latents": [latent], "picture": 4}, "Image 4 was given"),
        ({"latents": [latent], "strength": 1e5}, "from -100 to 100"),
    ):
        with pytest.raises(AppError, match=said):
            asking.predict(image=image, question=question, **sent, api_name="/ablate")


def test_more_images_of_a_second_question_need_its_first(client: Client, image: str) -> None:
    with pytest.raises(AppError, match="other_more was given without other_image"):
        client.predict(image=image, question="what animal is there", other_more=[image], api_name="/compare")


def test_another_sae_is_chosen_and_an_unknown_one_refused(client: Client, image: str) -> None:
    offers: Any = client.predict(api_name="/offers")
    assert [offer["label"] for offer in offers] == ["emoji-last · layer 5", "emoji-middle · layer 3", "emoji-early · layer 1"]
    told: Any = client.predict(image, "what animal is there", 64, offers[1]["choice"], api_name="/analyze")
    assert told["sae"]["name"] == "emoji-middle"
    with pytest.raises(AppError, match="isn't offered here"):
        client.predict(image, "what animal is there", 64, "/etc", api_name="/analyze")


def test_bad_input_is_a_sentence(client: Client, image: str) -> None:
    for given, said in [
        (("", "what"), "No image was given"),
        (("/etc/passwd", "what"), "isn't base64"),
        (("http://127.0.0.1/x.png", "what"), "isn't base64"),
        ((base64.b64encode(b"no picture").decode(), "what"), "is not an image"),
        ((image, ""), "No prompt was given"),
        ((image, "what", 0), "expected 1 to 256"),
        ((image, "what", "many"), "where a number is expected"),
    ]:
        with pytest.raises(AppError, match=said):
            client.predict(*given, api_name="/analyze")
    with pytest.raises(AppError, match="whole numbers"):
        client.predict(image, "what animal is there", ["x"], api_name="/ablate")
    with pytest.raises(AppError, match="no id of a case"):
        client.predict("../../etc", api_name="/case_open")


def test_a_shipped_case_opens(client: Client, server: str) -> None:
    shipped = sorted((Path(__file__).parents[2] / "examples" / "cases").glob("*.case"))
    told: Any = client.predict(shipped[0].stem, api_name="/case_open")
    assert told["title"]
    assert told["analysis"]["run"]["answer"]


def test_the_endpoints_are_mcp_tools(server: str, image: str) -> None:
    import asyncio

    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async def visit() -> tuple[set[str], Any]:
        async with streamablehttp_client(f"{server}/gradio_api/mcp/") as (read, write, _), ClientSession(read, write) as session:
            await session.initialize()
            tools = await session.list_tools()
            names = {tool.name for tool in tools.tools}
            analyze = next(name for name in names if name.endswith("analyze"))
            return names, await session.call_tool(analyze, {"image": image, "question": "what animal is there"})

    with ThreadPoolExecutor(1) as apart:  # Playwright's loop runs in this thread
        names, told = apart.submit(lambda: asyncio.run(visit())).result()
    assert set(RETURNS) <= {name.removeprefix("Visual_Scratchpad_") for name in names}, names
    assert "answer" in told.content[0].text


def test_handle_file_uploads_work(client: Client, scene_path: Path, bench: Workbench) -> None:
    told: Any = client.predict(handle_file(str(scene_path)), "what animal is there", api_name="/ask")
    assert json.loads(told[0])["analysis"]["run"]["answer"] == bench.analyze(scene_path, "what animal is there").run.answer
    several: Any = client.predict(
        handle_file(str(scene_path)), "what", "0", "", [{"image": handle_file(str(scene_path)), "caption": None}], api_name="/ask"
    )
    assert len(json.loads(several[0])["page"]["images"]) == 2
