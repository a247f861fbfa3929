"""Creating the tasks of concurrent callers in batches."""

from collections.abc import Sequence
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any

import asyncpg
import orjson

from bodydouble.store.postgres.batcher import Batcher
from bodydouble.store.postgres.creation import created
from bodydouble.store.postgres.database import Database
from bodydouble.tasks.queue import APPLICATION_VERSION, FETCH_QUEUE, QUEUE, WORKFLOW
from bodydouble.tasks.task import Created, CreateLimits, NewTask

BATCH_MAX = 64
"""The accounts of a batch stay locked until all of its tasks are stored."""


class CreateBatcher:
    """Creates the tasks of a batch in one transaction, each with its own outcome.

    Each process sends one batch at a time to each queue: a second one would only wait for the locks and the commit of
    the first.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._batchers = {
            queue: Batcher(partial(self._create, queue), concurrent_max=1, batch_max=BATCH_MAX)
            for queue in (FETCH_QUEUE, QUEUE)
        }

    async def create(self, task: NewTask, limits: CreateLimits) -> Created:
        """As ``TaskStore.create_task``."""
        values, queue = _values(task, limits), FETCH_QUEUE if task.fetches_inputs else QUEUE
        try:
            row = await self._batchers[queue].ask(values)
        except asyncpg.PostgresError:  # a value in the batch that no column accepts: nothing was stored
            row = (await self._create(queue, [values]))[0]
        return created(row, task)

    async def _create(self, queue: str, batch: Sequence[Sequence[Any]]) -> list[Any]:
        columns = [list(column) for column in zip(*batch, strict=True)]
        rows = await self._database.rows("create_tasks", *columns, WORKFLOW, queue, APPLICATION_VERSION)
        return sorted(rows, key=itemgetter("place"))


def _values(task: NewTask, limits: CreateLimits) -> Sequence[Any]:
    """The arguments of the SQL function ``create_tasks``, in its order."""
    return (
        task.key_hash,
        task.account,
        task.id,
        task.model,
        orjson.dumps(task.param).decode(),
        orjson.dumps(task.inputs).decode(),
        task.source,
        task.reserve,
        task.callback_url,
        task.idempotency_key,
        task.body_hash,
        _as_json(task.features),
        task.deadline_seconds,
        limits.creates_per_minute,
        limits.active_max,
        task.traceparent,
    )


@lru_cache
def _as_json(features: tuple[str, ...]) -> str:
    return orjson.dumps(features).decode()
