"""Obstacles to torch.compile on a machine."""

import sysconfig
from pathlib import Path

import pytest

from bodydouble.renderers.wan.compiler import compile_obstacle


def test_the_missing_requirement_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The C compiler is reported first, then Python's headers; with both there is no obstacle."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(sysconfig, "get_paths", lambda: {"include": str(tmp_path)})
    assert "apt install gcc" in (compile_obstacle() or "")
    (tmp_path / "gcc").write_text("#!/bin/sh\n")
    (tmp_path / "gcc").chmod(0o755)
    assert "apt install python3-dev" in (compile_obstacle() or "")
    (tmp_path / "Python.h").touch()
    assert compile_obstacle() is None
