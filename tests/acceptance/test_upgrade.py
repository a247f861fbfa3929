"""The database of the version before in the middle of its work, taken over by workers of this version."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from bodydouble.store import EmbeddedPostgres
from bodydouble.tasks.task import Task, TaskId, TaskStatus
from databases import database_url
from disturbances import step_clock
from worker_harness import WorkerHarness

pytestmark = pytest.mark.acceptance

RECORDED = Path(__file__).parents[1] / "version_before" / "database.sql"
PUBLIC_URL = "http://127.0.0.1:8000"
"""Of the recorded service."""


@pytest.fixture
def former_database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """Connection string of the recorded database; its times are moved as if it had been left just now."""
    with psycopg.connect(postgres.url, autocommit=True) as server:
        server.execute("create database left_in_work")
        url = database_url(postgres, "left_in_work")
        with psycopg.connect(url) as connection:
            connection.execute(RECORDED.read_bytes())
            connection.execute("reset all")
            ((left_at,),) = connection.execute("select max(beat_at) from public.executor").fetchall()
        step_clock(url, (datetime.now(UTC) - left_at).total_seconds())
        yield url
        server.execute("drop database left_in_work with (force)")


def test_tasks_of_the_version_before_are_finished_by_this_one(former_database: str, tmp_path: Path) -> None:
    """A worker migrates the database. Running and waiting tasks succeed and are charged once; a finished one stays."""
    harness = WorkerHarness(tmp_path, former_database, takeover_seconds=2, heartbeat_seconds=0.3)
    harness.environment |= {"BODYDOUBLE_PUBLIC_URL": PUBLIC_URL, "HARNESS_SECONDS": "0.02"}
    before = {TaskId(row[0]): row[1] for row in harness.rows("select id, status from task order by created_at")}
    assert list(before.values()) == ["success", "running", *["pending"] * 4]
    for url in harness.rows(
        "select distinct jsonb_array_elements_text(inputs -> 'img_urls' || (inputs -> 'video_urls')) from task"
    ):
        store_upload(tmp_path, url[0])
    try:
        harness.start("new")
        harness.ready("new")
        after: dict[TaskId, Task] = {task: harness.wait(task) for task in before}
        assert {task.status for task in after.values()} == {TaskStatus.SUCCESS}
        for task in before:
            assert harness.settlements(task) == ["charge"]
        assert [task.attempts for task in after.values()] == [1, 2, 1, 1, 1, 1]
        assert harness.using(lambda stores: stores.accounts.ledger_differences()) == []
    finally:
        harness.end()


def store_upload(folder: Path, url: str) -> None:
    """Put a file where the address of an upload leads."""
    path = folder / url.removeprefix(PUBLIC_URL).lstrip("/").partition("?")[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(RECORDED, path)
