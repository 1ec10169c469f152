"""There whole or not at all: files, folders, and what is added to a folder; nothing half-written is left behind."""

from __future__ import annotations

import errno
import os
import threading
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from scratchpad import files
from scratchpad.files import add_files, replace_folder, restore_folder, sweep, whole_file, write_whole


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_leaves_what_stood_there_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, folder = tmp_path / "names.json", tmp_path / "index"
    write_whole(path, "old")
    with replace_folder(folder) as aside:
        (aside / "a").write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, "new")
    with pytest.raises(OSError, match="No space"), replace_folder(folder) as aside:
        (aside / "a").write_text("new")
    for out in (tmp_path / "sae", tmp_path / "deep" / "er" / "sae"):
        with pytest.raises(OSError, match="No space"), add_files(out, last="cfg.json") as aside:
            (aside / "cfg.json").write_text("new")
    assert path.read_text() == (folder / "a").read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["index", "names.json"]


def test_what_fails_while_it_is_written_leaves_nothing(tmp_path: Path) -> None:
    def act(begin: AbstractContextManager[Path]) -> None:
        with begin as aside:
            (aside / "part" if aside.is_dir() else aside).write_text("half")
            raise KeyboardInterrupt

    for begin in (whole_file(tmp_path / "x"), replace_folder(tmp_path / "y"), add_files(tmp_path / "z", last="cfg.json")):
        with pytest.raises(KeyboardInterrupt):
            act(begin)
    assert list(tmp_path.iterdir()) == []


def test_files_are_added_beside_others(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    (tmp_path / "cfg.json").write_text("old")
    with add_files(tmp_path, last="cfg.json") as aside:
        for name in ("cfg.json", "sae_weights.safetensors"):
            (aside / name).write_text("new")
        assert (tmp_path / "cfg.json").read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cfg.json", "index", "sae_weights.safetensors"]
    assert (tmp_path / "cfg.json").read_text() == "new"


def test_many_writers_at_once_leave_one_of_their_texts(tmp_path: Path) -> None:
    path, errors = tmp_path / "names.json", []

    def work(n: int) -> None:
        try:
            for i in range(60):
                write_whole(path, f"{n}:{i}:" + "x" * 2000)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert errors == []
    assert path.read_text().endswith("x" * 2000)
    assert [p.name for p in tmp_path.iterdir()] == ["names.json"]


def test_what_a_killed_process_left_goes_and_what_it_moved_comes_back(tmp_path: Path) -> None:
    old, young, foreign = (tmp_path / name for name in ("a.0123abcd.part", "b.0123abcd.part", "c.part"))
    for path in (old, young, foreign):
        path.mkdir()
    os.utime(old, (0, 0))
    os.utime(foreign, (0, 0))
    sweep(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.0123abcd.part", "c.part"]
    with replace_folder(tmp_path / "index") as aside:
        (aside / "x").write_text("1")
    os.replace(tmp_path / "index", tmp_path / "index.89abcdef.old")
    restore_folder(tmp_path / "index")
    assert (tmp_path / "index" / "x").read_text() == "1"
    assert files.ASIDE.fullmatch("index.89abcdef.old")
