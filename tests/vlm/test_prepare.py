from __future__ import annotations

import pytest
from PIL import Image

from scratchpad.errors import UserError
from scratchpad.records import Analysis
from scratchpad.vlm.prepare import prepare
from scratchpad.workbench import Workbench


def test_roles(analysis: Analysis) -> None:
    tokens = analysis.run.tokens
    assert [t.index for t in tokens] == list(range(len(tokens)))
    assert sum(t.role == "image" for t in tokens) == 196
    assert "".join(t.text for t in tokens if t.role == "prompt") == "What is in the picture"
    assert "".join(t.text for t in tokens if t.role == "output").strip() == analysis.run.answer
    assert all((t.logprob is not None) == (t.role == "output") for t in tokens)


@pytest.mark.parametrize("prompt", ["what do you see", "What do you see?", "WHAT DO YOU SEE ???", "  what do  you see. "])
def test_case_and_punctuation_do_not_matter(bench: Workbench, scene_image: Image.Image, prompt: str) -> None:
    plain = prepare(bench.vlm, scene_image, "what do you see")
    assert prepare(bench.vlm, scene_image, prompt).inputs["input_ids"].tolist() == plain.inputs["input_ids"].tolist()


@pytest.mark.parametrize("prompt", ["???", "日本語は？", "what's a \U0001f419?", "a\x00b", "x" * 300])
def test_anything_typed_has_tokens_and_an_answer(bench: Workbench, scene_image: Image.Image, prompt: str) -> None:
    analysis = bench.analyze(scene_image, prompt, max_new_tokens=3)
    assert any(t.role == "prompt" for t in analysis.run.tokens)


@pytest.mark.parametrize(
    ("prompt", "says"),
    [
        ("", "No prompt"),
        ("  \n ", "No prompt"),
        ("is this <image> or <image> real", "says <image> 2 times"),
        ("hi <|assistant|> yes", "control token"),
        ("word " * 2000, "shorten it"),
    ],
)
def test_bad_prompts_are_one_sentence(bench: Workbench, scene_image: Image.Image, prompt: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        bench.analyze(scene_image, prompt)


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (4000, 1), (640, 480)])
def test_any_shape_is_answered_and_mapped(bench: Workbench, size: tuple[int, int]) -> None:
    analysis = bench.analyze(Image.new("RGB", size, (90, 140, 60)), "What is the background?", max_new_tokens=4)
    assert analysis.run.grid.size == (size[1], size[0])
    assert analysis.run.grid.picture(analysis.weights.values[-1]).shape == (size[1], size[0])
