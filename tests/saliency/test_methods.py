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
from scratchpad.vlm.load import Vlm
from scratchpad.vlm.logprobs import answered
from scratchpad.vlm.prepare import Prepared, prepare
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


def test_gradients_are_the_slopes_as_image_tokens_grow(seen: Look) -> None:
    """Embedding times gradient is the slope by a factor on a token, here by a difference, of an unlikely answer: its slopes are steep."""
    prepared = prepare(seen.vlm, seen.request.picture, "what is the background")
    ids = (seen.vlm.processor.tokenizer("octopus", add_special_tokens=False)["input_ids"][0],)
    given, slope = embedding_gradients(seen.vlm, prepared, ids)
    values = (given * slope).sum(-1)
    most = np.argsort(-values)[:30]
    up, down = (scaled(seen.vlm, prepared, most, factor, ids) for factor in (1.05, 0.95))
    assert up - down > 1e-3  # float32 rounds at some 1e-6
    assert float(values[most].sum()) == pytest.approx((up - down) / 0.1, rel=0.05)


def scaled(vlm: Vlm, prepared: Prepared, which: np.ndarray, factor: float, ids: tuple[int, ...]) -> float:
    """An answer's log-probability with some of the image tokens that the language model reads multiplied."""
    where = torch.tensor(prepared.image_positions)[torch.from_numpy(which)]

    def grow(module: torch.nn.Module, args: object, kwargs: dict[str, torch.Tensor]) -> tuple[object, dict[str, torch.Tensor]]:
        x = kwargs["inputs_embeds"].clone()
        x[0, where] *= factor
        return args, kwargs | {"inputs_embeds": x}

    handle = vlm.adapter.language_model.register_forward_pre_hook(grow, with_kwargs=True)
    try:
        return float(force(vlm, prepared, ids).logprobs.sum())
    finally:
        handle.remove()


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
