"""Reading tasks for many callers at once."""

from collections.abc import Sequence
from typing import Any

from bodydouble.store.postgres.database import Database
from bodydouble.store.postgres.grouping import Grouping
from bodydouble.store.postgres.rows import to_reading
from bodydouble.tasks.ports import KeyReading
from bodydouble.tasks.task import TaskId

AT_ONCE_MAX = 2
TOGETHER_MAX = 64


class Readings:
    """One query for whatever was asked while others were under way: clients poll, and all of them the same way."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._grouping = Grouping(self._read, at_once_max=AT_ONCE_MAX, together_max=TOGETHER_MAX)

    async def read(self, key_hash: bytes, task_id: TaskId) -> KeyReading | None:
        """As ``TaskStore.read_task``. Raises StorageUnavailable."""
        found = await self._grouping.ask((key_hash, task_id))
        return None if found is None else to_reading(found)

    async def _read(self, asked: Sequence[tuple[bytes, TaskId]]) -> list[Any]:
        rows = await self._database.rows("read_tasks", [key for key, _ in asked], [task for _, task in asked])
        found = {row["place"]: row for row in rows}
        return [found.get(place) for place, _ in enumerate(asked, 1)]
