"""The chores, over the real stores."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from bodydouble.store import (
    Database,
    FileLimits,
    LocalFileStore,
    PostgresAccountStore,
    PostgresExecutorStore,
    PostgresInstallationStore,
    PostgresQueueStore,
    PostgresTaskStore,
)
from bodydouble.store.named_queries import load_queries
from bodydouble.tasks.dialect import START_TIMEOUT
from bodydouble.tasks.errors import StorageUnavailable
from bodydouble.tasks.task import (
    CreateLimits,
    ResultCode,
    Task,
    TaskId,
    TaskResult,
    TaskStatus,
    preview_video_keys,
)
from bodydouble.worker.duties.cleanup import Chore, Cleanup, Retention
from new_tasks import new_task

pytestmark = pytest.mark.anyio

RETENTION = Retention(
    deadline=timedelta(hours=1), media=timedelta(days=7), uploads=timedelta(days=2), rows=timedelta(days=90)
)
LIMITS = FileLimits(upload_seconds=60, download_seconds=60, image_bytes_max=1000, video_bytes_max=1000)


@dataclass
class Installation:
    """A database and files with a cleanup over them."""

    url: str
    tasks: PostgresTaskStore
    accounts: PostgresAccountStore
    files: LocalFileStore
    queue: PostgresQueueStore
    executors: PostgresExecutorStore
    installation: PostgresInstallationStore

    @property
    def cleanup(self) -> Cleanup:
        """A new cleanup."""
        return Cleanup(self.tasks, self.queue, self.executors, self.installation, self.files, replace(RETENTION))

    async def add(self, deadline_seconds: float = 3600, start_seconds: float | None = None) -> TaskId:
        """A waiting task, which is to start within ``start_seconds``."""
        account = await self.accounts.ensure_account("somebody")
        await self.accounts.grant(account.id, Decimal(30), "for the test")
        new = new_task(
            account.id,
            30,
            param={} if start_seconds is None else {"dialect": {"options": {START_TIMEOUT: start_seconds}}},
            deadline_seconds=deadline_seconds,
        )
        return (await self.tasks.create_task(new, CreateLimits())).id

    async def finish(self) -> Task:
        """A task that succeeded, with a result and both forms of a preview."""
        task_id = await self.add()
        task = await self.tasks.start_task(task_id, "one")
        assert task is not None
        result, picture = (f"results/{task.account}/{task_id}.{kind}" for kind in ("mp4", "jpg"))
        videos = preview_video_keys(task)
        for key in (result, picture, *videos):
            self.put(key)
        await self.tasks.set_preview(task_id, "one", picture, videos[0])
        outcome = TaskResult(code=ResultCode.SUCCESS, message="success", media_keys=(result,), media_info={})
        await self.tasks.settle(task_id, TaskStatus.SUCCESS, outcome, "one")
        return await self.task(task_id)

    async def task(self, task_id: TaskId) -> Task:
        """As it is now."""
        found = await self.tasks.get_task(task_id)
        assert found is not None
        return found

    def put(self, key: str, age: timedelta = timedelta(0)) -> Path:
        """A file of this age."""
        path = self.files.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(key)
        changed = path.stat().st_mtime - age.total_seconds()
        os.utime(path, (changed, changed))
        return path

    def execute(self, statement: str) -> None:
        """Change the database, for instance to make a row old."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())


@pytest.fixture
async def installation(empty_database: str, tmp_path: Path) -> AsyncIterator[Installation]:
    database = await Database.connect(empty_database)
    tasks = PostgresTaskStore(database)
    files = LocalFileStore(tmp_path / "files", "http://here", b"a secret of the test", LIMITS)
    accounts = PostgresAccountStore(database)
    queue, executors = PostgresQueueStore(database), PostgresExecutorStore(database)
    yield Installation(empty_database, tasks, accounts, files, queue, executors, PostgresInstallationStore(database))
    assert await accounts.ledger_differences() == []
    await tasks.close()
    await database.close()


async def test_tasks_that_start_too_late_are_cancelled(installation: Installation) -> None:
    """Only pending ones whose request says so; nobody has to ask for their state. Any number of seconds is compared."""
    late, started, in_time = [await installation.add(start_seconds=seconds) for seconds in (0.01, 0.01, 1e300)]
    plain = await installation.add()
    await installation.tasks.start_task(started, "one")
    await asyncio.sleep(0.05)
    assert await installation.cleanup.end_late_starts() == 1
    states = [(await installation.task(t)).status.value for t in (late, started, in_time, plain)]
    assert states == ["failed", "running", "pending", "pending"]
    assert (await installation.task(late)).was_cancelled


async def test_overdue_tasks_fail_whoever_has_them(installation: Installation) -> None:
    """Pending and running tasks past their deadline fail; others go on."""
    waiting, running, in_time = await installation.add(0.01), await installation.add(0.01), await installation.add()
    await installation.tasks.start_task(running, "one")
    await asyncio.sleep(0.05)
    assert await installation.cleanup.end_overdue() == 2
    assert [(await installation.task(t)).status.value for t in (waiting, running, in_time)] == [
        "failed",
        "failed",
        "pending",
    ]
    result = (await installation.task(running)).result
    assert result is not None
    assert "deadline" in result.message


async def test_expired_media_go_and_the_task_says_so(installation: Installation) -> None:
    """Result and preview are deleted once they expire, and no others."""
    old, fresh = await installation.finish(), await installation.finish()
    installation.execute(f"update task set media_expires_at = now() where id = '{old.id}'")
    assert await installation.cleanup.delete_expired_media() == 1
    assert (await installation.task(old.id)).media_deleted_at is not None
    assert not list(installation.files.folder.glob(f"results/*/{old.id}*"))
    assert len(list(installation.files.folder.glob(f"results/*/{fresh.id}*"))) == 4
    assert await installation.cleanup.delete_expired_media() == 0


async def test_files_that_nobody_names_go_with_time(installation: Installation) -> None:
    """Old uploads, and files that killed processes left, are deleted; newer ones stay."""
    names = {
        "uploads/1/old.mp4": timedelta(days=2, hours=2),
        "uploads/1/young.mp4": timedelta(days=2),
        "results/1/old.mp4": timedelta(days=9),
        "results/1/young.mp4": timedelta(days=7),
        "work/1/old/0000-perceive.tar": timedelta(hours=3),
        "work/1/young/0000-perceive.tar": timedelta(hours=1),
    }
    paths = {name: installation.put(name, age) for name, age in names.items()}
    assert await installation.cleanup.delete_old_uploads() == 1
    assert await installation.cleanup.delete_lost_files() == 2
    assert [name for name, path in paths.items() if path.exists()] == [name for name in names if "young" in name]


async def test_old_rows_go_and_the_ledger_stays(installation: Installation) -> None:
    """A task that ended long ago is deleted once its media are gone."""
    task = await installation.finish()
    installation.execute("update task set completed_at = now() - interval '91 days'")
    assert await installation.cleanup.delete_old_rows() == 0
    installation.execute("update task set media_deleted_at = now()")
    assert await installation.cleanup.delete_old_rows() == 1
    assert await installation.tasks.get_task(task.id) is None
    assert (await installation.accounts.ledger(task.account, None, 10))[0].kind.value == "charge"


async def test_one_process_does_each_chore(installation: Installation) -> None:
    """Of several processes one does each chore; a fault in one chore stops neither the others nor the loop."""
    done: list[str] = []

    def chore(name: str, error: Exception | None = None) -> Chore:
        async def do() -> int:
            done.append(name)
            if error:
                raise error
            return 1

        return Chore(name=name, every_seconds=60, do=do)

    stop = asyncio.Event()
    cleanups = [installation.cleanup for _ in range(3)]
    for cleanup in cleanups:
        cleanup.chores = (chore("a", StorageUnavailable("away")), chore("b", ValueError("a fault")), chore("c"))  # pyright: ignore[reportAttributeAccessIssue]
    running = [asyncio.create_task(cleanup.run(stop)) for cleanup in cleanups]
    async with asyncio.timeout(30):
        while len(done) < 3:
            await asyncio.sleep(0.01)
    stop.set()
    await asyncio.gather(*running)
    assert sorted(done) == ["a", "b", "c"]


async def test_a_claim_of_this_period_stands(installation: Installation) -> None:
    """A process that began to claim a chore before another one's claim does not take that for a clock set back."""
    claim = load_queries()["claim_chore"].encode()
    late = psycopg.connect(installation.url, cursor_factory=psycopg.RawCursor)
    with late, psycopg.connect(installation.url, cursor_factory=psycopg.RawCursor) as first:
        late.execute("select now()")  # the time of its transaction
        await asyncio.sleep(0.01)
        assert first.execute(claim, ["a chore", 60]).fetchall() == [("a chore",)]
        first.commit()
        assert late.execute(claim, ["a chore", 60]).fetchall() == []
