"""A name is a claim on counts: of held-out pictures near the activation, in an index of this very SAE."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from scratchpad.errors import UserError
from scratchpad.grid import single_tile
from scratchpad.records import Codes
from scratchpad.records.hookpoint import vision
from scratchpad.sae.build import build_index
from scratchpad.sae.claims import CANDIDATES, Counts, pack
from scratchpad.sae.counting import Where
from scratchpad.sae.index import Index, open_index
from scratchpad.sae.load import Sae
from scratchpad.sae.names import Name, add_names, rename
from scratchpad.sae.observe import Observed
from scratchpad.sae.pictures import Pictures, set_aside
from scratchpad.stats import wilson

PATCHES, LATENTS = 4, 6


def counts(activations: list[float], present: list[bool], base: float = 0.05) -> Counts:
    """One latent with one label."""
    candidates = np.full((1, CANDIDATES), -1)
    candidates[0, 0] = 0
    order = np.argsort(activations)
    bits = pack(np.array(present)[order][:, None])
    return Counts(("frog",), np.array([base]), candidates, np.array([0, len(activations)]), np.array(activations, np.float32)[order], bits)


def test_wilsons_bounds_solve_their_equation() -> None:
    low, high = wilson([24, 25, 0, 3, 92], [25, 25, 25, 25, 100])
    for k, n, bounds in zip([24, 25, 0, 3, 92], [25, 25, 25, 25, 100], zip(low, high, strict=True), strict=True):
        for p in bounds:
            if 0 < p < 1:
                assert abs(k / n - p) == pytest.approx(1.959964 * np.sqrt(p * (1 - p) / n), abs=1e-6)
        assert bounds[0] <= k / n <= bounds[1]
    assert low[0] == pytest.approx(0.8046, abs=1e-4)
    assert (low[2], high[1]) == (0, 1)
    assert tuple(float(x) for x in wilson(0, 0)) == (0, 1)
    with pytest.raises(ValueError, match="hits"):
        wilson(3, 2)
    with pytest.raises(ValueError, match="hits"):
        wilson(-1, 2)


def test_wilsons_interval_covers() -> None:
    """On average over shares, as a score interval does: at single shares of few trials it may miss by a few percent."""
    rng = np.random.default_rng(0)
    for n in (25, 100):
        share = rng.random(50_000)
        low, high = wilson(rng.binomial(n, share), n)
        assert 0.94 <= np.mean((low <= share) & (share <= high)) <= 0.97


def test_a_name_holds_at_the_activation_where_it_was_counted() -> None:
    strong, weak = np.linspace(4, 6, 100), np.linspace(0.5, 1, 100)
    known = counts([*strong, *weak], [True] * 100 + [i % 4 == 0 for i in range(100)])
    at_strong, at_weak = known.claims([0, 0], [5.0, 0.7], ["", ""])
    assert (at_strong.name, at_strong.hits, at_strong.support, at_strong.precision) == ("frog", 50, 50, 1.0)
    assert at_strong.says == "frog, 50 of 50 pictures where it fires this strongly"
    assert (at_weak.name, at_weak.guess, at_weak.support) == ("", "frog", 50)
    assert at_weak.precision == pytest.approx(0.25, abs=0.03)
    assert at_weak.says.startswith("frog? 1")


def test_the_pictures_counted_are_those_nearest_by_activation() -> None:
    rng = np.random.default_rng(1)
    values, present = rng.lognormal(0, 1, 300), rng.random(300) < 0.6
    known = counts(values.tolist(), present.tolist())
    for activation in (0.3, 1.0, 4.0):
        nearest = np.argsort(np.abs(np.log(values.astype(np.float32) / activation)), kind="stable")[:75]
        hits, support = known.near(0, activation)
        assert support == 75
        assert hits[0] == present[nearest].sum()


@pytest.mark.parametrize(
    ("hits", "of", "base", "claimed"),
    [
        (24, 25, 0.05, True),
        (23, 25, 0.05, False),
        (24, 24, 0.05, False),  # too few
        (25, 25, 0.7, True),
        (25, 25, 0.75, False),  # 0.867 is no more than half of the way from what it is anyway to 1
        (25, 25, 1.0, False),
    ],
)
def test_the_bar(hits: int, of: int, base: float, claimed: bool) -> None:
    known = counts(np.linspace(1, 1.1, of).tolist(), [i < hits for i in range(of)], base)
    (claim,) = known.claims([0], [1.05], ["frog"])
    assert bool(claim.name) is claimed
    assert claim.guess == "frog"
    assert claim.support == (of if of >= 25 else 0)


@pytest.mark.parametrize("activation", [0.1, 30.0, 0.0, -1.0, float("nan")])
def test_an_activation_that_was_never_counted_is_a_guess(activation: float) -> None:
    known = counts(np.linspace(1, 2, 60).tolist(), [True] * 60)
    (claim,) = known.claims([0], [activation], ["toad"])
    assert (claim.name, claim.guess, claim.support, claim.precision) == ("", "toad", 0, None)
    assert known.claims([7, -1], [1.5, 1.5], ["", ""])[0].name == ""


# a made-up world: latent 0 fires on "frog" patches, strongly; latent 1 on anything; latent 2 on half of the frogs, weakly


def world(count: int, seed: int) -> tuple[list[Observed], list[set[str]], list[Where]]:
    rng, grid = np.random.default_rng(seed), single_tile((32, 32), (0, 0, 32, 32), 2, 2)
    seen, labels, where = [], [], []
    for _ in range(count):
        frog, at = rng.random() < 0.4, int(rng.integers(PATCHES))
        dense = np.zeros((PATCHES, LATENTS), np.float32)
        dense[:, 1] = rng.random(PATCHES) + 0.1
        if frog:
            dense[at, 0] = 3 + rng.random()
            dense[at, 2] = 0.5 * (rng.random() < 0.5)
        of_patch = np.array([1 if frog and p == at else 0 for p in range(PATCHES)])
        indices = np.tile(np.arange(LATENTS), (PATCHES, 1))
        seen.append(Observed(Codes("made", LATENTS, dense, indices), grid, b"webp", 0.9, np.zeros(3, np.float32)))
        where.append(Where(of_patch, ((), ("frog", "green"))))
        labels.append({"frog", "green"} if frog else {"nothing"})
    return seen, labels, where


def made(folder: Path, where: list[Where] | None = None, count: int = 400, chosen: int = 150) -> Index:
    seen, labels, own = world(count, 0)
    torch.manual_seed(0)
    shape: dict[str, Any] = {
        "W_enc": torch.randn(3, LATENTS),
        "b_enc": torch.zeros(LATENTS),
        "W_dec": torch.randn(LATENTS, 3),
        "b_dec": torch.zeros(3),
    }
    sae = Sae("made", folder, "standard", vision(0), {}, **shape)
    folder.mkdir(exist_ok=True)
    there = where or own
    assert build_index(sae, seen, labels, where=lambda at, grid: there[at], counts=lambda at: at >= chosen) == count
    index = open_index(folder, sae)
    assert index is not None
    return index


def test_counts_are_of_pictures_used_for_nothing_else(tmp_path: Path) -> None:
    index = made(tmp_path / "a")
    seen, _, where = world(400, 0)
    assert (index.about["pictures"], index.about["counted"]) == (150, 250)
    claims = {claim.latent: claim for claim in index.claims([0, 1, 2], [3.5, 0.6, 0.5])}
    assert {claims[0].name, *claims[0].also} == {"frog", "green"}
    frogs = sum(observed.codes.of(0).max() > 0 for observed in seen[150:])
    assert claims[0].support == max(25, frogs // 4)
    assert claims[1].name == ""
    counted = index.counts("picture")
    assert counted is not None
    assert counted.starts[1] == frogs
    # lies about the pictures counted change counts and nothing else; lies about the others change labels alone
    nothing = Where(np.zeros(PATCHES, int), ((),))
    liar = made(tmp_path / "b", [*where[:150], *[nothing] * 250])
    lied = liar.counts("picture")
    assert lied is not None
    assert lied.labels == counted.labels
    assert np.array_equal(lied.candidates, counted.candidates)
    assert lied.bits.sum() == 0
    assert all(claim.name == "" for claim in liar.claims([0, 1, 2], [3.5, 0.6, 0.5]))
    assert liar.claims([0], [3.5])[0].hits == 0


def test_a_patchs_claim_is_counted_at_patches(tmp_path: Path) -> None:
    index = made(tmp_path / "a")
    picture, patch = (index.claims([1], [0.9], scope)[0] for scope in ("picture", "patch"))
    counted = index.counts("patch")
    assert counted is not None
    values = counted.activations[counted.starts[1] : counted.starts[2]]
    peaks = index.counts("picture")
    assert peaks is not None
    assert values.mean() < peaks.activations[peaks.starts[1] : peaks.starts[2]].mean()  # a random patch is weaker than the strongest
    assert picture.name == patch.name == ""


def test_an_index_of_another_sae_claims_nothing(tmp_path: Path) -> None:
    index = made(tmp_path / "a")
    assert index.why_no_claims == ""
    stale = Index(tmp_path / "a" / "index", "another")
    assert stale.stale
    assert "made of another SAE" in stale.why_no_claims
    (claim,) = stale.claims([0], [3.5])
    assert (claim.name, claim.guess, claim.support) == ("", "", 0)
    assert claim.why_not == stale.why_no_claims
    unsaid = open_index(tmp_path / "a")
    assert unsaid is not None
    assert unsaid.claims([0], [3.5])[0].name == ""


def test_an_index_of_another_encoder_claims_nothing(tmp_path: Path) -> None:
    """An adapted model's latents aren't named by what was counted before it was adapted."""
    made(tmp_path / "a")
    folder = tmp_path / "a" / "index"
    identity = Index(folder, None).about["sae"]
    assert Index(folder, identity, "one", "one").why_no_claims == ""
    assert Index(folder, identity, "", "one").why_no_claims == ""  # not known what reads now
    other = Index(folder, identity, "two", "one")
    assert "another vision encoder than this model's" in other.why_no_claims
    assert other.claims([0], [3.5])[0].name == ""
    assert Index(folder, identity, "two", "one").claims([0], [3.5])[0].guess == Index(folder, identity).claims([0], [3.5])[0].guess


def test_an_index_without_counts_opens_and_guesses(tmp_path: Path) -> None:
    index = made(tmp_path / "a")
    old = tmp_path / "old"
    shutil.copytree(index.folder, old / "index", ignore=shutil.ignore_patterns("counts-*"))
    table = pq.read_table(old / "index" / "latents.parquet").replace_schema_metadata({})
    pq.write_table(table, old / "index" / "latents.parquet")
    shown = pq.read_table(old / "index" / "references.parquet")
    pq.write_table(
        shown.filter(np.array(shown.column("interval").to_pylist()) == "top").drop(["interval"]), old / "index" / "references.parquet"
    )
    found = Index(old / "index", index.identity)
    assert "holds no counts" in found.why_no_claims
    (claim,) = found.claims([0], [3.5])
    assert (claim.name, claim.guess, claim.support) == ("", index.name(0), 0)
    assert claim.guess in ("frog", "green")
    assert found.likeness is None
    assert [r.interval for r in found.references(0, per_interval=2)] == ["top", "top"]


def test_what_people_say_is_theirs_and_an_encoders_name_is_a_guess(tmp_path: Path) -> None:
    index = made(tmp_path / "a")
    rename(tmp_path / "a", 1, "my thing")
    add_names(tmp_path / "a", {0: Name("toad", "clip (0.3)"), 2: Name("newt", "clip (0.2)"), 3: Name("eft", "clip (0.2)")})
    index = Index(index.folder, index.identity)
    by_id = {claim.latent: claim for claim in index.claims([0, 1, 3], [3.5, 0.6, 1.0])}
    assert (by_id[1].name, by_id[1].source, by_id[1].support) == ("my thing", "user", 0)
    assert by_id[1].says == "my thing, as a person named it"
    assert by_id[0].name in ("frog", "green")  # counts hold it up
    assert (by_id[3].name, by_id[3].guess, by_id[3].source) == ("", "eft", "clip (0.2)")
    unlike = index.claims([0, 1], [3.5, 0.6], unlike="It snows.")
    assert [(claim.name, claim.why_not) for claim in unlike] == [("", "It snows."), ("my thing", "")]


def test_all_active_latents_of_a_picture_at_once(tmp_path: Path) -> None:
    index = made(tmp_path / "a")
    seen, *_ = world(400, 0)
    codes = next(observed.codes for observed in seen[150:] if observed.codes.of(0).max() > 0)
    claims = index.claims_of(codes)
    assert list(claims) == codes.active().tolist()
    for latent, claim in claims.items():
        assert claim == index.claims([latent], [codes.of(latent).max()])[0]


def test_references_are_of_intervals_and_counter_examples_are_silent(tmp_path: Path) -> None:
    index = made(tmp_path / "a")
    rows = index.references(1, per_interval=3)
    most = max(row.activation for row in rows)
    for row in rows:
        share = row.activation / most
        assert row.interval in ("top", "upper", "middle", "lower", "silent")
        assert {"upper": share >= 2 / 3, "middle": 1 / 3 <= share < 2 / 3, "lower": share < 1 / 3}.get(row.interval, True)
    assert len({row.image for row in rows}) == len(rows)
    near = index.references(1, around=0.5, per_interval=2)
    assert [row.interval for row in near[:2]] == ["around", "around"]
    every = [row.activation for row in index.references(1, per_interval=99)]
    assert sorted(abs(np.log(row.activation / 0.5)) for row in near[:2]) == pytest.approx(sorted(np.abs(np.log(np.array(every) / 0.5)))[:2])
    silent = [row for row in index.references(2, per_interval=3) if row.interval == "silent"]
    assert len(silent) == 3
    for row in silent:
        assert (row.activation, row.mask.max()) == (0, 0)
        assert index.name(2) in row.labels
    tops = index.references(0, 4)
    assert [row.activation for row in tops] == sorted((row.activation for row in tops), reverse=True)
    assert {row.interval for row in tops} == {"top"}


def test_damaged_counts_are_a_sentence(tmp_path: Path) -> None:
    index = made(tmp_path / "a")
    path = index.folder / "counts-picture.parquet"
    whole = path.read_bytes()
    table = pq.read_table(path)
    about = json.loads(table.schema.metadata[b"scratchpad"])
    for spoil in (
        lambda: path.write_bytes(whole[: len(whole) // 2]),
        lambda: pq.write_table(table.replace_schema_metadata({}), path),
        lambda: pq.write_table(table.replace_schema_metadata({"scratchpad": json.dumps(about | {"labels": ["one"]})}), path),
        lambda: pq.write_table(table.drop(["bits"]), path),
    ):
        spoil()
        with pytest.raises(UserError, match="damaged"):
            Index(index.folder, index.identity).claims([0], [3.5])


def test_an_unlike_picture_is_said_to_be(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sae = Sae("s", tmp_path, "standard", vision(0), {}, torch.eye(3), torch.zeros(3), torch.eye(3), torch.zeros(3))
    from scratchpad.sae.likeness import from_json, likeness, summary

    own = [np.abs(rng.normal(2, 0.3, (50, 3))).astype(np.float32) for _ in range(40)]
    summaries = [summary(sae, x, sae.encode(x)) for x in own]
    known = from_json(json.loads(json.dumps(likeness(np.array([e for e, _ in summaries]), np.stack([m for _, m in summaries])).as_json())))
    assert all(known.unlike(sae, x, sae.encode(x)) == "" for x in own)
    far = own[0] + np.array([5, 0, 0], np.float32)
    assert "lie further" in known.unlike(sae, far, sae.encode(far))
    badly = replace(sae, W_enc=torch.zeros(3, 3))
    assert "explains" in known.unlike(badly, own[0], badly.encode(own[0]))


def test_a_quarter_of_pictures_is_set_aside_by_name() -> None:
    names = [f"{i}.png" for i in range(4000)]
    assert 0.22 < np.mean([set_aside(name) for name in names]) < 0.28
    found = Pictures("folder", names, lambda i: pytest.fail("nothing is read"))
    assert sorted(found.order(0)) == list(range(4000))
    found.set_apart()
    assert sorted(found.order(0)) == [i for i, name in enumerate(names) if not set_aside(name)]
    apart = next(name for name in names if set_aside(name))
    alone = Pictures("folder", [apart], lambda i: pytest.fail("nothing is read"))
    alone.set_apart()
    assert alone.order(0) == [0]
