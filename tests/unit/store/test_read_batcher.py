"""Concurrent readers over a fake database that counts its queries."""

import asyncio
from typing import Any, cast
from uuid import UUID

import pytest

from bodydouble.store.postgres import read_batcher
from bodydouble.store.postgres.read_batcher import BATCH_MAX, CONCURRENT_MAX, ReadBatcher
from bodydouble.tasks.errors import StorageUnavailable
from bodydouble.tasks.task import TaskId

pytestmark = pytest.mark.anyio


class Counting:
    """Answers each pair with itself once ``go`` is set. Keys that begin with ``x`` are unknown."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.go, self.broken = asyncio.Event(), False

    async def rows(self, name: str, keys: list[bytes], tasks: list[TaskId]) -> list[dict[str, Any]]:
        self.sizes.append(len(keys))
        await self.go.wait()
        if self.broken:
            raise StorageUnavailable("away")
        pairs = enumerate(zip(keys, tasks, strict=True), 1)
        return [{"place": place, "pair": pair} for place, pair in reversed(list(pairs)) if pair[0][:1] != b"x"]


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Counting:
    monkeypatch.setattr(read_batcher, "to_reading", lambda row: row["pair"])
    return Counting()


def ask(reader: ReadBatcher, number: int, key: bytes = b"key") -> asyncio.Task[Any]:
    return asyncio.create_task(cast("Any", reader.read(key, TaskId(UUID(int=number)))))


async def test_each_reader_gets_its_own_answer(database: Counting) -> None:
    """Concurrent readers share queries and get the tasks that they asked for. An unknown key gets None."""
    reader = ReadBatcher(cast("Any", database))
    first = [ask(reader, 0)]
    await asyncio.sleep(0.01)
    asked = [*first, *(ask(reader, number) for number in range(1, 300)), ask(reader, 300, b"x")]
    await asyncio.sleep(0.01)
    database.go.set()
    found = await asyncio.gather(*asked)
    assert found == [(b"key", UUID(int=number)) for number in range(300)] + [None]
    assert sum(database.sizes) == 301
    assert max(database.sizes) <= BATCH_MAX
    assert len(database.sizes) <= CONCURRENT_MAX + 300 // BATCH_MAX + 1


async def test_a_failure_reaches_its_batch_only(database: Counting) -> None:
    """Every reader of a failed query gets the error, except one that was cancelled; the next read succeeds."""
    reader = ReadBatcher(cast("Any", database))
    asked = [ask(reader, number) for number in range(5)]
    await asyncio.sleep(0.01)
    asked[3].cancel()
    database.broken = True
    database.go.set()
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(o) for o in outcomes] == [StorageUnavailable] * 3 + [asyncio.CancelledError, StorageUnavailable]
    database.broken = False
    assert await ask(reader, 9) == (b"key", UUID(int=9))


async def test_a_reader_that_asks_again_at_once_is_answered(database: Counting) -> None:
    """A reader that asks right after its answer does not wait for a sender that has ended."""
    database.go.set()
    reader = ReadBatcher(cast("Any", database))

    async def poll() -> None:
        for number in range(20):
            assert await reader.read(b"key", TaskId(UUID(int=number))) == (b"key", UUID(int=number))

    async with asyncio.timeout(30):
        await asyncio.gather(*(poll() for _ in range(CONCURRENT_MAX)))
