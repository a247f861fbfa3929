"""Runs worker processes with a fast child over one database and file folder, each with its own data folder."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import psutil
import psycopg

from bodydouble.bootstrap.stores import Stores, open_files, open_stores
from bodydouble.service.identifiers import make_uuid7
from bodydouble.settings import Settings
from bodydouble.tasks.account import AccountId
from bodydouble.tasks.task import CreateLimits, NewTask, Task, TaskId, TaskSource
from worker_server import ForkedWorker, start_worker

T = TypeVar("T")
LIMITS = CreateLimits(creates_per_minute=100_000, active_max=100_000)
SECRET = "a secret for tests only"
MODEL = "wan/2-2-animate-replace"
GRANT = Decimal(100_000)
SECONDS_MAX = 300


def wait_until(holds: Callable[[], Any], seconds: float = SECONDS_MAX, what: str = "") -> Any:
    """The value of ``holds()``, once it is true."""
    deadline = time.monotonic() + seconds
    while not (value := holds()):
        assert time.monotonic() < deadline, what or "the condition never became true"
        time.sleep(0.05)
    return value


class WorkerHarness:
    """Starts and ends workers, creates tasks, and reads their state."""

    def __init__(self, folder: Path, database_url: str, **settings: Any) -> None:
        self.folder, self.database_url = folder, database_url
        self.logs = folder
        self.log = folder / "segments.log"
        self.environment = {
            "DATABASE_URL": database_url,
            "BODYDOUBLE_FILES": str(folder / "files"),
            "BODYDOUBLE_SECRET": SECRET,
            "BODYDOUBLE_PUBLIC_URL": "http://127.0.0.1:1",
            "BODYDOUBLE_OUTBOUND_ALLOW": "127.0.0.0/8",
            "BODYDOUBLE_FREE_BYTES_MIN": "0",
            "BODYDOUBLE_LOG_JSON": "1",
            "HARNESS_LOG": str(self.log),
        } | {f"BODYDOUBLE_{name.upper()}": str(value) for name, value in settings.items()}
        self.workers: dict[str, ForkedWorker] = {}
        self.uploads: dict[str, tuple[str, str]] = {}
        self._loop, self._open = asyncio.Runner(), AsyncExitStack()
        self._stores: Stores | None = None

    def start(self, name: str, **environment: str) -> ForkedWorker:
        """Start a worker with the data folder ``name``; its output goes to ``name.log``."""
        settings = self.environment | {"BODYDOUBLE_DATA": str(self.folder / name)} | environment
        self.workers[name] = start_worker(os.environ | settings, self.log_of(name))
        return self.workers[name]

    def log_of(self, name: str) -> Path:
        """The file with a worker's output."""
        return self.logs / f"{name}.log"

    def ready(self, name: str) -> None:
        """Wait until a worker takes tasks."""
        wait_until(lambda: "worker ready" in self.log_of(name).read_text(), what=f"{name} did not start")

    def child(self, name: str) -> psutil.Process | None:
        """A worker's child process, or None."""
        try:
            found = psutil.Process(self.workers[name].pid).children(recursive=True)
            return next((p for p in found if "harness_child.py" in " ".join(p.cmdline())), None)
        except psutil.NoSuchProcess:
            return None

    def end(self) -> None:
        """Kill every worker, in any state, and close the stores."""
        for worker in self.workers.values():
            worker.kill()
            worker.wait(SECONDS_MAX)
        self._loop.run(self._open.aclose())
        self._loop.close()

    def using(self, do: Callable[[Stores], Awaitable[T]]) -> T:
        """Run ``do`` with the stores. They stay open: opening them costs more than most of what is asked."""
        if self._stores is None:
            self._stores = self._loop.run(
                self._open.enter_async_context(open_stores(self.settings(), self.database_url))
            )
        return self._loop.run(_call(do, self._stores))

    def settings(self) -> Settings:
        """Settings of the test's process, for the same database and files."""
        return Settings(
            data=self.folder / "harness",
            files=self.environment["BODYDOUBLE_FILES"],
            secret=SECRET,
            public_url=self.environment["BODYDOUBLE_PUBLIC_URL"],
            free_bytes_min=0,
        )

    def create(
        self,
        *,
        seed: int = 0,
        callback_url: str | None = None,
        deadline_seconds: float = 3600,
        name: str = "harness",
        video_url: str | None = None,
    ) -> TaskId:
        """Create a task of the account ``name``. The first task creates the account and grants credits.

        ``video_url`` is a foreign address; None: an upload.
        """
        task_id = TaskId(make_uuid7())

        async def make(stores: Stores) -> None:
            account = await stores.accounts.ensure_account(name)
            if name not in self.uploads:
                await stores.accounts.grant(account.id, GRANT, "for the test")
                self.uploads[name] = await self._upload(account.id)
            image_url, uploaded_url = self.uploads[name]
            inputs = {
                "img_urls": [image_url],
                "video_urls": [video_url or uploaded_url],
                "resolution": "480P",
                "renderer": "auto",
                "seed": seed,
            }
            new = NewTask(
                id=task_id,
                account=account.id,
                model=MODEL,
                param={"model": MODEL},
                inputs=inputs,
                source=TaskSource.API,
                reserve=Decimal(30),
                callback_url=callback_url,
                deadline_seconds=deadline_seconds,
                fetches_inputs=video_url is not None,
            )
            await stores.tasks.create_task(new, LIMITS)

        self.using(make)
        return task_id

    async def _upload(self, account: AccountId) -> tuple[str, str]:
        files = open_files(self.settings())
        urls: list[str] = []
        for name, kind in (("image.png", "image/png"), ("video.mp4", "video/mp4")):
            source = self.folder / name
            source.write_bytes(b"only its bytes count here")
            key = f"uploads/{account}/{name}"
            await files.put_file(key, source, kind)
            urls.append(await files.sign_download(key))
        return urls[0], urls[1]

    def task(self, task_id: TaskId) -> Task:
        """The task in its current state."""
        found = self.using(lambda stores: stores.tasks.get_task(task_id))
        assert found is not None
        return found

    def wait(self, task_id: TaskId, seconds: float = SECONDS_MAX) -> Task:
        """The task, once it has ended."""
        ended = "select 1 from task where id = %s and completed_at is not null"
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            wait_until(lambda: connection.execute(ended, [task_id]).fetchone(), seconds, f"{task_id} goes on")
        return self.task(task_id)

    def cancel(self, task_id: TaskId) -> None:
        """Cancel the task as its owner."""
        task = self.task(task_id)
        self.using(lambda stores: stores.tasks.request_cancel(task_id, task.account))

    def rendered(self, task_id: TaskId) -> list[tuple[int, int]]:
        """Pairs of segment and process id, in the order in which segments were finished."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        found = [line.split() for line in lines]
        return [(int(segment), int(pid)) for task, segment, pid in found if task == str(task_id)]

    def rows(self, query: str, *values: object) -> list[Any]:
        """The rows that a query returns."""
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def settlements(self, task_id: TaskId) -> list[str]:
        """The kinds of the ledger entries that settled the task: one entry."""
        query = "select kind from ledger where task_id = %s and kind <> 'reserve' and memo = ''"
        return [row[0] for row in self.rows(query, task_id)]

    def balance(self) -> Decimal:
        """The balance of the harness's account, after a check that the ledger agrees with every balance."""
        assert self.using(lambda stores: stores.accounts.ledger_differences()) == []
        return self.using(lambda stores: stores.accounts.find_account("harness")).balance


async def _call(do: Callable[[Stores], Awaitable[T]], stores: Stores) -> T:
    return await do(stores)
