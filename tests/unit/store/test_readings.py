"""Many readers at once, over a stand-in for the database that counts its queries."""

import asyncio
from typing import Any, cast
from uuid import UUID

import pytest

from bodydouble.store.postgres import readings
from bodydouble.store.postgres.readings import AT_ONCE_MAX, TOGETHER_MAX, Readings
from bodydouble.tasks.errors import StorageUnavailable
from bodydouble.tasks.task import TaskId

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Counting:
    """Answers each pair with itself, after ``go``; knows no key that begins with ``x``."""

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
    monkeypatch.setattr(readings, "to_reading", lambda row: row["pair"])
    return Counting()


def ask(reader: Readings, number: int, key: bytes = b"key") -> asyncio.Task[Any]:
    return asyncio.create_task(cast("Any", reader.read(key, TaskId(UUID(int=number)))))


async def test_everybody_gets_his_own(database: Counting) -> None:
    """Readers that come together share queries, get what they asked for, and an unknown key gets None."""
    reader = Readings(cast("Any", database))
    first = [ask(reader, 0)]
    await asyncio.sleep(0.01)
    asked = [*first, *(ask(reader, number) for number in range(1, 300)), ask(reader, 300, b"x")]
    await asyncio.sleep(0.01)
    database.go.set()
    found = await asyncio.gather(*asked)
    assert found == [(b"key", UUID(int=number)) for number in range(300)] + [None]
    assert sum(database.sizes) == 301
    assert max(database.sizes) <= TOGETHER_MAX
    assert len(database.sizes) <= AT_ONCE_MAX + 300 // TOGETHER_MAX + 1


async def test_a_failure_is_told_to_all_and_is_no_end(database: Counting) -> None:
    """Whoever asked while the database was away learns so, one who hung up harms nobody, and the next is served."""
    reader = Readings(cast("Any", database))
    asked = [ask(reader, number) for number in range(5)]
    await asyncio.sleep(0.01)
    asked[3].cancel()
    database.broken = True
    database.go.set()
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(o) for o in outcomes] == [StorageUnavailable] * 3 + [asyncio.CancelledError, StorageUnavailable]
    database.broken = False
    assert await ask(reader, 9) == (b"key", UUID(int=9))


async def test_who_asks_again_at_once_is_answered(database: Counting) -> None:
    """Answered by the last query under way, a reader that asks on the spot does not wait for one that is over."""
    database.go.set()
    reader = Readings(cast("Any", database))

    async def poll() -> None:
        for number in range(20):
            assert await reader.read(b"key", TaskId(UUID(int=number))) == (b"key", UUID(int=number))

    async with asyncio.timeout(30):
        await asyncio.gather(*(poll() for _ in range(AT_ONCE_MAX)))
