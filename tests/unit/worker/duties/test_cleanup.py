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

from bodydouble.service.identifiers import make_uuid7
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
from bodydouble.tasks.errors import StorageUnavailable
from bodydouble.tasks.task import (
    CreateLimits,
    NewTask,
    ResultCode,
    Task,
    TaskId,
    TaskResult,
    TaskSource,
    TaskStatus,
)
from bodydouble.worker.duties.cleanup import Chore, Janitor, Retention

pytestmark = pytest.mark.anyio

RETENTION = Retention(
    deadline=timedelta(hours=1), media=timedelta(days=7), uploads=timedelta(days=2), rows=timedelta(days=90)
)
LIMITS = FileLimits(upload_seconds=60, download_seconds=60, image_bytes_max=1000, video_bytes_max=1000)


@pytest.fixture
def anyio_backend() -> str:
    """What the janitor runs on."""
    return "asyncio"


@dataclass
class House:
    """What a janitor keeps in order."""

    url: str
    tasks: PostgresTaskStore
    accounts: PostgresAccountStore
    files: LocalFileStore
    queue: PostgresQueueStore
    executors: PostgresExecutorStore
    installation: PostgresInstallationStore

    @property
    def janitor(self) -> Janitor:
        """A new janitor."""
        return Janitor(self.tasks, self.queue, self.executors, self.installation, self.files, replace(RETENTION))

    async def add(self, deadline_seconds: float = 3600) -> TaskId:
        """A waiting task."""
        account = await self.accounts.ensure_account("somebody")
        await self.accounts.grant(account.id, Decimal(30), "for the test")
        new = NewTask(
            id=TaskId(make_uuid7()),
            account=account.id,
            model="wan/2-2-animate-replace",
            param={},
            inputs={},
            source=TaskSource.API,
            reserve=Decimal(30),
            callback_url=None,
            deadline_seconds=deadline_seconds,
        )
        return (await self.tasks.create_task(new, CreateLimits())).id

    async def finish(self) -> Task:
        """A task that succeeded, with a result and a preview."""
        task_id = await self.add()
        task = await self.tasks.start_task(task_id, "one")
        assert task is not None
        result, preview = (f"results/{task.account}/{task_id}.{kind}" for kind in ("mp4", "jpg"))
        self.put(result)
        self.put(preview)
        await self.tasks.set_preview(task_id, "one", preview)
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
        """As time does."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())


@pytest.fixture
async def house(fresh_database: str, tmp_path: Path) -> AsyncIterator[House]:
    database = await Database.connect(fresh_database)
    tasks = PostgresTaskStore(database)
    files = LocalFileStore(tmp_path / "files", "http://here", b"a secret of the test", LIMITS)
    accounts = PostgresAccountStore(database)
    queue, executors = PostgresQueueStore(database), PostgresExecutorStore(database)
    yield House(fresh_database, tasks, accounts, files, queue, executors, PostgresInstallationStore(database))
    assert await accounts.ledger_differences() == []
    await tasks.close()
    await database.close()


async def test_overdue_tasks_fail_whoever_has_them(house: House) -> None:
    """Waiting or running; those that have time left go on."""
    waiting, running, in_time = await house.add(0.01), await house.add(0.01), await house.add()
    await house.tasks.start_task(running, "one")
    await asyncio.sleep(0.05)
    assert await house.janitor.end_overdue() == 2
    assert [(await house.task(t)).status.value for t in (waiting, running, in_time)] == ["failed", "failed", "pending"]
    result = (await house.task(running)).result
    assert result is not None
    assert "deadline" in result.message


async def test_expired_media_go_and_the_task_says_so(house: House) -> None:
    """Result and preview of a task whose time is over, and of no other."""
    old, fresh = await house.finish(), await house.finish()
    house.execute(f"update task set media_expires_at = now() where id = '{old.id}'")
    assert await house.janitor.delete_expired_media() == 1
    assert (await house.task(old.id)).media_deleted_at is not None
    assert not list(house.files.folder.glob(f"results/*/{old.id}.*"))
    assert len(list(house.files.folder.glob(f"results/*/{fresh.id}.*"))) == 2
    assert await house.janitor.delete_expired_media() == 0


async def test_files_that_nobody_names_go_with_time(house: House) -> None:
    """Uploads once no task can want them any more, and what killed processes left; younger ones stay."""
    names = {
        "uploads/1/old.mp4": timedelta(days=2, hours=2),
        "uploads/1/young.mp4": timedelta(days=2),
        "results/1/old.mp4": timedelta(days=9),
        "results/1/young.mp4": timedelta(days=7),
        "work/1/old/0000-perceive.tar": timedelta(hours=3),
        "work/1/young/0000-perceive.tar": timedelta(hours=1),
    }
    paths = {name: house.put(name, age) for name, age in names.items()}
    assert await house.janitor.delete_old_uploads() == 1
    assert await house.janitor.delete_lost_files() == 2
    assert [name for name, path in paths.items() if path.exists()] == [name for name in names if "young" in name]


async def test_old_rows_go_and_the_ledger_stays(house: House) -> None:
    """A task long over, once its media are gone."""
    task = await house.finish()
    house.execute("update task set completed_at = now() - interval '91 days'")
    assert await house.janitor.delete_old_rows() == 0
    house.execute("update task set media_deleted_at = now()")
    assert await house.janitor.delete_old_rows() == 1
    assert await house.tasks.get_task(task.id) is None
    assert (await house.accounts.ledger(task.account, None, 10))[0].kind.value == "charge"


async def test_of_many_janitors_one_does_each_chore(house: House) -> None:
    """A fault in one chore is told and hinders neither the others nor the loop."""
    done: list[str] = []

    def chore(name: str, error: Exception | None = None) -> Chore:
        async def do() -> int:
            done.append(name)
            if error:
                raise error
            return 1

        return Chore(name=name, every_seconds=60, do=do)

    stop = asyncio.Event()
    janitors = [house.janitor for _ in range(3)]
    for janitor in janitors:
        janitor.chores = (chore("a", StorageUnavailable("away")), chore("b", ValueError("a fault")), chore("c"))
    running = [asyncio.create_task(janitor.run(stop)) for janitor in janitors]
    async with asyncio.timeout(30):
        while len(done) < 3:
            await asyncio.sleep(0.01)
    stop.set()
    await asyncio.gather(*running)
    assert sorted(done) == ["a", "b", "c"]
