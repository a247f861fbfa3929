"""Metrics of one process and of all."""

import asyncio
import math
from collections.abc import Sequence
from typing import Any

import pytest

from bodydouble.service.metrics import Counts, MetricsService
from bodydouble.tasks.errors import StorageUnavailable
from bodydouble.tasks.operation import BucketCount, Gauge

pytestmark = pytest.mark.anyio
BOUNDS = {"stage": (1.0, 5.0)}


class Database:
    """Satisfies ``MetricsStore``, ``QueueStore`` and ``SwitchStore`` as far as the service calls them."""

    def __init__(self) -> None:
        self.away = False
        self.counted: list[BucketCount] = []
        self.told: dict[str, Sequence[Gauge]] = {}

    async def add_counts(self, counts: Sequence[BucketCount]) -> None:
        if self.away:
            raise StorageUnavailable("the database is away")
        self.counted += counts

    async def counts(self) -> list[BucketCount]:
        return self.counted

    async def set_gauges(self, process: str, gauges: Sequence[Gauge]) -> None:
        self.told[process] = gauges

    async def gauges(self, fresh_seconds: float) -> list[Gauge]:
        return [gauge for gauges in self.told.values() for gauge in gauges]

    async def queue_state(self, silence_seconds: float) -> str:
        return f"silent for {silence_seconds} s"

    async def switched_off(self) -> list[Any]:
        return []


def service(database: Database) -> MetricsService:
    store: Any = database
    return MetricsService(store, store, store, "api-1", "api", lambda: {"idle": 2}, 30.0, BOUNDS)


def test_a_value_falls_into_the_first_bucket_that_holds_it() -> None:
    """Bounds are included; larger values fall into the last bucket, and so do those of unknown names."""
    counts = Counts(BOUNDS)
    for seconds in (0.5, 1.0, 1.1, 60.0):
        counts.add("stage", "render", seconds)
    counts.add("other", "", 1.0)
    found = {(c.name, c.bound): (c.count, c.total) for c in counts.take()}
    assert found == {
        ("stage", 1.0): (2, 1.5),
        ("stage", 5.0): (1, 1.1),
        ("stage", math.inf): (1, 60.0),
        ("other", math.inf): (1, 1.0),
    }
    assert counts.take() == []


async def test_counts_wait_for_a_lost_database() -> None:
    """A report that fails keeps its counts, and the next one has the sum."""
    database = Database()
    metrics = service(database)
    metrics.counts.add("stage", "render", 2.0)
    database.away = True
    with pytest.raises(StorageUnavailable):
        await metrics.report()
    metrics.counts.add("stage", "render", 3.0)
    database.away = False
    await metrics.report()
    assert [(c.count, c.total) for c in database.counted] == [(2, 5.0)]


async def test_measures_have_this_process_as_it_is_now() -> None:
    """It reports first: connections, processor time and memory of the process, beside the queue and the bounds."""
    measures = await service(Database()).measures()
    values = {(gauge.name, gauge.label): gauge.value for gauge in measures.gauges}
    assert values["database_connections", "idle"] == 2
    assert values["processor_seconds", "api"] > 0
    assert values["memory_peak_bytes", "api"] > 1_000_000
    assert (measures.queue, measures.bounds) == ("silent for 30.0 s", BOUNDS)


async def test_the_last_counts_are_stored_at_the_end() -> None:
    """Cancelling the reporter stores what was counted since the last report."""
    database = Database()
    metrics = service(database)
    reporting = asyncio.create_task(metrics.keep_reporting())
    while not database.told:
        await asyncio.sleep(0)
    metrics.counts.add("stage", "mux", 0.1)
    reporting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reporting
    assert [(c.label, c.count) for c in database.counted] == [("mux", 1)]
