"""What opening a large index costs: `python -m benchmarks.index`. A made-up one, in a folder that is deleted afterwards."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from scratchpad.sae.build import GROUPS

OPEN = """
import json, sys, time
import numpy, pyarrow.parquet
from pathlib import Path
from scratchpad.sae.index import open_index
peak = lambda: int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
before = peak()
begun = time.perf_counter()
index = open_index(Path(sys.argv[1]))
names = [index.row(i).name for i in range(0, index.latents.num_rows, 700)]
first = time.perf_counter() - begun
begun = time.perf_counter()
shown = [len(index.references(i)) for i in (3, 40_000, 65_000) if i < index.latents.num_rows]
later = time.perf_counter() - begun
told = {"open and name 94 latents, seconds": round(first, 3), "references of three, seconds": round(later, 3)}
print(json.dumps(told | {"MiB": round((peak() - before) / 1024)}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latents", type=int, default=65_536)
    parser.add_argument("--top", type=int, default=16)
    parser.add_argument("--images", type=int, default=20_000)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        sae = Path(folder)
        make(sae / "index", options.latents, options.top, options.images)
        size = sum(path.stat().st_size for path in (sae / "index").iterdir())
        told = json.loads(subprocess.run([sys.executable, "-c", OPEN, str(sae)], capture_output=True, text=True, check=True).stdout)
        print(json.dumps({"latents": options.latents, "reference images each": options.top, "MiB on disk": size // 2**20} | told, indent=1))


def make(folder: Path, latents: int, top: int, images: int) -> None:
    """Tables of the sizes that `build_index` would write."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    ids = np.arange(latents)
    columns = {"id": ids, "name": [f"name {i % 997}" for i in ids], "source": ["labels"] * latents, "auroc": rng.random(latents)}
    columns |= {"sparsity": rng.random(latents), "mean_activation": rng.random(latents), "entropy": rng.random(latents)}
    columns |= {"histogram": rng.integers(0, 99, (latents, 17)).tolist(), "neighbours": rng.integers(0, latents, (latents, 8)).tolist()}
    columns |= {"similarity": rng.random((latents, 8)).tolist(), "cluster": ids % 256}
    pq.write_table(pa.table(columns), folder / "latents.parquet", row_group_size=GROUPS["latents"])
    rows = latents * top
    masks = [rng.integers(0, 255, 576, dtype=np.uint8).tobytes() for _ in range(64)]
    whole = {"latent": pa.array(np.repeat(ids, top), pa.int32()), "activation": pa.array(rng.random(rows), pa.float32())}
    whole |= {"image": pa.array(rng.integers(0, images, rows), pa.int32()), "rows": pa.array([24] * rows, pa.int16())}
    whole |= {"cols": pa.array([24] * rows, pa.int16()), "mask": pa.array([masks[i % 64] for i in range(rows)], pa.binary())}
    pq.write_table(pa.table(whole), folder / "references.parquet", compression="zstd", row_group_size=GROUPS["references"])
    shown = {"image": pa.array(range(images), pa.int32()), "file": [str(i) for i in range(images)], "labels": [""] * images}
    pq.write_table(
        pa.table(shown | {"thumbnail": pa.array([rng.bytes(2500) for _ in range(images)], pa.binary())}),
        folder / "images.parquet",
        row_group_size=GROUPS["images"],
    )


if __name__ == "__main__":
    main()
