"""The demo VLM under training: the model, what it throws away afterwards, and the loss of each stage.

Encoder: pictures in, `symbols` out. Reader: the language model answers questions and places hints from symbols, no picture
looked at. Answers: the whole model, pictures in, answers out.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import LlavaForConditionalGeneration, LlavaProcessor
from transformers.models.llama.modeling_llama import rotate_half

from scratchpad.demo.batches import LABELS, Batch
from scratchpad.demo.hints import HINTS, LAST, NAMED, THINGS
from scratchpad.demo.model import SYSTEM
from scratchpad.demo.symbols import LOUDNESS, directions, symbols, waves
from scratchpad.demo.world import WORDS

Loss = tuple[Tensor, dict[str, float]]
PLACE_LAYER, KIND_LAYER = 3, 4  # hidden states from which hints are read: early, so that later blocks can use the answer
LOOK_BLOCK, LOOK_HEADS = 3, (0, 2)  # where two heads are told what to look at: for nearest and for next to the right
FIRST_THING = LABELS.index(THINGS[0])
NOISE = 0.03  # standard deviation of what the reader's symbols are blurred by


class Trainer(nn.Module):
    """The model and the throw-away heads on hints."""

    def __init__(self, model: LlavaForConditionalGeneration, processor: LlavaProcessor):
        super().__init__()
        self.model = model
        width = model.config.get_text_config().hidden_size
        self.hint_place = nn.Linear(width, 15)
        self.hint_kind = nn.Linear(width, 2 * (LAST + 1))
        tokens = processor.tokenizer
        self.label_ids = [tokens(name, add_special_tokens=False)["input_ids"][0] for name in LABELS]
        start = [tokens.bos_token_id, *tokens(SYSTEM, add_special_tokens=False)["input_ids"]]
        self.start = [*start, tokens.convert_tokens_to_ids("<|user|>")]

    @property
    def names(self) -> Float[Tensor, "l c"]:
        """The embeddings of the labels."""
        table: Any = self.model.get_input_embeddings().weight
        return table[self.label_ids]

    def image_tokens(self, pixels: Float[Tensor, "b 3 y x"]) -> Float[Tensor, "b v c"]:
        """What the language model reads: as LlavaModel.get_image_features, without the blocks above the layer read."""
        model: Any = self.model
        tower = model.model.vision_tower
        x = tower.pre_layrnorm(tower.embeddings(pixels))
        for block in tower.encoder.layers[: model.config.vision_feature_layer + 1]:
            x = block(x, attention_mask=None)
        return model.model.multi_modal_projector(x[:, 1:])

    def encoder_loss(self, batch: Batch) -> Loss:
        return self.writing_loss(batch, self.image_tokens(batch.pixels).float())

    def writing_loss(self, batch: Batch, seen: Float[Tensor, "b v c"]) -> Loss:
        logits = (F.rms_norm(seen, seen.shape[-1:]) @ self.names.T).float()
        weigh = 1 + 4 * batch.thing.float()  # things fill a fifth of the patches, and are what is asked about
        weigh = weigh / weigh.sum()
        naming = F.cross_entropy(logits.flatten(0, 1), batch.labels.flatten(0, 1), reduction="none")
        naming = (naming * weigh.flatten()).sum()
        meant = symbols(batch.labels, batch.place, batch.thing, self.names)
        away = (seen - meant).square().sum(-1)
        placing = ((seen - meant) @ directions(seen.shape[-1]).T / LOUDNESS).square().sum(-1)
        writing = ((away + placing / 8) * weigh).sum()
        reading, read = self._reading(logits, batch)
        right = batch.labels.gather(-1, logits.argmax(-1, keepdim=True))[..., 0] > 0
        return naming + 2 * writing + 0.3 * reading, {
            "naming": naming.item(),
            "writing": writing.item(),
            "placing": (placing * weigh).sum().item(),
            "right": right.float().mean().item(),
            "right_on_things": right[batch.thing].float().mean().item(),
            "read": read,
        }

    def _reading(self, logits: Float[Tensor, "b v l"], batch: Batch) -> tuple[Tensor, float]:
        """Which word a sign's patches say, among words alone: letters are too small a part of naming to be learned from it."""
        words = slice(len(LABELS) - len(WORDS), None)
        signs = batch.labels[..., words].sum(-1) > 0
        if not signs.any():
            return torch.zeros(()), 1.0
        said, true = logits[signs][:, words], batch.labels[signs][:, words].argmax(-1)
        return F.cross_entropy(said, true), (said.argmax(-1) == true).float().mean().item()

    def reader_loss(self, batch: Batch) -> Loss:
        """Three times of four on a third of the patches, things first: image tokens are most of the cost, and background says little."""
        meant = symbols(batch.labels, batch.place, batch.thing, self.names)
        meant = meant + NOISE * torch.randn_like(meant)
        share = 1.0 if torch.rand(()) < 0.25 else 0.33
        kept = (batch.thing.float() + torch.rand(batch.thing.shape)).topk(int(share * meant.shape[1]), 1).indices.sort(1).values
        return self.text_loss(batch, meant.gather(1, kept[..., None].expand(-1, -1, meant.shape[-1])), kept)

    def answer_loss(self, batch: Batch) -> Loss:
        seen = self.image_tokens(batch.pixels)
        answering, answered = self.text_loss(batch, seen, None)
        writing, written = self.writing_loss(batch, seen.float())
        return answering + 0.3 * writing, answered | {"right_on_things": written["right_on_things"], "placing": written["placing"]}

    def text_loss(self, batch: Batch, seen: Float[Tensor, "b v c"], kept: Int[Tensor, "b v"] | None) -> Loss:
        states, position = self.read(batch, seen, kept)
        looking = self._looking(states[LOOK_BLOCK], position, batch, kept)
        first = states[0].shape[1] - batch.hint_ids.shape[1] - batch.ids.shape[1]
        states = [state[:, first:] for state in states]
        h = batch.hint_ids.shape[1]
        logits = self.model.lm_head(states[-1][:, h:]).float()
        loss = F.cross_entropy(logits.flatten(0, 1), batch.targets.flatten())
        placing, found = self._placing(states[PLACE_LAYER][:, :h], batch)
        kinds, named = self._kinds(states[KIND_LAYER][:, :h], batch)
        hit = [answer for row in exact(logits, batch) for answer in row]
        return loss + placing + 2 * kinds + looking, {"loss": loss.item(), "exact": sum(hit) / max(1, len(hit)), "found": found} | named

    def answer_logits(self, batch: Batch, seen: Float[Tensor, "b v c"]) -> Float[Tensor, "b q vocabulary"]:
        """Logits at the packed positions."""
        states, _ = self.read(batch, seen, None)
        return self.model.lm_head(states[-1][:, -batch.ids.shape[1] :])

    def read(
        self, batch: Batch, seen: Float[Tensor, "b v c"], kept: Int[Tensor, "b v"] | None
    ) -> tuple[list[Float[Tensor, "b s c"]], Tensor]:
        """What every block takes in and, last, the normed output; and positions. After the prefix stand hints, then questions."""
        b, h = batch.hint_ids.shape
        embed = self.model.get_input_embeddings()
        start = embed(torch.tensor(self.start)).expand(b, -1, -1)
        text = torch.cat([batch.hint_ids, batch.ids], 1)
        x = torch.cat([start, seen.to(start.dtype), embed(text)], 1)
        first, prefix = start.shape[1], x.shape[1] - text.shape[1]
        patches = self.model.config.image_seq_length
        where = torch.arange(patches).expand(b, -1) if kept is None else kept
        offset = torch.cat([torch.randint(0, 8, (b, h)), batch.offset], 1)  # a hint stands where its word might in a question
        position = torch.cat([torch.arange(first).expand(b, -1), first + where, first + patches + offset], 1)
        segment = torch.cat([1000 + torch.arange(h).expand(b, -1), batch.segment], 1)
        reader: Any = self.model.model.language_model
        states = reader(
            inputs_embeds=x, attention_mask=packed_mask(segment, prefix), position_ids=position, use_cache=False, output_hidden_states=True
        ).hidden_states
        return list(states), position

    def _looking(self, x: Float[Tensor, "b s c"], position: Tensor, batch: Batch, kept: Int[Tensor, "b v"] | None) -> Tensor:
        """How little one head of LOOK_BLOCK looks, from a name, at the nearest thing, and another at the next to the right."""
        reader: Any = self.model.model.language_model
        block = reader.layers[LOOK_BLOCK]
        labels = batch.labels if kept is None else batch.labels.gather(1, kept[..., None].expand(-1, -1, batch.labels.shape[-1]))
        h, v = batch.hint_ids.shape[1], labels.shape[1]
        texts = h + batch.ids.shape[1]
        normed, (cos, sin) = block.input_layernorm(x), reader.rotary_emb(x, position)
        total = torch.zeros(())
        size, groups = block.self_attn.head_dim, block.self_attn.num_key_value_groups
        for relation, head in enumerate(LOOK_HEADS):
            rows, columns = slice(-texts, -texts + NAMED), slice(-texts - v, -texts)
            q = block.self_attn.q_proj(normed[:, rows])[..., head * size : (head + 1) * size]
            k = block.self_attn.k_proj(normed[:, columns])[..., head // groups * size : (head // groups + 1) * size]
            q = q * cos[:, rows] + rotate_half(q) * sin[:, rows]
            k = k * cos[:, columns] + rotate_half(k) * sin[:, columns]
            attention = ((q @ k.mT).float() * size**-0.5).softmax(-1)
            kind = batch.hint_kind[:, :NAMED, relation]
            asked = (kind >= 0) & (kind < LAST)
            column = (FIRST_THING + kind.clamp(0, LAST - 1))[:, None].expand(-1, v, -1)
            there = (labels.gather(2, column) > 0).mT.float()
            total = total - (((attention * there).sum(-1) + 1e-4).log() * asked).sum() / asked.sum().clamp(min=1)
        return total

    def _placing(self, state: Float[Tensor, "b h c"], batch: Batch) -> tuple[Tensor, float]:
        """Whether a hint's thing is there, and where its centre lies."""
        norm: Any = self.model.model.language_model.norm
        said = self.hint_place(norm(state)).float()
        there = batch.hint_place[..., 0]
        off = (said[..., 1:] - waves(batch.hint_place[..., 1:])).square().sum(-1)
        loss = F.binary_cross_entropy_with_logits(said[..., 0], there) + (off * there).sum() / there.sum()
        return loss, ((said[..., 0] > 0) == (there > 0)).float().mean().item()

    def _kinds(self, state: Float[Tensor, "b h c"], batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Which thing is nearest or outermost, and which comes next to the right."""
        norm: Any = self.model.model.language_model.norm
        said = self.hint_kind(norm(state)).float().unflatten(-1, (2, LAST + 1))
        loss = F.cross_entropy(said.flatten(0, 2), batch.hint_kind.flatten())
        right, asked = said.argmax(-1) == batch.hint_kind, batch.hint_kind >= 0
        parts = {"nearest": (slice(0, NAMED), 0), "after": (slice(0, NAMED), 1), "outermost": (slice(NAMED, HINTS), 0)}
        return loss, {k: right[:, rows, i][asked[:, rows, i]].float().mean().item() for k, (rows, i) in parts.items()}


def packed_mask(segment: Tensor, prefix: int) -> Float[Tensor, "b 1 s s"]:
    """Additive mask: causal, and a packed token sees the prefix and its own question."""
    b, q = segment.shape
    group = torch.cat([torch.full((b, prefix), -2), segment], 1)
    see = (group[:, :, None] == group[:, None, :]) | (group[:, None, :] == -2)
    see = see.tril()
    mask = torch.zeros(b, 1, prefix + q, prefix + q, dtype=torch.bfloat16 if torch.is_autocast_enabled("cpu") else torch.float32)
    return mask.masked_fill_(~see[:, None], torch.finfo(mask.dtype).min)


def exact(logits: Float[Tensor, "b q vocabulary"], batch: Batch) -> list[list[bool]]:
    """Per scene and question: whether greedy decoding gives the answer exactly.

    Greedy decoding equals the reference if and only if the teacher-forced argmax equals it at every answer position.
    """
    wrong = (logits.argmax(-1) != batch.targets) & (batch.targets >= 0)
    return [[not bool(wrong[i, batch.segment[i] == n].any()) for n in range(int(batch.segment[i].max()) + 1)] for i in range(len(wrong))]
