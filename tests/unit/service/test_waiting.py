"""Positions in the queue, shared by all who ask."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from bodydouble.service.waiting import COUNTED_MAX, FRESH_SECONDS, WaitingLine
from bodydouble.tasks.task import TaskId

pytestmark = pytest.mark.anyio
FIRST, SECOND, THIRD = (TaskId(UUID(int=number)) for number in (1, 2, 3))


class Queue:
    """Satisfies what ``WaitingLine`` needs of ``TaskStore``; counts the reads."""

    def __init__(self, *waiting: TaskId) -> None:
        self.waiting, self.reads = list(waiting), 0

    async def waiting_tasks(self, count_max: int) -> list[TaskId]:
        assert count_max == COUNTED_MAX
        self.reads += 1
        await asyncio.sleep(0)
        return self.waiting


async def test_many_who_ask_within_a_second_read_once() -> None:
    """All get their place from one read, whether they ask at once or later in that second."""
    now = 100.0
    queue: Any = Queue(FIRST, SECOND)
    line = WaitingLine(queue, lambda: now)
    assert await asyncio.gather(*(line.place(task) for task in (FIRST, SECOND, FIRST))) == [0, 1, 0]
    now += FRESH_SECONDS / 2
    assert await line.place(SECOND) == 1
    assert queue.reads == 1


async def test_a_place_is_at_most_a_second_old() -> None:
    """After a second the queue is read again."""
    now = 100.0
    queue: Any = Queue(FIRST, SECOND)
    line = WaitingLine(queue, lambda: now)
    await line.place(SECOND)
    queue.waiting = [SECOND]
    now += FRESH_SECONDS
    assert await line.place(SECOND) == 0
    assert queue.reads == 2


async def test_a_task_beyond_those_that_are_counted_is_behind_them() -> None:
    """A task that is not in the list waits behind all that are."""
    queue: Any = Queue(FIRST, SECOND)
    assert await WaitingLine(queue).place(THIRD) == 2
