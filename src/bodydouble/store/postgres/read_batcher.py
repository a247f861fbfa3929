"""Reading the tasks of concurrent callers in batches."""

from collections.abc import Sequence
from typing import Any

from bodydouble.store.postgres.batcher import Batcher
from bodydouble.store.postgres.database import Database
from bodydouble.store.postgres.rows import to_reading
from bodydouble.tasks.ports import KeyReading
from bodydouble.tasks.task import TaskId

CONCURRENT_MAX = 2
BATCH_MAX = 64


class ReadBatcher:
    """Reads the tasks of a batch with one query. Clients poll, so equal reads often arrive together."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._batcher = Batcher(self._read, concurrent_max=CONCURRENT_MAX, batch_max=BATCH_MAX)

    async def read(self, key_hash: bytes, task_id: TaskId) -> KeyReading | None:
        """As ``TaskStore.read_task``. Raises StorageUnavailable."""
        row = await self._batcher.ask((key_hash, task_id))
        return None if row is None else to_reading(row)

    async def _read(self, batch: Sequence[tuple[bytes, TaskId]]) -> list[Any]:
        rows = await self._database.rows("read_tasks", [key for key, _ in batch], [task for _, task in batch])
        by_place = {row["place"]: row for row in rows}
        return [by_place.get(place) for place, _ in enumerate(batch, 1)]
