"""Processes beside ``serve``."""

import asyncio
import itertools
import os
from pathlib import Path

import pytest

from bodydouble.cli.side_processes import (
    RESTART_SECONDS,
    RESTART_SECONDS_MAX,
    STABLE_SECONDS,
    keep_running,
    next_pause_seconds,
)
from bodydouble.settings import Settings


def test_short_runs_lengthen_the_pause() -> None:
    """The pause doubles up to a maximum; after a long run it is short again."""
    pauses, pause = [], 0.0
    for _ in range(9):
        pause = next_pause_seconds(pause, 0.5)
        pauses.append(pause)
    assert pauses[0] == RESTART_SECONDS
    assert all(later in (2 * before, RESTART_SECONDS_MAX) for before, later in itertools.pairwise(pauses))
    assert pauses[-1] == RESTART_SECONDS_MAX
    assert next_pause_seconds(pauses[-1], STABLE_SECONDS) == RESTART_SECONDS


async def _pid_of(folder: Path) -> int:
    path = folder / "pid"
    while not path.exists() or not path.read_text().strip():
        await asyncio.sleep(0.01)
    return int(path.read_text())


def test_ctrl_c_reaches_only_serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A side process has a session of its own: the terminal's signals do not reach it, so it is not restarted."""
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/part && mv {tmp_path}/part {tmp_path}/pid\nexec sleep 600\n")
    program.chmod(0o700)
    monkeypatch.setattr("bodydouble.cli.side_processes.sys.executable", str(program))

    async def run() -> None:
        task = asyncio.create_task(keep_running("worker", Settings(data=tmp_path), ""))
        pid = await asyncio.wait_for(_pid_of(tmp_path), 300)
        assert os.getsid(pid) == pid != os.getsid(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
