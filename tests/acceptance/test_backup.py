"""``backup`` while tasks wait, run and end, and ``restore`` into another database."""

import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from bodydouble.cli.backup import backup, restore
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


@contextmanager
def operator_of(harness: WorkerHarness) -> Generator[Path]:
    """The settings of an operator of the installation, in this process's environment; the folder for --data."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in harness.environment.items():
            patch.setenv(name, value)
        yield harness.folder / "operator"


def test_a_backup_under_load_loses_no_task(
    original: WorkerHarness, copy: WorkerHarness, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every task from before the backup is restored. Unfinished ones finish once; finished ones have their files."""
    original.start("stands", HARNESS_STANDS_AT="2")
    original.ready("stands")
    running = original.create()
    wait_until(lambda: original.task(running).progress.segment == 2)
    original.start("works", HARNESS_SECONDS="0.05")
    before = [running, *(original.create() for _ in range(3))]
    original.wait(before[1])
    during: list[TaskId] = []
    with operator_of(original) as data, ThreadPoolExecutor(1) as pool:
        backing_up = pool.submit(backup, tmp_path / "backup", data)
        while not backing_up.done():
            if len(during) < CREATED_MEANWHILE:
                during.append(original.create())
            time.sleep(0.1)
        backing_up.result()
    for worker in original.workers.values():
        worker.kill()

    with operator_of(copy) as data:
        restore(tmp_path / "backup", data)
    assert "agree with the ledger" in capsys.readouterr().out

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
