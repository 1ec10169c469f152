"""The command line as a user meets it: one JSON object, exit codes, no traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from scratchpad.cli import main
from scratchpad.workbench import DEFAULT_MODEL


def scratchpad(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "scratchpad.cli", *arguments], capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def analyzed(scene_path: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:
    out = tmp_path_factory.mktemp("out")
    done = scratchpad("analyze", str(scene_path), "What is in the picture?", "--json", "--out", str(out))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), out


def test_analyze_prints_one_object_and_nothing_else(analyzed: tuple[dict, Path]) -> None:
    value, _ = analyzed
    assert set(value) == {
        "model",
        "sae",
        "image",
        "prompt",
        "answer",
        "tokens",
        "grid",
        "latents",
        "heatmap",
        "suggested",
        "fidelity",
        "blank",
    }
    assert set(value["tokens"][0]) == {"index", "text", "role", "logprob"}
    assert value["grid"] == {"tiles": [{"box": [0, 0, 224, 224], "rows": 14, "cols": 14}], "image_tokens": 196, "patches": 196}
    assert {"id", "name", "score", "mean_score", "sparsity", "mean_activation"} <= set(value["latents"][0])
    scores = [row["score"] for row in value["latents"]]
    assert scores == sorted(scores, reverse=True)
    heatmap = value["heatmap"]
    assert len(heatmap["values"]) == len(heatmap["tokens"])
    assert all(len(row) == len(heatmap["latents"]) for row in heatmap["values"])
    assert sorted(i for c in heatmap["clusters"] for i in c["latents"]) == sorted(heatmap["latents"])
    assert value["suggested"]["latents"]


def test_analyze_keeps_maps_and_arrays(analyzed: tuple[dict, Path]) -> None:
    from PIL import Image
    from safetensors.numpy import load_file

    value, out = analyzed
    outputs = [t["index"] for t in value["tokens"] if t["role"] == "output"]
    assert all(Image.open(out / f"attention-{i}.png").size == (224, 224) for i in outputs)
    layers = json.loads((DEFAULT_MODEL / "config.json").read_text())["text_config"]["num_hidden_layers"]
    assert load_file(out / "arrays.safetensors")["attention"].shape[1:] == (layers, 196)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    """What a command prints as JSON, in this process."""
    assert main(list(arguments)) == 0
    value: dict = json.loads(capsys.readouterr().out)
    return value


def test_two_images_have_each_their_own_map(scene_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = str(scene_path)
    value = printed(capsys, "analyze", image, image, "What is in the picture?", "--json", "--out", str(tmp_path))
    assert value["image"]["sizes"] == [[224, 224], [224, 224]]
    assert [tile["image"] for tile in value["grid"]["tiles"]] == [0, 1]
    assert value["grid"]["image_tokens"] == 392
    last = value["tokens"][-1]["index"]
    assert all((tmp_path / f"attention-{last}-image-{i}.png").is_file() for i in (0, 1))


def test_suffice(scene_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    value = printed(capsys, "suffice", str(scene_path), "What is in the picture?", "--json")
    assert set(value) == {"latents", "target", "before", "after", "flipped", "minimal", "tried", "controls", "seconds"}
    assert value["flipped"] == bool(value["latents"])
    assert set(value["latents"][0]) == {"id", "name"}
    assert value["after"] != value["before"]


def test_ablate(scene_path: Path, analyzed: tuple[dict, Path], capsys: pytest.CaptureFixture[str]) -> None:
    latents = ",".join(map(str, analyzed[0]["suggested"]["latents"]))
    value = printed(capsys, "ablate", str(scene_path), "What is in the picture?", "--latents", latents, "--json")
    assert value["before"]["answer"] == analyzed[0]["answer"]
    assert value["changed"] == (value["before"]["answer"] != value["after"]["answer"])
    assert len(value["delta_logprob"]["tokens"]) == len(value["before"]["tokens"])
    assert value["delta_logprob"]["answer"] == pytest.approx(sum(value["delta_logprob"]["tokens"]))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("analyze", "nowhere.png", "hi"), "There is no file"),
        (("analyze", "SCENE", ""), "No prompt"),
        (("analyze", "SCENE", "hi", "--model", "no-such-folder"), "no model folder"),
        (("analyze", "SCENE", "hi", "--sae", "no-such-folder"), "not an SAE folder"),
        (("analyze", "SCENE", "hi", "--max-new-tokens", "0"), "at least 1"),
        (("ablate", "SCENE", "hi", "--latents", "1,x"), "separated by commas"),
        (("ablate", "SCENE", "hi", "--latents", "123456"), "has latents 0 to"),
        (("ablate", "SCENE", "hi", "--cluster", "999"), "heatmap has clusters"),
        (("demo", "scene", "--seed", "-4", "--out", "a.png"), "non-negative"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    scene_path: Path, arguments: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(scene_path) if a == "SCENE" else a for a in arguments]) == 2
    told = capsys.readouterr()
    assert says in told.err
    assert "Traceback" not in told.err
    assert told.out == ""


def test_a_process_of_its_own_says_the_same() -> None:
    done = scratchpad("analyze", "nowhere.png", "hi")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "There is no file" in done.stderr


def test_demo_scene(tmp_path: Path) -> None:
    done = scratchpad("demo", "scene", "--seed", "100000007", "--out", str(tmp_path / "s.png"), "--json")
    value = json.loads(done.stdout)
    assert value["seed"] == 100_000_007
    assert {"seed", "background", "objects", "questions"} <= set(value)
    assert set(value["objects"][0]) >= {"name", "category", "box"}
    assert set(value["questions"][0]) == {"text", "answer", "type"}
    assert (tmp_path / "s.png").is_file()


def test_help_is_quick_because_nothing_heavy_is_imported() -> None:
    code = "import sys; from scratchpad.cli import _parser; _parser(); assert not {'torch', 'gradio', 'sae_lens'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_analyze_does_not_import_sae_lens() -> None:
    code = "import sys; import scratchpad.workbench, scratchpad.views; assert 'sae_lens' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_inspect_proves_the_demos_geometry(scene_path: Path) -> None:
    done = scratchpad("inspect", str(DEFAULT_MODEL), "--image", str(scene_path), "--check", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["family"] == "LLaVA"
    assert (told["vision_layers"], told["width"], told["read_layer"]) == (7, 192, 5)
    assert (told["rows"], told["cols"], told["image_tokens"]) == (14, 14, 196)
    assert told["tiles"] == [{"box": [0, 0, 224, 224], "rows": 14, "cols": 14}]
    assert [point["layer"] for point in told["hook_points"]] == [0, 1, 2, 3, 4, 5]
    assert told["memory_bytes"] > 25_000_000
    assert told["check"] == {"holds": True, "tokens": 196, "of": 196, "wrong": []}


def test_inspect_refuses_in_one_sentence() -> None:
    done = scratchpad("inspect", "nowhere/at/all")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
