"""The recipe of the demo VLM: `scratchpad demo train`.

The encoder learns to write image tokens of a fixed code and the reader learns to read it, at the same time in two
processes; then the reader goes on with what the encoder writes (`trainer` has the losses, `symbols` the code).
Matrices of blocks learn by Muon, everything else by AdamW.

Deterministic up to the arithmetic of the machine; resumes from OUT/<stage>.checkpoint after any interruption.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.multiprocessing
from safetensors.torch import load_file
from transformers import LlavaForConditionalGeneration, LlavaProcessor

from scratchpad.demo.batches import stream
from scratchpad.demo.model import build_model, build_processor
from scratchpad.demo.steps import Run, Stage, done
from scratchpad.demo.trainer import Trainer

ENCODER_PARTS = ("model.model.vision_tower.", "model.model.multi_modal_projector.")
READER_PARTS = ("model.model.language_model.layers.", "model.model.language_model.norm.", "hint_")


ENCODER = Stage("encoder", 2400, 16, 0, 3e-3, 0, ENCODER_PARTS)
READER = Stage("reader", 3000, 8, 18, 4e-3, 10_000_000, READER_PARTS)
ANSWERS = Stage("answers", 1000, 8, 14, 3e-3, 20_000_000, READER_PARTS)


def train(out: Path, start: Path | None = None) -> None:
    """Trains from nothing, or from the checkpoints in `out`; leaves a transformers folder in out/model.

    With `start`, a folder that an earlier training left, only the last stage is run, from its weights.
    """
    out.mkdir(parents=True, exist_ok=True)
    threads = max(1, torch.get_num_threads() // 2)
    if start is None:
        apart = torch.multiprocessing.get_context("spawn").Process(target=run_stage, args=(READER, out, threads), daemon=False)
        apart.start()
        run_stage(ENCODER, out, threads)
        apart.join()
        if apart.exitcode:
            raise RuntimeError(f"the reader's process ended with exit code {apart.exitcode}; {out / 'log.jsonl'} shows how far it came")
    run_stage(ANSWERS, out, 2 * threads, start=start)
    trainer, processor = untrained()
    trainer.load_state_dict(load_file(done(out, ANSWERS)))
    export(trainer.model, processor, out / "model")


def untrained() -> tuple[Trainer, LlavaProcessor]:
    """The demo VLM as it begins, with its throw-away heads, and its processor."""
    processor = build_processor()
    return Trainer(build_model(processor), processor), processor


def export(model: LlavaForConditionalGeneration, processor: LlavaProcessor, folder: Path) -> None:
    """Writes model and processor as a transformers folder, weights in shards of 15 MB at most."""
    model.save_pretrained(folder, max_shard_size="15MB")
    processor.save_pretrained(folder)


def run_stage(stage: Stage, out: Path, threads: int, every: int = 100, start: Path | None = None) -> None:
    """Trains one stage to its end, from its checkpoint if there is one."""
    if done(out, stage).exists():
        return
    torch.set_num_threads(threads)
    trainer, processor = untrained()
    for block in (*trainer.model.model.vision_tower.encoder.layers, *trainer.model.model.language_model.layers):
        block.compile(dynamic=True)  # a fifth faster; needs a C++ compiler
    if start is not None:
        trainer.model.load_state_dict(LlavaForConditionalGeneration.from_pretrained(start).state_dict())
    elif stage.name == ANSWERS.name:
        for earlier in (ENCODER, READER):
            learnt = {k: v for k, v in load_file(done(out, earlier)).items() if k.startswith(earlier.learns)}
            trainer.load_state_dict(learnt, strict=False)
    for name, parameter in trainer.named_parameters():
        parameter.requires_grad_(name.startswith(stage.learns))
    loss = {"encoder": trainer.encoder_loss, "reader": trainer.reader_loss, "answers": trainer.answer_loss}[stage.name]
    Run(stage, out, trainer, loss, lambda first: stream(processor.tokenizer, stage.size, first, stage.asked, stage.skip)).go(every)
