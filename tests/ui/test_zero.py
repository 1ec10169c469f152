"""Where an accelerator is lent per call, the page asks for it; anywhere else nothing changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from scratchpad.ui.zero import on_gpu


def double(x: int) -> int:
    return 2 * x


def test_nothing_changes_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    assert on_gpu(double) is double


def test_the_platform_s_decorator_is_used_where_it_lends(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "spaces.py").write_text("asked = []\ndef GPU(f):\n    return lambda *a: (asked.append(f.__name__), f(*a))[1]\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    assert on_gpu(double)(4) == 8
    import spaces

    assert spaces.asked == ["double"]
