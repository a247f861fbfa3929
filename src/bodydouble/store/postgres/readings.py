"""Reading tasks for many callers at once."""

import asyncio
from dataclasses import dataclass
from typing import Any, cast

from bodydouble.store.postgres.database import Database
from bodydouble.store.postgres.rows import to_reading
from bodydouble.tasks.ports import KeyReading
from bodydouble.tasks.task import TaskId

AT_ONCE_MAX = 2
"""Queries under way. What comes meanwhile waits for the next one, so that the busier it is, the more go together."""
TOGETHER_MAX = 64


@dataclass(frozen=True, kw_only=True, eq=False)
class _Asked:
    key_hash: bytes
    task_id: TaskId
    row: asyncio.Future[Any]


class Readings:
    """One query for whatever was asked while others were under way: clients poll, and all of them the same way."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Asked] = []
        self._under_way: set[asyncio.Task[None]] = set()

    async def read(self, key_hash: bytes, task_id: TaskId) -> KeyReading | None:
        """As ``TaskStore.read_task``. Raises StorageUnavailable."""
        row = asyncio.get_running_loop().create_future()
        self._waiting.append(_Asked(key_hash=key_hash, task_id=task_id, row=row))
        if len(self._under_way) < AT_ONCE_MAX:
            query = asyncio.create_task(self._answer())
            self._under_way.add(query)
        found = await row
        return None if found is None else to_reading(found)

    async def _answer(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting[:TOGETHER_MAX], self._waiting[TOGETHER_MAX:]
            try:
                rows = await self._database.rows("read_tasks", [a.key_hash for a in asked], [a.task_id for a in asked])
            except Exception as error:  # whatever it is, it is each caller's
                for one in asked:
                    if not one.row.done():  # its caller may have hung up
                        one.row.set_exception(error)
                continue
            found = {row["place"]: row for row in rows}
            for place, one in enumerate(asked, 1):
                if not one.row.done():
                    one.row.set_result(found.get(place))
        # Here and not once the task is over: who is answered now may ask before that, and would wait for nobody.
        self._under_way.discard(cast("asyncio.Task[None]", asyncio.current_task()))
