"""``backup`` while tasks wait, run and end, and ``restore`` into another database."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bodydouble.store import EmbeddedPostgres
from bodydouble.tasks.task import TaskId, TaskStatus
from databases import database_url
from worker_harness import WorkerHarness, wait_until

pytestmark = pytest.mark.acceptance

CREATED_MEANWHILE = 10
"""Tasks created while the backup is made, at most."""


@pytest.fixture
def restored_database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """Connection string of a database without tables."""
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("create database restored_under_load")
        yield database_url(postgres, "restored_under_load")
        connection.execute("drop database restored_under_load with (force)")


@pytest.fixture
def original(fresh_database: str, tmp_path: Path) -> Iterator[WorkerHarness]:
    """The installation that is backed up."""
    (tmp_path / "original").mkdir()
    made = WorkerHarness(tmp_path / "original", fresh_database, heartbeat_seconds=0.3)
    yield made
    made.end()


@pytest.fixture
def copy(restored_database: str, tmp_path: Path) -> Iterator[WorkerHarness]:
    """The installation that the backup is restored into."""
    (tmp_path / "copy").mkdir()
    made = WorkerHarness(tmp_path / "copy", restored_database, heartbeat_seconds=0.3, takeover_seconds=2)
    yield made
    made.end()


def operate(harness: WorkerHarness, log: Path, *arguments: str | Path) -> "subprocess.Popen[bytes]":
    """Start a command of an operator of the installation, with its output in ``log``."""
    data = ["--data", harness.folder / "operator"]
    environment = os.environ | harness.environment
    command = [sys.executable, "-m", "bodydouble", *arguments, *data]
    with log.open("wb") as output:
        return subprocess.Popen(command, env=environment, stdout=output, stderr=output)


def test_a_backup_under_load_loses_no_task(original: WorkerHarness, copy: WorkerHarness, tmp_path: Path) -> None:
    """Every task from before the backup is restored. Unfinished ones finish once; finished ones have their files."""
    original.start("stands", HARNESS_STANDS_AT="2")
    original.ready("stands")
    running = original.create()
    wait_until(lambda: original.task(running).progress.segment == 2)
    original.start("works", HARNESS_SECONDS="0.05")
    before = [running, *(original.create() for _ in range(3))]
    original.wait(before[1])
    backing_up = operate(original, tmp_path / "log", "backup", tmp_path / "backup")
    during: list[TaskId] = []
    while backing_up.poll() is None:
        if len(during) < CREATED_MEANWHILE:
            during.append(original.create())
        time.sleep(0.1)
    assert backing_up.returncode == 0, (tmp_path / "log").read_text()
    for worker in original.workers.values():
        worker.kill()

    restoring = operate(copy, tmp_path / "log", "restore", tmp_path / "backup")
    assert restoring.wait() == 0, (tmp_path / "log").read_text()
    assert "agree with the ledger" in (tmp_path / "log").read_text()

    rows = copy.rows("select id, status from task")
    restored = {row[0]: row[1] for row in rows}
    assert {str(task) for task in before} <= {str(task) for task in restored}
    assert {str(task) for task in restored} <= {str(task) for task in (*before, *during)}
    assert restored[running] == "running"
    files = copy.folder / "files"
    for task, status in restored.items():
        assert status != "success" or len(list(files.glob(f"results/*/{task}.mp4"))) == 1
    copy.start("works", HARNESS_SECONDS="0.02")
    for task in restored:
        assert copy.wait(task).status is TaskStatus.SUCCESS
        assert copy.settlements(task) == ["charge"]
        assert len(list(files.glob(f"results/*/{task}.mp4"))) == 1
    copy.balance()
