"""The recipe of the demo's SAEs: `scratchpad demo saes`.

Harvests an early, a middle and the last layer that the language model reads in one pass over training scenes, trains a
TopK SAE on each with SAELens, indexes it on other scenes and judges it on held-out ones.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool
from PIL import Image

from scratchpad.demo.batches import scene_of
from scratchpad.demo.draw import draw_scene
from scratchpad.demo.evaluate import held_out, picture
from scratchpad.demo.labels import LABELS, PATCHWISE, patch_labels
from scratchpad.demo.questions import TYPES, all_questions
from scratchpad.demo.world import HELD_OUT_START, KINDS, SIGN, Scene
from scratchpad.files import write_whole
from scratchpad.records.hookpoint import HookPoint, vision
from scratchpad.sae.build import build_index
from scratchpad.sae.counting import Where
from scratchpad.sae.evaluate import reconstruction_metrics
from scratchpad.sae.harvest import harvest, harvest_with_grids
from scratchpad.sae.index import open_index
from scratchpad.sae.load import Sae, load_sae
from scratchpad.sae.observe import Observed, observed
from scratchpad.sae.train import Recipe, train_sae
from scratchpad.stats import auroc
from scratchpad.vlm.forcing import force
from scratchpad.vlm.load import Vlm, load_vlm
from scratchpad.vlm.prepare import prepare
from scratchpad.vlm.run import generate

LAYERS = {"emoji-early": 1, "emoji-middle": 3, "emoji-last": 5}
RECIPES = dict.fromkeys(LAYERS, Recipe(d_sae=1024, k=8, steps=2400, centred=True))
HARVEST_FROM = 30_000_000  # first training scene whose activations are harvested: none that the encoder was trained on
INDEX_FROM = HELD_OUT_START + 10_000_000
JUDGE_FROM = HELD_OUT_START + 20_000_000
TRUTH = 200  # scenes on which names are held against the truth
Metrics = dict[str, Any]  # of an SAE, as metrics.json has them
CHOSEN, COUNTED, SHOWN = 2000, 4000, 700  # scenes: labels are chosen on the first, counted on the next; thumbnails are of the first SHOWN


def where_of(scene: Scene) -> tuple[Image.Image, Where]:
    """A scene drawn, and every label of every patch."""
    drawn = draw_scene(scene)
    held = patch_labels(scene, drawn)
    return Image.fromarray(drawn.pixels), by_sets(held)


def by_sets(held: Bool[np.ndarray, "p l"]) -> Where:
    """Patches with the same labels share a set; what tells pictures apart, not just patches, is of the whole too."""
    rows = np.ascontiguousarray(np.packbits(held, axis=1))
    _, first, of_patch = np.unique(rows.view(f"V{rows.shape[1]}").ravel(), return_index=True, return_inverse=True)
    sets = tuple(tuple(LABELS[i] for i in np.flatnonzero(held[patch])) for patch in first)
    return Where(of_patch, sets, tuple(LABELS[i] for i in np.flatnonzero(held.any(0)) if LABELS[i] not in PATCHWISE))


def make(model: Path, out: Path, names: list[str], scenes: int = 4000, say: Callable[[str], None] = print) -> None:
    """Trains the named SAEs on one harvest and writes them to out/<name>."""
    vlm = load_vlm(model)
    begun = time.monotonic()
    layers = [LAYERS[name] for name in names]
    activations: dict[HookPoint, list[torch.Tensor]] = {vision(layer): [] for layer in layers}
    for rows in harvest(vlm, (picture(scene_of(HARVEST_FROM + i)) for i in range(scenes)), list(activations), 32):
        for at, x in rows.items():
            activations[at].append(x.half())
    say(f"harvested {scenes} scenes in {time.monotonic() - begun:.0f} s")
    for name, layer in zip(names, layers, strict=True):
        begun = time.monotonic()
        metadata = {
            "model_name": vlm.name,
            "encoder_identity": vlm.encoder_identity,
            "layer": layer,
            "hook_name": f"vision_tower.encoder.layers.{layer}",
            "class_token": False,
            "training_scenes": [HARVEST_FROM, HARVEST_FROM + scenes - 1],
            "training_seed": RECIPES[name].seed,
        }
        train_sae(torch.cat(activations.pop(vision(layer))).float(), RECIPES[name], out / name, metadata)
        say(f"trained {name} in {time.monotonic() - begun:.0f} s")


def index_and_judge(model: Path, out: Path, names: list[str], judged: int = 100, say: Callable[[str], None] = print) -> None:
    """Indexes each SAE and writes its metrics.json."""
    from scratchpad.demo.truth import truth_of  # which asks the workbench about SAEs made here

    vlm = load_vlm(model)
    saes = [load_sae(out / name) for name in names]
    index(vlm, saes, say=say)
    for sae in saes:
        metrics = judge(vlm, sae, judged) | measured(sae) | {"truth": truth_of(vlm, sae.folder, TRUTH)}
        write_whole(sae.folder / "metrics.json", json.dumps(metrics, indent=1))
        say(f"{sae.name}: {json.dumps(metrics)}")


def index(
    vlm: Vlm, saes: list[Sae], chosen: int = CHOSEN, counted: int = COUNTED, shown: int = SHOWN, say: Callable[[str], None] = print
) -> None:
    """Indexes SAEs in one pass over held-out scenes: labels are chosen on the first, and counted on those that follow."""
    begun = time.monotonic()
    waiting: deque[Image.Image] = deque()
    labels: list[set[str]] = []
    where: list[Where] = []

    def drawn() -> Iterator[Image.Image]:
        for scene in held_out(chosen + counted, first=INDEX_FROM):
            shot, there = where_of(scene)
            waiting.append(shot)
            where.append(there)
            labels.append(set(there.whole))
            yield shot

    seen: list[list[Observed]] = [[] for _ in saes]
    for rows, grid in harvest_with_grids(vlm, drawn(), list({sae.at for sae in saes}), 32):
        shot = waiting.popleft()
        for mine, sae in zip(seen, saes, strict=True):
            mine.append(observed(sae, rows[sae.at].numpy(), grid, shot))
    for mine, sae in zip(seen, saes, strict=True):
        build_index(
            sae, mine, labels, where=lambda at, grid: where[at], counts=lambda at: at >= chosen, shown=shown, encoder=vlm.encoder_identity
        )
    say(f"indexed {chosen + counted} scenes in {time.monotonic() - begun:.0f} s")


def measured(sae: Sae) -> Metrics:
    """What the index says of the SAE: of how many scenes it is, and the share of latents that fire on none of them."""
    index = open_index(sae.folder, sae)
    if index is None:
        return {}
    silent = float(np.mean(np.array(index.latents.column("sparsity").to_pylist()) == 0))
    return {"indexed": index.about["pictures"], "counted": index.about["counted"], "silent_on_indexed": round(silent, 4)}


def judge(vlm: Vlm, sae: Sae, scenes: int) -> Metrics:
    """Reconstruction, kinds found and answers kept, on scenes used nowhere else."""
    world = list(held_out(scenes * 5, first=JUDGE_FROM))
    peaks = np.zeros((len(world), sae.d_sae), np.float16)
    activations = []
    for i, rows in enumerate(harvest(vlm, (picture(s) for s in world), [sae.at], 1)):
        x = rows[sae.at].numpy()
        codes = sae.encode(x)
        active = codes.active()
        peaks[i, active] = codes.dense(active).max(0)
        activations.append(x)
    out: Metrics = {k: round(v, 4) for k, v in reconstruction_metrics(sae, activations).items()}
    best = {}
    half = len(world) // 2
    for kind in (*KINDS, SIGN):
        present = np.array([kind in scene for scene in world])
        # the latent is chosen on one half and judged on the other
        latent = int(np.nanargmax(auroc(peaks[:half].astype(np.float32), present[:half])))
        best[kind] = float(auroc(peaks[half:, [latent]].astype(np.float32), present[half:])[0])
    out["kinds_at_0.95"] = round(float(np.mean([v >= 0.95 for v in best.values()])), 4)
    out["kinds_below"] = {k: round(v, 3) for k, v in best.items() if not v >= 0.95}
    out["answers_unchanged"] = answers_unchanged(vlm, sae, world[:scenes])
    out["scenes"] = [JUDGE_FROM, JUDGE_FROM + len(world) - 1]
    return out


def answers_unchanged(vlm: Vlm, sae: Sae, scenes: list[Scene]) -> dict[str, float]:
    """Share of the model's own greedy answers that stay the same with the reconstruction in place of the activations."""
    same = total = 0
    change = 0.0
    for scene in scenes:
        questions = [q for q in all_questions(scene) if q.type in TYPES]
        image = picture(scene)
        prepared = prepare(vlm, image, questions[scene.seed % len(questions)].text)
        ids = generate(vlm, prepared).ids
        x = next(harvest(vlm, [image], [sae.at]))[sae.at].numpy()
        delta = torch.from_numpy(sae.reconstruct(sae.encode(x), x) - x)[None]
        forced = force(vlm, prepared, ids, sae.at, delta)
        change += float(forced.logprobs.sum() - force(vlm, prepared, ids).logprobs.sum())
        same += bool(forced.unchanged[0])
        total += 1
    return {"share": round(same / total, 4), "of": total, "mean_change_of_logprob": round(change / total, 4)}
