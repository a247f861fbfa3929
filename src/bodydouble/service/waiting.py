"""Positions of pending tasks in the queue."""

import asyncio
import time
from collections.abc import Callable, Mapping

from bodydouble.tasks.ports import TaskStore
from bodydouble.tasks.task import TaskId

COUNTED_MAX = 1000
FRESH_SECONDS = 1.0
"""Number of waiting tasks whose position is counted, and the time for which positions are kept."""


class WaitingLine:
    """Positions in the queue, read at most once a second for all clients: thousands of them may poll."""

    def __init__(self, tasks: TaskStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._tasks, self._clock = tasks, clock
        self._places: Mapping[TaskId, int] = {}
        self._stale_at = float("-inf")
        self._looking = asyncio.Lock()

    async def place(self, task_id: TaskId) -> int:
        """How many tasks are ahead of this pending one, counted up to ``COUNTED_MAX``; at most a second old."""
        if self._clock() >= self._stale_at:
            async with self._looking:
                if self._clock() >= self._stale_at:
                    waiting = await self._tasks.waiting_tasks(COUNTED_MAX)
                    self._places = {task: place for place, task in enumerate(waiting)}
                    self._stale_at = self._clock() + FRESH_SECONDS
        return self._places.get(task_id, len(self._places))
