"""The environment of processes that open untrusted files."""

import json
import sys
from pathlib import Path

import pytest

from bodydouble.service import PeopleSeen
from bodydouble.worker.order import RunnerOrder, WorkerOptions
from bodydouble.worker.own_command import OwnCommand
from bodydouble.worker.supervision.child_process import ChildProcess
from bodydouble.worker.supervision.runner_pool import RunnerPool

pytestmark = pytest.mark.anyio

DOORS = {
    "DATABASE_URL": "postgresql://owner:word@db/bodydouble",
    "BODYDOUBLE_SECRET": "signs links",
    "BODYDOUBLE_METRICS_TOKEN": "reads metrics",
    "BODYDOUBLE_OIDC_CLIENT_SECRET": "speaks to the provider",
    "AWS_SECRET_ACCESS_KEY": "opens the bucket",
    "HF_TOKEN": "somebody's own",
    "TF_TOKEN_app_terraform_io": "another TF's",
    "HTTPS_PROXY": "http://user:word@proxy:3128",
    "WHAT_NOBODY_THOUGHT_OF": "a password",
}
NEEDED = {"OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": "/var/cache/somewhere", "CUDA_MODULE_LOADING": "LAZY"}


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service with secrets in its environment."""
    for name, value in (DOORS | NEEDED).items():
        monkeypatch.setenv(name, value)


def environment_of(pid: int) -> dict[str, str]:
    """The environment of a process, from the kernel."""
    lines = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(line.split("=", 1) for line in lines if line)


def check(known: dict[str, str]) -> None:
    assert not [name for name in DOORS if name in known]
    assert not [value for value in DOORS.values() if value in known.values()]
    assert known["PATH"]
    assert known | NEEDED == known


async def test_the_child_knows_no_secret(tmp_path: Path) -> None:
    """The real child gets its GPUs and settings of numerical libraries, and no secret."""
    child = await ChildProcess.start(
        WorkerOptions(folder=tmp_path).child, tmp_path / "log", {"CUDA_VISIBLE_DEVICES": "GPU-1"}
    )
    try:
        known = environment_of(child.pid)
    finally:
        await child.end()
    check(known)
    assert known["CUDA_VISIBLE_DEVICES"] == "GPU-1"


async def test_the_runner_knows_no_secret(tmp_path: Path) -> None:
    """Its other ranks inherit its environment, so they know none either."""
    (tmp_path / "script").write_text('["frames"]')
    script = str(Path(__file__).parent / "supervision" / "scripted_runner.py")
    runners = RunnerPool(
        WorkerOptions(folder=tmp_path / "work", runner=(sys.executable, script, str(tmp_path / "script"))), ["GPU-1"]
    )
    lease = await runners.lease(RunnerOrder(program="scripted", loaded={}))
    try:
        assert lease.slot.pid is not None
        known = environment_of(lease.slot.pid)
    finally:
        await runners.close()
    check(known)
    assert known["CUDA_VISIBLE_DEVICES"] == "GPU-1"


async def test_an_inspection_knows_the_limits_and_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that inspects a video for a page gets the service's limits on media."""
    monkeypatch.setenv("BODYDOUBLE_VIDEO_SECONDS_MAX", "300")
    told = tmp_path / "told"
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\ncat /proc/$$/environ > {told}\necho '{json.dumps({'people': []})}'\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    assert await OwnCommand(tmp_path / "models").find_people(tmp_path / "video.mp4") == PeopleSeen(
        people=[], picture=b""
    )
    known = dict(line.split("=", 1) for line in told.read_text().split("\0") if line)
    check(known)
    assert known["BODYDOUBLE_VIDEO_SECONDS_MAX"] == "300"
    assert known["BODYDOUBLE_MODELS"] == str(tmp_path / "models")
