"""A small set, audited whole: what is planted is found, what isn't is not, a repair does no harm, and a killed audit goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from scratchpad.audit import answer
from scratchpad.audit.answer import Answerer, answer_all, read_answers
from scratchpad.audit.audit import Settings, audit
from scratchpad.audit.rows import Rows, open_rows
from scratchpad.cli import main
from scratchpad.demo.evaluate import held_out, picture
from scratchpad.demo.world import HELD_OUT_START, Mode, Scene
from scratchpad.errors import UserError
from scratchpad.records.audit import Audit
from scratchpad.records.codec import loads
from scratchpad.workbench import Workbench

ASKED = "what is the background"
WRONG, RIGHT = 8, 24


def scenes(mode: Mode, count: int, first: int) -> list[Scene]:
    """Scenes of a penguin away from its snow; or of none of the world's cues."""
    fits = (
        s
        for s in held_out(10_000, mode, first)
        if ("penguin" in s if mode == "misleading" else not ({"penguin", "camel"} & {t.name for t in s.things}))
    )
    return [next(fits) for _ in range(count)]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Penguins off their snow, other scenes on every background, and two rows that can't be answered."""
    folder = tmp_path_factory.mktemp("set")
    rows = []
    every = scenes("misleading", WRONG, HELD_OUT_START + 62_000) + scenes("ordinary", RIGHT, HELD_OUT_START + 63_000)
    for n, scene in enumerate(every):
        picture(scene).save(folder / f"{n}.png")
        rows.append({"id": f"row {n}", "image": f"{n}.png", "question": ASKED, "answer": scene.background})
    rows.append({"id": "no picture", "image": "none.png", "question": ASKED, "answer": "sand"})
    rows.append({"id": "no answer", "image": "0.png", "question": ASKED, "answer": ""})
    (folder / "set.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder / "set.jsonl"


@pytest.fixture(scope="module")
def audited(bench: Workbench, data: Path) -> tuple[Path, Audit]:
    out = data.parent / "out"
    return out, audit(bench, open_rows(str(data)), out, Settings(budget=0, cases=0, repair=False))


def test_what_is_planted_is_found_and_nothing_else(audited: tuple[Path, Audit]) -> None:
    _, made = audited
    assert (made.answered, made.failures) == (WRONG + RIGHT, 2)
    assert dict(made.failed)["no answer"] == "The expected answer is empty."
    assert "no file" in dict(made.failed)["no picture"]
    assert [(group.kind, group.answer, group.latents[0].name) for group in made.groups] == [
        ("cue", "snow", "penguin?")
    ]  # not claimed of any
    group = made.groups[0]
    assert group.p <= 0.05
    assert set(group.rows) <= {f"row {n}" for n in range(WRONG)}
    assert 2 * len(group.rows) > WRONG
    assert "'snow' for" in group.sentence
    assert "penguin? (#" in group.sentence


@pytest.mark.slow
def test_a_repair_does_no_harm_and_random_latents_repair_nothing(bench: Workbench, data: Path, audited: tuple[Path, Audit]) -> None:
    out, _ = audited
    group = audit(bench, open_rows(str(data)), out, Settings(budget=0, cases=0, beside=4)).groups[0]
    assert group.repaired is not None
    assert group.repaired.repair is not None
    own, random = group.repaired.judged[:2]
    assert own.repaired.share >= 0.5
    assert own.repaired.of == len(group.rows) - len(group.rows) // 2
    assert own.harmed.hits <= 1
    assert "matched random" in random.name
    assert random.repaired.share < own.repaired.share
    file = out / "repairs" / f"{group.id}.repair.json"
    assert main(["analyze", str(out.parent / f"{group.rows[-1].split()[1]}.png"), ASKED, "--repair", str(file), "--json"]) == 0


def test_the_report_stands_alone(audited: tuple[Path, Audit]) -> None:
    out, made = audited
    page = (out / "report.html").read_text()
    assert page.count("data:image/webp") >= 4
    assert "<script" not in page
    assert 'src="http' not in page
    assert made.groups[0].sentence.replace("'", "&#x27;") in page
    rows = pq.read_table(out / "audit.parquet").to_pylist()
    assert len(rows) == WRONG + RIGHT + 2
    assert {row["id"] for row in rows if row["group"]} == set(made.groups[0].rows)


def test_the_same_audit_goes_on_and_another_is_refused(audited: tuple[Path, Audit], data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, made = audited
    answers = {path: path.stat().st_mtime_ns for path in (out / "answers").iterdir()}
    (out / "groups.json").unlink()
    assert main(["audit", "--data", str(data), "--out", str(out), "--budget", "0", "--cases", "0", "--no-repair"]) == 0
    assert loads(Audit, (out / "groups.json").read_bytes()).groups == made.groups
    assert {path: path.stat().st_mtime_ns for path in (out / "answers").iterdir()} == answers
    capsys.readouterr()
    assert main(["audit", "--data", str(data), "--out", str(out), "--compare", "exact"]) == 2
    assert "holds an audit of other rows" in capsys.readouterr().err


def test_a_killed_audit_loses_one_part_at_most(bench: Workbench, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two parts are written and the third is begun when it ends; then it goes on, and all is as in one go."""
    monkeypatch.setattr(answer, "PART", 3)
    rows = open_rows(str(data), limit=8)
    made: list[int] = []

    class Dies(Answerer):
        def __call__(self, numbers):  # type: ignore[no-untyped-def]
            made.extend(numbers)
            if len(made) > 6:
                raise KeyboardInterrupt
            return super().__call__(numbers)

    def once(out: Path, kind: type[Answerer], rows: Rows) -> None:
        (out / "answers").mkdir(parents=True, exist_ok=True)
        answer_all(out, rows, lambda: kind(bench, rows, "normalised", 16))

    with pytest.raises(KeyboardInterrupt):
        once(tmp_path / "killed", Dies, rows)
    assert len(list((tmp_path / "killed" / "answers").iterdir())) == 2
    once(tmp_path / "killed", Answerer, rows)
    once(tmp_path / "whole", Answerer, rows)
    killed, whole = ([table.to_pylist() for table in read_answers(tmp_path / name, len(rows))] for name in ("killed", "whole"))
    assert killed == whole


def test_sets_that_say_nothing_say_so(bench: Workbench, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [json.loads(line) for line in data.read_text().splitlines()]
    shown = [{"image": str(data.parent / row["image"]), "question": ASKED} for row in rows[WRONG : WRONG + 2]]
    (tmp_path / "plain.jsonl").write_text("\n".join(map(json.dumps, shown)))
    right = [row | {"answer": answer} for row, answer in zip(shown, [row["answer"] for row in rows[WRONG : WRONG + 2]], strict=True)]
    (tmp_path / "right.jsonl").write_text("\n".join(map(json.dumps, right)))
    for name, says in (("plain", "No answers are expected"), ("right", "No answer is wrong")):
        assert main(["audit", "--data", str(tmp_path / f"{name}.jsonl"), "--out", str(tmp_path / name), "--budget", "0"]) == 0
        assert says in capsys.readouterr().out
    (tmp_path / "none.jsonl").write_text(json.dumps(shown[0] | {"image": "none.png"}))
    assert main(["audit", "--data", str(tmp_path / "none.jsonl"), "--out", str(tmp_path / "none")]) == 2
    assert "Not one of 1 rows could be answered" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--columns", "image"), "expected for example image=photo"),
        (("--columns", "image=photo"), "has no column 'photo'"),
        (("--batch", "0"), "--batch was 0"),
        (("--limit", "0"), "--limit was 0"),
        (("--images", "nowhere"), "There is no folder nowhere"),
    ],
)
def test_bad_options_are_one_sentence(
    data: Path, tmp_path: Path, more: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "--data", str(data), "--out", str(tmp_path / "out"), *more]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


def test_a_full_disk_is_one_sentence(bench: Workbench, data: Path, tmp_path: Path) -> None:
    rows = open_rows(str(data), limit=1)
    (tmp_path / "answers").write_text("a file where the folder should be")
    with pytest.raises(UserError, match="can't be written to"):
        answer_all(tmp_path, rows, lambda: Answerer(bench, rows, "normalised", 8))
