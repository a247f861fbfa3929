"""Ports in memory: what a worker needs of the task store and the file store, for one task.

``contract/`` runs the same suites on these and on the real adapters.
"""

import dataclasses
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil

from bodydouble.tasks.errors import InputRejected, InsufficientCredits, NotFound, ResultNotStorable, StorageUnavailable
from bodydouble.tasks.files import StoredFile
from bodydouble.tasks.task import (
    AccountId,
    LeaseStatus,
    StageTime,
    Task,
    TaskId,
    TaskProgress,
    TaskResult,
    TaskSource,
    TaskStatus,
)

TASK_ID = TaskId(UUID(int=7))
EXECUTOR = "this worker"
INPUTS = {"img_urls": ["own:image"], "video_urls": ["own:video"], "resolution": "480P", "person": 0}


def children(text: str) -> list[psutil.Process]:
    """Living processes that this one started with ``text`` in their command."""
    found = psutil.process_iter(["ppid", "cmdline"])
    return [p for p in found if p.info["ppid"] == os.getpid() and text in " ".join(p.info["cmdline"] or ())]


def make_task(**inputs: Any) -> Task:
    """A pending task of account 1."""
    return Task(
        id=TASK_ID,
        account=AccountId(1),
        model="wan/2-2-animate-replace",
        param={},
        inputs=INPUTS | inputs,
        status=TaskStatus.RUNNING,
        source=TaskSource.API,
        credits=Decimal(30),
        progress=TaskProgress(),
        result=None,
        cancel_requested=False,
        callback_url=None,
        created_at=datetime.now(UTC),
        started_at=None,
        completed_at=None,
    )


@dataclass
class FakePorts:
    """The methods of ``TaskStore`` and ``FileStore`` that a worker calls, over one task in memory.

    ``balance`` is what the account can still reserve beyond the task's price; ``outages`` is how many settlements fail
    first; from ``cancel_after_progress`` on the task is cancelled.
    """

    balance: Decimal = Decimal(100)
    cancel_after_progress: float = 2.0
    missing: set[str] = field(default_factory=set)
    outages: int = 0
    executor: str = EXECUTOR  # the executor that holds the task
    reserved: Decimal | None = None
    settled: list[tuple[TaskStatus, TaskResult]] = field(default_factory=list)
    stored: dict[str, bytes] = field(default_factory=dict)
    downloads: list[str] = field(default_factory=list[str])
    stage_times: list[StageTime] = field(default_factory=list[StageTime])

    async def start_task(self, task_id: TaskId, executor: str) -> Task | None:
        if self.settled:
            return None
        self.executor = executor
        return make_task()

    async def start_fetch(self, task_id: TaskId, executor: str) -> Task | None:
        return await self.start_task(task_id, executor)

    async def finish_fetch(self, task_id: TaskId, executor: str) -> bool:
        if self.settled or executor != self.executor:
            return False
        self.executor = ""
        return True

    async def get_task(self, task_id: TaskId, account: AccountId | None = None) -> Task | None:
        if not self.settled:
            return make_task()
        status, result = self.settled[-1]
        return dataclasses.replace(make_task(), status=status, result=result)

    async def add_stage_time(self, task_id: TaskId, took: StageTime) -> None:
        self.stage_times.append(took)

    async def set_progress(self, task_id: TaskId, executor: str, progress: TaskProgress) -> LeaseStatus:
        if self.settled or executor != self.executor:
            return LeaseStatus.LOST
        return LeaseStatus.HELD if progress.fraction < self.cancel_after_progress else LeaseStatus.CANCELLED

    async def request_cancel(self, task_id: TaskId, account: AccountId) -> TaskStatus | None:
        if self.settled:
            return None
        self.cancel_after_progress = 0.0
        return TaskStatus.RUNNING

    async def reserve_exactly(self, task_id: TaskId, price: Decimal) -> None:
        if price > self.balance:
            raise InsufficientCredits("Insufficient credits", needed=price)
        self.reserved = price

    async def settle(self, task_id: TaskId, status: TaskStatus, result: TaskResult, executor: str | None) -> bool:
        if self.outages:
            self.outages -= 1
            raise StorageUnavailable("the database is away")
        if r"\x00" in repr(result):
            raise ResultNotStorable("PostgreSQL stores no NUL character")
        if self.settled or executor not in (None, self.executor):
            return False
        self.settled.append((status, result))
        return True

    async def own_key(self, url: str, account: AccountId | None = None) -> str | None:
        return url.removeprefix("own:") if url.startswith("own:") else None

    async def get_file(self, key: str, target: Path, bytes_max: int | None = None) -> None:
        if key in self.missing:
            raise NotFound("File not found")
        content = self.stored.get(key, key.encode())
        if bytes_max is not None and len(content) > bytes_max:
            raise InputRejected(f"{key}: the file is larger than {bytes_max} bytes.")
        target.write_bytes(content)

    async def put_file(self, key: str, source: Path, content_type: str) -> None:
        self.missing.discard(key)
        self.stored[key] = source.read_bytes()

    async def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.stored.pop(key, None)

    async def delete_prefix(self, prefix: str) -> int:
        keys = [key for key in self.stored if key.startswith(f"{prefix}/")]
        for key in keys:
            del self.stored[key]
        return len(keys)

    async def list(self, prefix: str) -> AsyncIterator[StoredFile]:
        for key, content in list(self.stored.items()):
            if key.startswith(f"{prefix}/"):
                yield StoredFile(
                    key=key, size_bytes=len(content), content_type="", modified_at=datetime.now(UTC), path=None
                )

    async def download(self, url: str, target: Path, bytes_max: int, field: str) -> None:
        self.downloads.append(url)
        target.write_bytes(url.encode())
