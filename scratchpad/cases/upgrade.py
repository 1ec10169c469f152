"""A case of format 1 as today's records. What that format doesn't say is left empty, never made up."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np
from PIL import Image

from scratchpad.cases import format1, format1_runs
from scratchpad.cases.case import Case
from scratchpad.grid import Grid, Tile, one_to_one
from scratchpad.records import (
    Alternatives,
    Analysis,
    Answer,
    Cluster,
    Codes,
    Comparison,
    Control,
    Edit,
    Fidelity,
    Heatmap,
    LatentEdit,
    Measured,
    ModelRef,
    Named,
    Question,
    Ranked,
    Reference,
    Risen,
    Run,
    SaeRef,
    Scores,
    Settings,
    Sufficient,
    Test,
    Token,
    Toward,
    Trust,
    Verdict,
    Weights,
    picture_of,
)

OLD = "A case of format 1: its control sets weren't distinct, so it bears no verdict; run it again for one."


def upgraded(old: format1.Case, pictures: Sequence[Image.Image]) -> Case:
    """The same case as today's records."""
    return Case(
        format=2,
        title=old.title,
        notes=old.notes,
        analysis=_analysis(old, pictures),
        tests=tuple(_test(run) for run in old.runs),
        references={latent: tuple(_reference(r) for r in detail.references) for latent, detail in old.details.items()},
    )


def _analysis(old: format1.Case, pictures: Sequence[Image.Image]) -> Analysis:
    shown = old.shown
    tiles = tuple(Tile((t.box[0], t.box[1], t.box[2], t.box[3]), t.rows, t.cols, t.image) for t in shown.tiles)
    patches = sum(tile.patches for tile in tiles)
    grid = Grid(tuple((p.height, p.width) for p in pictures), tiles, one_to_one(patches))  # which token a patch is of isn't kept
    values = _floats(shown.codeValues).reshape(patches, -1)
    indices = np.frombuffer(base64.b64decode(shown.codeIndices), "<i4").reshape(patches, -1).astype(np.int32)
    weighted = _floats(shown.scores).reshape(len(shown.rows), len(shown.active))
    tokens = tuple(Token(t.index, None, t.text, t.role, t.logprob) for t in shown.tokens)
    row, column = {t: i for i, t in enumerate(shown.rows)}, {latent: i for i, latent in enumerate(shown.active)}
    heat = shown.heatmap
    raw = weighted[np.ix_([row[t] for t in heat.tokens], [column[i] for i in heat.latents])]
    d_sae = max([int(indices.max(initial=0)) + 1, *(i + 1 for i in shown.active)])
    ranked = [shown.latents[str(i)] for i in shown.active]
    return Analysis(
        model=ModelRef(old.model.name, old.model.identity),
        sae=SaeRef(old.sae.name, old.sae.identity, old.sae.layer, d_sae),
        question=Question(tuple(picture_of(p) for p in pictures), old.prompt, Settings(old.settings.max_new_tokens)),
        run=Run(old.answer, tuple(old.answer_ids), tokens, grid, old.sae.layer),
        codes=Codes(old.sae.name, d_sae, values, indices),
        weights=Weights(tuple(shown.rows), _floats(shown.maps).reshape(len(shown.rows), patches)),
        scores=Scores(tuple(shown.rows), tuple(shown.active), weighted, _floats(shown.means)),
        latents=tuple(sorted((_ranked(latent) for latent in ranked), key=lambda latent: -latent.score)),
        heatmap=Heatmap(
            tuple(heat.tokens),
            tuple(heat.latents),
            raw,
            np.array(heat.values, np.float32).reshape(len(heat.tokens), len(heat.latents)),
            tuple(Cluster(c.id, tuple(c.latents)) for c in heat.clusters),
        ),
        effects=(),
        suggested=None,
        measured=(),
        fidelity=Fidelity(0.0, 0.0, None, None, True, shown.note or ""),
        all_guesses="A case of format 1 names latents after what they tell best on other pictures: every name here is a guess.",
        attention_trust=_trust(shown.trust),
        concept_trust=None,
    )


def _ranked(old: format1.Latent) -> Ranked:
    """A name of format 1 was no claim about its picture: it's a guess."""
    number = f"latent {old.id}"
    guess = "" if old.name == number else old.name
    return Ranked(
        id=old.id,
        name="",
        guess=guess,
        source="format 1" if guess else "",
        precision=None,
        support=None,
        score=old.score,
        mean_score=old.mean_score,
        sparsity=old.sparsity,
        mean_activation=old.mean_activation,
        auroc=old.auroc,
    )


def _trust(old: format1.Trust | None) -> Trust | None:
    if old is None:
        return None
    return Trust("attention", (Measured(old.dataset, old.accuracy, 0.0, 1.0, 0, old.chance),), old.dataset)


def _test(old: format1_runs.Compared) -> Test:
    edit = Edit(tuple(_item(item) for item in old.items), old.keep_error)
    comparison = Comparison(
        edit=edit,
        before=_answer(old.before),
        after=_answer(old.after),
        delta_logprob=tuple(old.delta_logprob.tokens),
        diff=tuple(old.diff),
        alternatives=tuple(Alternatives(tuple(a.before), tuple(a.after)) for a in old.alternatives),
        inactive=tuple(old.inactive),
        risen=tuple(Risen(r.id, r.name, r.before, r.after) for r in old.risen),
        toward=None if old.target is None else Toward(old.target.text, old.target.before, old.target.after),
    )
    control = Control(
        edit=edit,
        sets=(),
        possible=0,
        effects=tuple(dict.fromkeys(old.control.effects)),
        flips=(),
        noise=tuple(old.control.noise.effects),
        noise_flips=(),
        reconstruction=old.control.reconstruction.effect,
        reconstruction_flips=old.control.reconstruction.flipped,
    )
    return Test(comparison, control, Verdict("inconclusive", OLD, ()), None if old.sufficient is None else _sufficient(old.sufficient))


def _sufficient(old: format1_runs.Sufficient) -> Sufficient:
    return Sufficient(
        side="comprehensiveness",
        latents=tuple(Named(latent.id, latent.name) for latent in old.latents),
        target=old.target,
        before=old.before,
        after=old.after,
        flipped=old.flipped,
        minimality="local" if old.minimal else "none",
        tried=old.tried,
        random_flips=old.controls.flipped,
        n_random_sets=old.controls.n,
    )


def _item(old: format1_runs.Item) -> LatentEdit:
    region = None if old.region is None else (old.region[0], old.region[1], old.region[2], old.region[3])
    return LatentEdit(old.latent, old.op, old.value, region, old.image)


def _answer(old: format1_runs.Said) -> Answer:
    return Answer(old.answer, (), tuple(Token(t.index, None, t.text, t.role, t.logprob) for t in old.tokens))


def _reference(old: format1.Reference) -> Reference:
    mask = np.frombuffer(base64.b64decode(old.mask), np.uint8).reshape(old.rows, old.cols)
    return Reference("top", 0.0, old.labels, mask, base64.b64decode(old.src.partition(",")[2]))


def _floats(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f4").astype(np.float32)
