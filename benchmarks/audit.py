"""What `scratchpad audit` finds of what is planted in the demo's world, as JSON: slow, so run apart from the tests.

python -m benchmarks.audit --scenes 600 --out runs/audit
python -m benchmarks.audit strangers --scenes 64    # Fashion-MNIST on grounds of one colour: nothing of the demo's world
python -m benchmarks.audit throughput --scenes 64   # answering with capture against plain batched `generate`

Writes the set, audits it with the shipped demo, and only then reads the plan. A planted failure is a way to fail with its concept
(misleading camel, rose never named by category, the larger of two). It is found where a group has at least half of its wrong rows and
most of the group's rows are of it. A group of whose rows no planted failure has half is false.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from PIL import Image

from scratchpad.analysis.standing import change_of
from scratchpad.audit.answer import BATCH, Answerer
from scratchpad.audit.audit import Settings, audit
from scratchpad.audit.rows import open_rows
from scratchpad.demo import audit_set
from scratchpad.records import ablation
from scratchpad.records.audit import Audit, Group, Judged
from scratchpad.vlm.prepare import prepare
from scratchpad.vlm.standing import standing
from scratchpad.vlm.together import batches
from scratchpad.workbench import Workbench


def planted(scenes: int, seed: int, budget: float, out: Path) -> dict[str, object]:
    """The issue's table."""
    out.mkdir(parents=True, exist_ok=True)
    data = out / f"set-{scenes}-{seed}.parquet"
    plan = data.with_name(f"{data.stem}.plan.json")
    if not data.is_file():
        audit_set.write(data, scenes, seed)
    begun, cpu = time.monotonic(), time.process_time()
    whole = audit(Workbench(), open_rows(str(data)), out / f"audit-{scenes}-{seed}", Settings(budget=budget))
    seconds = {"seconds": round(time.monotonic() - begun), "processor seconds": round(time.process_time() - cpu)}
    return {"rows": whole.plan.rows} | seconds | compared(whole, json.loads(plan.read_text()), out / f"audit-{scenes}-{seed}")


def compared(whole: Audit, plan: list[dict[str, str]], out: Path) -> dict[str, object]:
    """An audit held against the plan of what is planted."""
    of = {row["id"]: f"{row['way']} {row['concept']}".strip() for row in plan}
    concept = {f"{row['way']} {row['concept']}".strip(): row["concept"] for row in plan}
    table = pq.read_table(out / "audit.parquet", columns=["id", "right"]).to_pylist()
    wrong: dict[str, set[str]] = defaultdict(set)
    for row in table:
        if row["right"] is False and row["id"] in of:
            wrong[of[row["id"]]].add(row["id"])
    rows = []
    for key, ids in sorted(wrong.items(), key=lambda item: -len(item[1])):
        place, group = next(
            ((n, g) for n, g in enumerate(whole.groups, 1) if _main(g, of) == key and 2 * len(ids & {*g.rows}) >= len(ids)), (0, None)
        )
        named = group is not None and (
            group.kind == "rival" if not concept[key] else bool(group.latents) and group.latents[0].name.rstrip("?") == concept[key]
        )
        rows.append({"planted": key, "wrong rows": len(ids), "found": bool(group), "place": place, "concept named": named} | _group(group))
    false = [group.sentence for group in whole.groups if not _main(group, of)]
    foresight = whole.foresight
    return {
        "right": round(whole.right.share, 4) if whole.right else None,
        "wrong": whole.right.of - whole.right.hits if whole.right else None,
        "planted failures": rows,
        "groups": len(whole.groups),
        "false groups": false,
        "wrong rows in no group": sum(count for *_, count in whole.unexplained),
        "explained rows": len(whole.explained),
        "foreseen, AUC": {p.name: [round(p.auc, 3), round(p.low, 3), round(p.high, 3)] for p in foresight.predictors}
        if foresight
        else None,
        "foreseen, calibration error": {p.name: round(p.error, 3) for p in foresight.predictors} if foresight else None,
    }


def _main(group: Group, of: dict[str, str]) -> str:
    """The planted failure that has at least half of a group's rows; "" where none has."""
    key, count = Counter(of.get(name, "") for name in group.rows).most_common(1)[0]
    return key if 2 * count >= len(group.rows) else ""


def _group(group: Group | None) -> dict[str, object]:
    if group is None or group.repaired is None:
        return {}
    return {
        "rows of the group": len(group.rows),
        "p": group.p,
        "repair": group.repaired.sentence,
        "judged": [_judged(each) for each in group.repaired.judged],
    }


def _judged(judged: Judged) -> str:
    parts = {"repaired": judged.repaired, "broken": judged.harmed, "changed": judged.changed}
    return f"{judged.name}: " + ", ".join(f"{name} {rate.hits}/{rate.of}" for name, rate in parts.items())


def throughput(scenes: int, repeats: int = 3) -> dict[str, object]:
    """Rows a processor second, best of some runs: answering with all that is captured, plain batched `generate`, that under a repair."""
    bench = Workbench()
    folder = Path("runs")
    folder.mkdir(exist_ok=True)
    data = folder / f"throughput-{scenes}.parquet"
    audit_set.write(data, scenes)
    rows = open_rows(str(data))
    answerer = Answerer(bench, rows, "normalised", 32)
    best = {"audit": 0.0, "generate": 0.0, "repaired": 0.0}
    change = change_of(bench.sae, ablation(range(8)))
    for _ in range(repeats):
        begun = time.process_time()
        answerer(range(len(rows)))
        best["audit"] = max(best["audit"], len(rows) / (time.process_time() - begun))
        begun = time.process_time()
        _plain(bench, answerer)
        best["generate"] = max(best["generate"], len(rows) / (time.process_time() - begun))
        begun = time.process_time()
        with standing(bench.vlm, bench.sae.at, change):
            _plain(bench, answerer)
        best["repaired"] = max(best["repaired"], len(rows) / (time.process_time() - begun))
    ratios = {"ratio": best["audit"] / best["generate"], "time under a repair of 8 latents / plain": best["generate"] / best["repaired"]}
    return {name: round(value, 3) for name, value in (best | ratios).items()}


@torch.no_grad()
def _plain(bench: Workbench, answerer: Answerer) -> None:
    rows = answerer.rows
    prepared = [prepare(bench.vlm, rows.picture(row), row.question) for row in rows.rows]
    for group in batches(prepared, BATCH):
        inputs = {name: torch.cat([prepared[n].inputs[name] for n in group]) for name in prepared[0].inputs}
        bench.vlm.model.generate(**inputs, do_sample=False, max_new_tokens=32)  # type: ignore[operator]


GARMENTS = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")


def strangers(folder: Path, count: int, out: Path) -> dict[str, object]:
    """Pictures that nobody planted: Fashion-MNIST's (Debian's dataset-fashion-mnist), on grounds of one colour, asked of the demo."""
    pictures, labels = (gzip.decompress((folder / f"t10k-{part}-ubyte.gz").read_bytes()) for part in ("images-idx3", "labels-idx1"))
    out.mkdir(parents=True, exist_ok=True)
    rng, rows = np.random.default_rng(0), []
    for n in range(count):
        drawn = Image.frombytes("L", (28, 28), pictures[16 + 784 * n : 16 + 784 * (n + 1)]).resize((140, 140))
        ground = Image.new("RGB", (224, 224), tuple(int(c) for c in rng.integers(0, 256, 3)))
        ground.paste(drawn.convert("RGB"), (42, 42), drawn)
        ground.save(out / f"{n}.png")
        rows.append({"id": n, "image": f"{n}.png", "question": "what object is there", "answer": GARMENTS[labels[8 + n]]})
    (out / "set.jsonl").write_text("\n".join(map(json.dumps, rows)))
    whole = audit(Workbench(), open_rows(str(out / "set.jsonl")), out / f"audit-{count}", Settings(budget=60))
    right = whole.right.hits if whole.right else None
    return {"rows": whole.answered, "right": right, "unlike": whole.unlike, "groups": len(whole.groups), "says": whole.says}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="?", default="planted", choices=("planted", "throughput", "strangers"))
    parser.add_argument("--fashion", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    parser.add_argument("--scenes", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--budget", type=float, default=600.0)
    parser.add_argument("--out", type=Path, default=Path("runs/audit"))
    options = parser.parse_args()
    parts = {
        "planted": lambda: planted(options.scenes, options.seed, options.budget, options.out),
        "throughput": lambda: throughput(options.scenes),
        "strangers": lambda: strangers(options.fashion, options.scenes, options.out / "fashion"),
    }
    value = parts[options.part]()
    print(json.dumps(value, indent=1))


if __name__ == "__main__":
    main()
