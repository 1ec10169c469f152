"""Temporary files of a server: bounded in bytes and age, in a folder of its own, whatever the clock says."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from scratchpad.errors import UserError
from scratchpad.ui.sweeper import AGE, Sweeper, limit_of_disk, used


@pytest.fixture
def now() -> list[float]:
    return [0.0]


def put(folder: Path, name: str, size: int = 10) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


def test_what_is_old_goes_unless_it_is_used_and_the_pages_own_stays(
    tmp_path: Path, now: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    own = put(tmp_path, "a/example.png")
    sweeper = Sweeper(tmp_path, 10**6, clock=lambda: now[0])
    first, other = put(tmp_path, "b/upload.png"), put(tmp_path, "tmpcutoff")
    os.utime(first, (0, 0))  # a clock that was set anew: what it says counts for nothing
    assert sweeper.sweep() == 20
    now[0] = AGE - 1
    used(first)
    sweeper.sweep()
    now[0] = AGE + 1
    assert sweeper.sweep() == 10
    assert (own.exists(), first.exists(), other.exists()) == (True, True, False)
    now[0] = 2 * AGE + 2
    assert sweeper.sweep() == 0
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_no_more_bytes_than_are_allowed(tmp_path: Path, now: list[float]) -> None:
    sweeper = Sweeper(tmp_path, 1000, clock=lambda: now[0])
    for n in range(50):
        now[0] += 1
        put(tmp_path, f"{n}/upload.png", 100)
        assert sweeper.sweep() <= 1000
    assert sorted(int(p.name) for p in tmp_path.iterdir()) == list(range(40, 50))


def test_a_folder_of_ones_own_is_removed_with_its_server_and_after_it(tmp_path: Path) -> None:
    act = "from scratchpad.ui.sweeper import own_folder; import sys, os; f = own_folder(); print(f, flush=True); "
    env = os.environ | {"TMPDIR": str(tmp_path)}

    def ran(more: str) -> Path:
        said = subprocess.run([sys.executable, "-c", act + more], env=env, capture_output=True, text=True, check=False)
        return Path(said.stdout.strip())

    assert not ran("").exists()
    killed = ran("import signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert killed.is_dir()
    assert stat.S_IMODE(killed.stat().st_mode) == 0o700
    living = subprocess.Popen(
        [sys.executable, "-c", act + "sys.stdin.read()"], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert living.stdout
    folder = Path(living.stdout.readline().strip())
    assert not killed.exists()
    ran("")
    assert folder.is_dir()
    living.communicate("")
    assert not folder.exists()


def test_the_limit_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    assert limit_of_disk() == 2048 * 2**20
    for given in ("", "0", "-1", "x", "1.5"):
        monkeypatch.setenv("SCRATCHPAD_DISK", given)
        with pytest.raises(UserError, match="whole number of MB"):
            limit_of_disk()
