"""What every foreign format has in common: the command names it, nothing in it is run, bad input is a sentence."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch

from scratchpad.errors import UserError
from scratchpad.records.hookpoint import vision
from scratchpad.sae.foreign import FORMATS, import_sae


def test_the_command_names_every_format() -> None:
    from scratchpad.cli.saes import FORMATS as SAID

    assert tuple(SAID.replace(" or ", ", ").split(", ")) == FORMATS


class Evil:
    def __reduce__(self):  # type: ignore[no-untyped-def]
        return (Path.touch, (Path("/tmp/scratchpad-was-run"),))


@pytest.mark.parametrize("format", [format for format in FORMATS if format not in ("saev", "saelens")])
def test_a_pickle_is_refused_and_never_run(tmp_path: Path, format: str) -> None:
    trace = Path("/tmp/scratchpad-was-run")
    trace.unlink(missing_ok=True)
    torch.save({"cfg": Evil(), "state_dict": {}}, tmp_path / "ae.pt")
    with pytest.raises(UserError, match="never run"):
        import_sae(tmp_path / "ae.pt", format, tmp_path / "out", at=vision(0))
    (tmp_path / "ae.pt").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(UserError, match="never run"):
        import_sae(tmp_path / "ae.pt", format, tmp_path / "out", at=vision(0))
    assert not trace.exists()
    assert not (tmp_path / "out").exists()


def test_other_bad_input_is_a_sentence(tmp_path: Path) -> None:
    for format in FORMATS[:-1]:
        (tmp_path / "x.pt").write_bytes(b"hello")
        with pytest.raises(UserError):
            import_sae(tmp_path / "x.pt", format, tmp_path / "out", at=vision(0))
    with pytest.raises(UserError, match="expected one of"):
        import_sae(tmp_path / "x.pt", "magic", tmp_path / "out")
