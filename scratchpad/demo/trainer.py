"""The demo VLM under training: the model, what it throws away afterwards, and the loss of each stage.

Encoder: pictures in, `symbols` out. Reader: the language model answers questions and places hints from symbols, no picture
looked at. Answers: the language model answers from what the encoder writes of pictures, which stays as it is.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from transformers import LlavaForConditionalGeneration, LlavaProcessor

from scratchpad.demo.batches import LABELS, Batch, drill
from scratchpad.demo.hints import COUNT_FROM, HINTS, MEANT, NAMED, READ_FROM
from scratchpad.demo.looks import looking
from scratchpad.demo.model import SYSTEM
from scratchpad.demo.steps import Loss
from scratchpad.demo.symbols import LOUDNESS, directions, ripples, symbols, waves
from scratchpad.demo.world import TRAINING_SEEDS, WORDS

PLACE_LAYER, KIND_LAYER = 3, 4  # hidden states from which hints are read: early, so that later blocks can use the answer
DRILLS = 80  # scenes beside a step's own
NOISE = 0.03  # standard deviation of what the reader's symbols are blurred by


class Trainer(nn.Module):
    """The model and the throw-away heads on hints."""

    def __init__(self, model: LlavaForConditionalGeneration, processor: LlavaProcessor):
        super().__init__()
        self.model = model
        width = model.config.get_text_config().hidden_size
        self.hint_place = nn.Linear(width, 19)
        self.hint_kind = nn.Linear(width, 2 * len(MEANT))
        self.tokens = tokens = processor.tokenizer
        self.label_ids = [tokens(name, add_special_tokens=False)["input_ids"][0] for name in LABELS]
        start = [tokens.bos_token_id, *tokens(SYSTEM, add_special_tokens=False)["input_ids"]]
        self.start = [*start, tokens.convert_tokens_to_ids("<|user|>")]

    @property
    def names(self) -> Float[Tensor, "l c"]:
        """The embeddings of the labels."""
        table: Any = self.model.get_input_embeddings().weight
        rows: torch.Tensor = table[self.label_ids]
        return rows

    def image_tokens(self, pixels: Float[Tensor, "b 3 y x"]) -> Float[Tensor, "b v c"]:
        """What the language model reads: as LlavaModel.get_image_features, without the blocks above the layer read."""
        model: Any = self.model
        tower = model.model.vision_tower
        x = tower.pre_layrnorm(tower.embeddings(pixels))
        for block in tower.encoder.layers[: model.config.vision_feature_layer + 1]:
            x = block(x, attention_mask=None)
        projected: torch.Tensor = model.model.multi_modal_projector(x[:, 1:])
        return projected

    def encoder_loss(self, batch: Batch) -> Loss:
        """How far what the encoder writes is from `symbols`: names of patches, the code itself, words on signs."""
        seen = self.image_tokens(batch.pixels).float()
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
        return naming + 2 * writing + reading, {
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
        """Answers and hints from blurred `symbols`, no picture looked at, with drills."""
        meant = symbols(batch.labels, batch.place, batch.thing, self.names)
        meant = meant + NOISE * torch.randn_like(meant)
        return self._with_drills(*self.text_loss(batch, meant))

    def answer_loss(self, batch: Batch) -> Loss:
        """Answers and hints from what the encoder, which learns nothing of it, writes of pictures, with drills."""
        with torch.no_grad():
            seen = self.image_tokens(batch.pixels)
        return self._with_drills(*self.text_loss(batch, seen))

    def _with_drills(self, loss: Tensor, numbers: dict[str, float]) -> Loss:
        drills = drill(int(torch.randint(0, len(TRAINING_SEEDS), ())), DRILLS, self.tokens)
        meant = symbols(drills.labels, drills.place, drills.thing, self.names)
        drilling, drilled = self.text_loss(drills, meant + NOISE * torch.randn_like(meant))
        return loss + drilling, numbers | {f"drilled_{k}": v for k, v in drilled.items()}

    def text_loss(self, batch: Batch, seen: Float[Tensor, "b v c"]) -> Loss:
        """Cross entropy of the answers' tokens plus what hints say wrongly, given image tokens; `exact` is the share of right answers."""
        states, position = self.read(batch, seen)
        logits = self.model.lm_head(states[-1][:, -batch.ids.shape[1] :]).float()
        loss = F.cross_entropy(logits.flatten(0, 1), batch.targets.flatten())
        hit = [answer for row in exact(logits, batch) for answer in row]
        hinting, hinted = self._hinting(states, position, batch)
        return loss + hinting, {"loss": loss.item(), "exact": sum(hit) / max(1, len(hit))} | hinted

    def _hinting(self, states: list[Float[Tensor, "b s c"]], position: Tensor, batch: Batch) -> Loss:
        """What hints say wrongly."""
        h, texts = batch.hint_ids.shape[1], batch.hint_ids.shape[1] + batch.ids.shape[1]
        first = states[0].shape[1] - texts
        looks = looking(self.model.model.language_model, states, position, batch)
        placing, placed = self._placing(states[PLACE_LAYER][:, first : first + h], batch)
        kinds, named = self._kinds(states[KIND_LAYER][:, first : first + h], batch)
        numbers = {"found": placed} | {f"look_{what}": look.item() for what, look in looks.items()}
        return placing + 2 * kinds + sum(looks.values()), numbers | named

    def answer_logits(self, batch: Batch, seen: Float[Tensor, "b v c"]) -> Float[Tensor, "b q vocabulary"]:
        """Logits at the packed positions."""
        states, _ = self.read(batch, seen)
        logits: torch.Tensor = self.model.lm_head(states[-1][:, -batch.ids.shape[1] :])
        return logits

    def read(self, batch: Batch, seen: Float[Tensor, "b v c"]) -> tuple[list[Float[Tensor, "b s c"]], Tensor]:
        """What every block takes in and, last, the normed output; and positions. After the prefix stand hints, then questions."""
        b, h = batch.hint_ids.shape
        embed = self.model.get_input_embeddings()
        start = embed(torch.tensor(self.start)).expand(b, -1, -1)
        text = torch.cat([batch.hint_ids, batch.ids], 1)
        x = torch.cat([start, seen.to(start.dtype), embed(text)], 1)
        first, prefix = start.shape[1], x.shape[1] - text.shape[1]
        patches = self.model.config.image_seq_length
        offset = torch.cat([torch.randint(0, 8, (b, h)), batch.offset], 1)  # a hint stands where its word might in a question
        position = torch.cat([torch.arange(first).expand(b, -1), first + batch.where, first + patches + offset], 1)
        segment = torch.cat([1000 + torch.arange(h).expand(b, -1), batch.segment], 1)
        reader: Any = self.model.model.language_model
        states = reader(
            inputs_embeds=x, attention_mask=packed_mask(segment, prefix), position_ids=position, use_cache=False, output_hidden_states=True
        ).hidden_states
        return list(states), position

    def _placing(self, state: Float[Tensor, "b h c"], batch: Batch) -> tuple[Tensor, float]:
        """Whether a hint's thing is there, and where its centre lies."""
        norm: Any = self.model.model.language_model.norm
        said = self.hint_place(norm(state)).float()
        there = batch.hint_place[..., 0]
        place = batch.hint_place[..., 1:]
        off = (said[..., 1:] - torch.cat([waves(place), ripples(place)], -1)).square().sum(-1)
        loss = F.binary_cross_entropy_with_logits(said[..., 0], there) + (off * there).sum() / there.sum()
        return loss, ((said[..., 0] > 0) == (there > 0)).float().mean().item()

    def _kinds(self, state: Float[Tensor, "b h c"], batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """What is nearest, outermost, written or counted, and what comes next to the right."""
        norm: Any = self.model.model.language_model.norm
        said = self.hint_kind(norm(state)).float().unflatten(-1, (2, len(MEANT)))
        loss = F.cross_entropy(said.flatten(0, 2), batch.hint_kind.flatten())
        right, asked = said.argmax(-1) == batch.hint_kind, batch.hint_kind >= 0
        parts = {"nearest": (slice(0, NAMED), 0), "after": (slice(0, NAMED), 1), "outermost": (slice(NAMED, READ_FROM), 0)}
        if batch.hint_ids.shape[1] == HINTS:
            parts |= {"written": (slice(READ_FROM, COUNT_FROM), 0), "counted": (slice(COUNT_FROM, HINTS), 0)}
        else:
            del parts["outermost"]
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
