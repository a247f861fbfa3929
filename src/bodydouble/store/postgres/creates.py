"""Creating tasks for many callers at once."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import orjson

from bodydouble.store.postgres.creation import created
from bodydouble.store.postgres.database import Database
from bodydouble.store.postgres.grouping import Grouping
from bodydouble.tasks.queue import APPLICATION_VERSION, QUEUE, WORKFLOW
from bodydouble.tasks.task import Created, CreateLimits, NewTask

TOGETHER_MAX = 64
"""Their accounts stay locked until the last one of them is stored."""


class Creates:
    """One transaction for whatever comes while another is under way, each with its own outcome.

    One at a time of each process: those of a busy account would wait for its row, and for a commit each.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._grouping = Grouping(self._create, at_once_max=1, together_max=TOGETHER_MAX)

    async def create(self, task: NewTask, limits: CreateLimits) -> Created:
        """As ``TaskStore.create_task``."""
        values = _values(task, limits)
        try:
            row = await self._grouping.ask(values)
        except asyncpg.PostgresError:  # another's values, as one that no column takes: nothing was stored
            row = (await self._create([values]))[0]
        return created(row, task)

    async def _create(self, asked: Sequence[Sequence[Any]]) -> list[Any]:
        columns = [list(column) for column in zip(*asked, strict=True)]
        rows = await self._database.rows("create_tasks", *columns, WORKFLOW, QUEUE, APPLICATION_VERSION)
        return sorted(rows, key=lambda row: row["place"])


def _values(task: NewTask, limits: CreateLimits) -> Sequence[Any]:
    """In the order in which ``create_tasks`` takes them."""
    return (
        task.key_hash,
        task.account,
        task.id,
        task.model,
        orjson.dumps(task.param).decode(),
        orjson.dumps(task.inputs).decode(),
        task.source.value,
        task.reserve,
        task.callback_url,
        task.idempotency_key,
        task.body_hash,
        orjson.dumps(list(task.features)).decode(),
        task.deadline_seconds,
        limits.creates_per_minute,
        limits.active_max,
        task.traceparent,
    )
