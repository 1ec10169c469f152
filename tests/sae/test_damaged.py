"""SAE folders that are damaged, in every field of cfg.json and in the weights: one sentence, never another exception, never in silence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file, save_file

from scratchpad.errors import UserError
from scratchpad.records.hookpoint import vision
from scratchpad.sae.config import HASH, sign
from scratchpad.sae.foreign import import_sae
from scratchpad.sae.index import open_index
from scratchpad.sae.load import load_sae
from scratchpad.workbench import DEFAULT_SAE

STRANGE: list[Any] = [None, True, -1, 0, 2**63, 10**30, 1.5, float("nan"), "", "16", [], [1], {}, {"a": 1}]
READ = ("d_in", "d_sae", "k", "architecture", "normalize_activations", "metadata", "apply_b_dec_to_input", "rescale_acts_by_decoder_norm")
FINE = {  # what of the strange is as good as the real
    "normalize_activations": [None],
    "apply_b_dec_to_input": [True],
    "rescale_acts_by_decoder_norm": [True],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    out = tmp_path / "sae"
    out.mkdir()
    for name in ("cfg.json", "sae_weights.safetensors"):
        shutil.copy(DEFAULT_SAE / name, out / name)
    return out


def config(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "cfg.json").read_text()))


@pytest.mark.parametrize("name", READ)
def test_every_field_of_another_type_or_range(folder: Path, name: str) -> None:
    whole = config(folder)
    for value in STRANGE:
        (folder / "cfg.json").write_text(json.dumps(whole | {name: value}))
        if any(value is fine for fine in FINE.get(name, ())):
            load_sae(folder)
            continue
        with pytest.raises(UserError) as said:
            load_sae(folder)
        assert len(str(said.value)) < 400
    (folder / "cfg.json").write_text(json.dumps({field: value for field, value in whole.items() if field != name}))
    if name in FINE:
        load_sae(folder)
    else:
        with pytest.raises(UserError):
            load_sae(folder)


def test_the_layer_and_the_whole_of_it(folder: Path) -> None:
    whole = config(folder)
    for value in STRANGE:
        if value == 0 and not isinstance(value, bool):
            continue
        (folder / "cfg.json").write_text(json.dumps(whole | {"metadata": {"layer": value}}))
        with pytest.raises(UserError, match="layer"):
            load_sae(folder)
    for text in ("[]", "3", '"x"', "null", "", "{", "[" * 100_000, "\x00"):
        (folder / "cfg.json").write_text(text)
        with pytest.raises(UserError, match="damaged"):
            load_sae(folder)


def test_weights_of_another_shape_or_kind(folder: Path) -> None:
    path, about = folder / "sae_weights.safetensors", config(folder)
    del about["metadata"][HASH]  # or any change is one
    (folder / "cfg.json").write_text(json.dumps(about))
    whole = load_file(path)
    for name, tensor in whole.items():
        for other in (None, tensor[:-1].clone(), tensor[None].clone(), tensor.to(torch.int32), torch.full_like(tensor, float("nan"))):
            changed = whole | {name: other}
            save_file({k: v for k, v in changed.items() if v is not None}, path)
            with pytest.raises(UserError, match=name):
                load_sae(folder)


def test_weights_cut_off_or_with_a_flipped_bit(folder: Path) -> None:
    path = folder / "sae_weights.safetensors"
    data, rng = path.read_bytes(), np.random.default_rng(0)
    for size in (0, 1, 7, 8, 100, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:size])
        with pytest.raises(UserError, match="damaged"):
            load_sae(folder)
    path.write_bytes(data)
    sign(folder)
    load_sae(folder)
    for place in rng.integers(0, len(data), 20):
        flipped = bytearray(data)
        flipped[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(flipped)
        with pytest.raises(UserError, match="aren't those it was written with"):
            load_sae(folder)


def test_an_import_is_signed_and_a_failed_one_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out" / "mine"
    broken = config(folder) | {"d_in": -1}
    (folder / "cfg.json").write_text(json.dumps(broken))
    with pytest.raises(UserError) as said:
        import_sae(folder, "saelens", out)
    assert str(folder) in str(said.value)
    assert "part" not in str(said.value)
    assert not out.parent.exists()
    (folder / "cfg.json").write_text(json.dumps(broken | {"d_in": 192}))
    import_sae(folder, "saelens", out)
    assert HASH in config(out)["metadata"]
    assert load_sae(out).identity == load_sae(DEFAULT_SAE).identity
    assert sorted(path.name for path in out.iterdir()) == ["cfg.json", "sae_weights.safetensors"]
    assert [path.name for path in out.parent.iterdir()] == ["mine"]


def test_metadata_that_is_no_object_is_refused_where_a_layer_is_given_too(folder: Path, tmp_path: Path) -> None:
    (folder / "cfg.json").write_text(json.dumps(config(folder) | {"metadata": ["layer", 3]}))
    with pytest.raises(UserError, match="as metadata in cfg.json; expected a JSON object"):
        import_sae(folder, "saelens", tmp_path / "out", at=vision(3))
    assert not (tmp_path / "out").exists()


def test_an_index_of_another_sae_is_said_to_be(folder: Path) -> None:
    sae = load_sae(folder)
    shutil.copytree(DEFAULT_SAE / "index", folder / "index")
    assert open_index(folder, sae) is not None
    path = folder / "index" / "latents.parquet"
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({"scratchpad": json.dumps({"sae": "another"})}), path)
    stale = open_index(folder, sae)
    assert stale is not None
    assert "made of another SAE" in stale.why_no_claims
    pq.write_table(table.slice(0, 640), path)
    with pytest.raises(UserError, match=f"of 640 latents, not {sae.d_sae}"):
        open_index(folder, sae)
