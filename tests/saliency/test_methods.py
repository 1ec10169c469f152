"""Each method against another way to the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from scratchpad.saliency import methods
from scratchpad.saliency.look import Look, look
from scratchpad.saliency.request import SaliencyRequest
from scratchpad.vlm.attention import instead
from scratchpad.vlm.forcing import force
from scratchpad.vlm.logprobs import answered
from scratchpad.vlm.prepare import prepare
from scratchpad.vlm.states import embedding_gradients, rolled_out
from scratchpad.workbench import Workbench


@pytest.fixture(scope="module")
def seen(bench: Workbench, scene_image: Image.Image) -> Look:
    cells = tuple((y, x, y + 112, x + 112) for y in (0, 112) for x in (0, 112))
    row, col = np.divmod(np.arange(196), 14)
    request = SaliencyRequest(scene_image, "how many things are there", "things", cells, row // 7 * 2 + col // 7)
    return look(bench.vlm, request, bench.sae.at, bench.sae)


def eager(seen: Look, gradient: bool) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """The model's own attention, and its gradient, by autograd."""
    vlm, ids = seen.vlm, seen.run.answer_ids
    inputs = answered(vlm, seen.prepared.inputs, seen.prepared.length, ids)
    table = vlm.model.get_input_embeddings()
    handle = table.register_forward_hook(lambda m, a, out: out.detach().requires_grad_())
    try:
        with instead(vlm.model, "eager"), torch.enable_grad():
            out = vlm.model(**inputs, use_cache=False, output_attentions=True, logits_to_keep=len(ids))
            answer = out.logits[0].log_softmax(-1).gather(-1, torch.tensor(ids)[:, None]).sum()
            slopes = torch.autograd.grad(answer, out.attentions) if gradient else ()
    finally:
        handle.remove()
    return [a[0].detach() for a in out.attentions], [g[0] for g in slopes]


def test_tokens_that_say_the_word_are_looked_from(seen: Look) -> None:
    assert [seen.run.tokens[i].text.strip() for i in seen.tokens] == ["things"]


def test_rollout_is_the_product_of_eager_attentions(seen: Look) -> None:
    attentions, _ = eager(seen, gradient=False)
    product = torch.eye(attentions[0].shape[-1])
    for a in attentions:
        product = (0.5 * a.mean(0) + 0.5 * torch.eye(len(product))) @ product
    found = rolled_out(seen.vlm, seen.prepared, seen.run.answer_ids, seen.rows, weighted=False)
    np.testing.assert_allclose(found, product[seen.rows].numpy(), atol=1e-5)


def test_relevancy_is_what_autograd_makes_of_eager_attentions(seen: Look) -> None:
    attentions, slopes = eager(seen, gradient=True)
    relevance = torch.eye(attentions[0].shape[-1])
    for a, g in zip(attentions, slopes, strict=True):
        relevance = relevance + (a * g).clamp(min=0).mean(0) @ relevance
    found = rolled_out(seen.vlm, seen.prepared, seen.run.answer_ids, seen.rows, weighted=True)
    np.testing.assert_allclose(found, relevance[seen.rows].numpy(), atol=1e-5)


@pytest.mark.slow
def test_integrated_gradients_add_up(seen: Look) -> None:
    """Their sum is the change of log-probability from the grey picture's tokens to these."""
    given, slope = embedding_gradients(seen.vlm, seen.prepared, seen.run.answer_ids, seen.blank_embeddings, steps=64)
    total = float(((given - seen.blank_embeddings.numpy()) * slope).sum())
    grey = prepare(seen.vlm, Image.new("RGB", seen.request.picture.size, (128, 128, 128)), seen.prepared.prompt)
    here, there = (float(force(seen.vlm, p, seen.run.answer_ids).logprobs.sum()) for p in (seen.prepared, grey))
    assert total == pytest.approx(here - there, rel=0.1, abs=0.1)


def test_occlusion_is_a_real_run(seen: Look) -> None:
    found = methods.occlusion(seen)
    pixels = np.asarray(seen.request.picture).copy()
    mean = pixels.reshape(-1, 3).mean(0).round().astype(np.uint8)
    pixels[:112, 112:] = mean
    painted = prepare(seen.vlm, Image.fromarray(pixels), seen.prepared.prompt)
    here, there = (float(force(seen.vlm, p, seen.run.answer_ids).logprobs.sum()) for p in (seen.prepared, painted))
    assert found[7] == pytest.approx(here - there, abs=1e-4)  # token 7 is in the first row, right half


def test_an_unknown_method_lists_those_there_are() -> None:
    with pytest.raises(ValueError, match="expected some of attention"):
        methods.named("attention,magic")
