"""The command line as a user meets it: one JSON object, exit codes, no traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scratchpad.analysis.beside import matched
from scratchpad.cli import main
from scratchpad.records import Analysis, Diagnosis, Sufficient, Test, Verified, dump, loads
from scratchpad.records.beside import SideBySide
from scratchpad.workbench import DEFAULT_MODEL, DEFAULT_SAE, Workbench
from tests.forked import scratchpad
from tests.helpers import sentences


@pytest.fixture(scope="module")
def analyzed(scene_path: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:
    out = tmp_path_factory.mktemp("out")
    done = scratchpad("analyze", str(scene_path), "What is in the picture?", "--json", "--out", str(out))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), out


def test_analyze_prints_one_object_and_nothing_else(analyzed: tuple[dict, Path]) -> None:
    value, _ = analyzed
    analysis = loads(Analysis, json.dumps(value))
    assert dump(analysis) == value
    assert set(value["run"]["tokens"][0]) == {"index", "id", "text", "role", "logprob"}
    grid = analysis.run.grid
    assert (grid.sizes, grid.image_tokens, [(t.box, t.rows, t.cols) for t in grid.tiles]) == (
        ((224, 224),),
        196,
        [((0, 0, 224, 224), 14, 14)],
    )
    assert {"id", "name", "guess", "precision", "support", "score", "mean_score", "sparsity"} <= set(value["latents"][0])
    scores = [latent.score for latent in analysis.latents]
    assert scores == sorted(scores, reverse=True)
    heatmap = analysis.heatmap
    assert sorted(i for c in heatmap.clusters for i in c.latents) == sorted(heatmap.latents)
    assert analysis.suggested is not None
    assert analysis.suggested.after != analysis.run.answer
    assert analysis.blank is not None


def test_analyze_keeps_maps_and_arrays(analyzed: tuple[dict, Path]) -> None:
    from PIL import Image
    from safetensors.numpy import load_file

    value, out = analyzed
    outputs = [t["index"] for t in value["run"]["tokens"] if t["role"] == "output"]
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
    value = printed(capsys, "analyze", image, image, "what is the background", "--json", "--out", str(tmp_path))
    assert value["run"]["grid"]["sizes"] == [[224, 224], [224, 224]]
    assert [tile["image"] for tile in value["run"]["grid"]["tiles"]] == [0, 1]
    assert loads(Analysis, json.dumps(value)).run.grid.image_tokens == 392
    last = value["run"]["tokens"][-1]["index"]
    assert all((tmp_path / f"attention-{last}-image-{i}.png").is_file() for i in (0, 1))


def test_suffice(scene_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    value = printed(capsys, "suffice", str(scene_path), "What is in the picture?", "--json")
    least = loads(Sufficient, json.dumps(value))
    assert least.flipped == bool(least.latents)
    assert least.side == "comprehensiveness"
    assert least.after != least.before
    kept = printed(capsys, "suffice", str(scene_path), "What is in the picture?", "--keep", "--json")
    assert (kept["side"], kept["after"]) == ("sufficiency", kept["before"])


def test_ablate(scene_path: Path, analyzed: tuple[dict, Path], capsys: pytest.CaptureFixture[str]) -> None:
    latents = ",".join(str(latent["id"]) for latent in analyzed[0]["suggested"]["latents"])
    value = printed(capsys, "ablate", str(scene_path), "What is in the picture?", "--latents", latents, "--json")
    test = loads(Test, json.dumps(value))
    assert test.comparison.before.text == analyzed[0]["run"]["answer"]
    assert test.comparison.changed == (test.comparison.before.text != test.comparison.after.text)
    assert len(test.comparison.delta_logprob) == len(test.comparison.before.ids)
    assert test.verdict.kind in test.verdict.sentence or test.verdict.checks


def test_effects_and_diagnosis_are_records(scene_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verified = loads(Verified, json.dumps(printed(capsys, "effects", str(scene_path), "What is in the picture?", "--top", "4", "--json")))
    assert len(verified.effects) == 4
    said = printed(capsys, "diagnose", str(scene_path), "What is in the picture?", "--expected", "a", "--json")
    assert loads(Diagnosis, json.dumps(said)).mode == "none"


def test_compare_is_two_analyses_and_what_they_share(bench: Workbench, scene_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked, other = (str(scene_path), "What is in the picture?"), ("--other-prompt", "What is the background?")
    both = loads(SideBySide, json.dumps(printed(capsys, "compare", *asked, *other, "--json")))
    assert both.left.run.answer == bench.analyze(*asked).run.answer
    assert both.right.run.answer == bench.analyze(asked[0], other[1]).run.answer
    assert (both.matched.by, both.matched) == ("latent", matched(both.left, both.right))
    assert main(["compare", *asked, "--other-sae", str(DEFAULT_SAE.parent / "emoji-middle")]) == 0
    said = capsys.readouterr().out
    assert "read by emoji-last at vision.5" in said
    assert "read by emoji-middle at vision.3" in said
    assert "claimed names are matched" in said


def test_layers_and_heads_of_attention_are_chosen(bench: Workbench, scene_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = str(scene_path), "What is in the picture?"
    value = printed(capsys, "analyze", *asked, "--attention-layers", "0,3-5", "--attention-heads", "1,4-5", "--json")
    chosen = loads(Analysis, json.dumps(value))
    assert (chosen.question.settings.attention_layers, chosen.question.settings.attention_heads) == ((0, 3, 4, 5), (1, 4, 5))
    same = bench.analyze(*asked, attention_layers=(0, 3, 4, 5), attention_heads=(1, 4, 5))
    assert np.allclose(chosen.weights.values, same.weights.values, atol=1e-5)
    for layers, heads in ((None, (1, 4, 5)), ((0, 3, 4, 5), None)):
        other = bench.analyze(*asked, attention_layers=layers, attention_heads=heads)
        assert np.abs(other.weights.values - same.weights.values).max() > 1e-3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("analyze", "nowhere.png", "hi"), "There is no file"),
        (("analyze", "SCENE", ""), "No prompt"),
        (("analyze", "SCENE", "hi", "--model", "no-such-folder"), "no model folder"),
        (("analyze", "SCENE", "hi", "--sae", "no-such-folder"), "not an SAE folder"),
        (("analyze", "SCENE", "hi", "--max-new-tokens", "0"), "greater than or equal to 1"),
        (("analyze", "SCENE", "hi", "--attention-layers", "x"), "numbers or ranges"),
        (("analyze", "SCENE", "hi", "--attention-layers", "99"), "expected one or more of 0 to"),
        (("analyze", "SCENE", "hi", "--attention-heads", "0-5000"), "--attention-heads was '0-5000'"),
        (("analyze", "SCENE", "hi", "--attention-heads", "8"), "expected one or more of 0 to 7"),
        (("ablate", "SCENE", "hi", "--latents", "1", "--scale", "1e9"), "can't be used"),
        (("ablate", "SCENE", "hi", "--latents", "1", "--temperature", "0"), "greater than 0"),
        (("suffice", "SCENE", "hi", "--keep", "--target", "yes"), "one of the two"),
        (("ablate", "SCENE", "hi", "--latents", "1,x"), "separated by commas"),
        (("ablate", "SCENE", "hi", "--latents", "123456"), "has latents 0 to"),
        (("ablate", "SCENE", "hi", "--cluster", "999"), "heatmap has clusters"),
        (("compare", "SCENE", "hi"), "Nothing was given to compare with"),
        (("compare", "SCENE", "hi", "--other-image", "nowhere.png"), "There is no file"),
        (("compare", "SCENE", "hi", "--other-prompt", "hi", "--other-image", "SCENE"), "is the same question"),
        (("compare", "SCENE", "hi", "--other-sae", "no-such-folder"), "not an SAE folder"),
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
    (said,) = sentences(done.stderr)
    assert "There is no file" in said


def test_demo_scene(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    value = printed(capsys, "demo", "scene", "--seed", "100000007", "--out", str(tmp_path / "s.png"), "--json")
    assert value["seed"] == 100_000_007
    assert {"seed", "background", "objects", "questions"} <= set(value)
    assert set(value["objects"][0]) >= {"name", "category", "box"}
    assert set(value["questions"][0]) == {"text", "answer", "type"}
    assert (tmp_path / "s.png").is_file()


def test_help_is_quick_because_nothing_heavy_is_imported() -> None:
    code = "import sys; from scratchpad.cli import _parser; _parser(); assert not {'torch', 'gradio', 'sae_lens'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("command", ["analyze", "ablate", "effects", "suffice", "diagnose", "compare"])
def test_a_wrong_path_is_said_before_anything_heavy_is_imported(command: str) -> None:
    more = {"ablate": ["--latents", "1"], "diagnose": ["--expected", "x"], "compare": ["--other-prompt", "x"]}.get(command, [])
    code = (
        "import sys; from scratchpad.cli import main; "
        "assert main(sys.argv[1:]) == 2; assert not {'torch', 'transformers', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, command, "nowhere.png", "hi", *more], check=True)


def test_analyze_does_not_import_sae_lens() -> None:
    code = "import sys; import scratchpad.workbench, scratchpad.draw.files; assert 'sae_lens' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_inspect_proves_the_demos_geometry(scene_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = printed(capsys, "inspect", str(DEFAULT_MODEL), "--image", str(scene_path), "--check", "--json")
    assert told["family"] == "LLaVA"
    assert (told["vision_layers"], told["width"], told["read_layer"]) == (7, 192, 5)
    assert (told["rows"], told["cols"], told["image_tokens"]) == (14, 14, 196)
    assert told["tiles"] == [{"box": [0, 0, 224, 224], "rows": 14, "cols": 14}]
    assert [point["at"] for point in told["hook_points"]][:7] == [*(f"vision.{i}" for i in range(6)), "projector"]
    assert told["memory_bytes"] > 25_000_000
    assert told["check"] == {"holds": True, "tokens": 196, "of": 196, "wrong": []}


def test_inspect_refuses_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "nowhere/at/all"]) == 2
    assert len(sentences(capsys.readouterr().err)) == 1
