"""Metrics of this process, and the sums over all processes."""

import asyncio
import math
import resource
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from bodydouble.tasks.errors import StorageUnavailable
from bodydouble.tasks.operation import BucketCount, Gauge, QueueState, SwitchedOff
from bodydouble.tasks.operation_ports import MetricsStore, QueueStore, SwitchStore

REPORT_SECONDS = 5.0
FRESH_SECONDS = 3 * REPORT_SECONDS
"""Processes whose last report is older are not shown."""

log = structlog.get_logger(__name__)


class Counts:
    """Counts of this process since the last report. A request adds to a dictionary, not to the database.

    ``bounds`` has the upper bounds of each histogram's buckets, ascending.
    """

    def __init__(self, bounds: Mapping[str, Sequence[float]]) -> None:
        self._bounds = bounds
        self._counted: dict[tuple[str, str, float], tuple[int, float]] = {}

    def add(self, name: str, label: str, seconds: float) -> None:
        """Count one value of a histogram."""
        bounds = self._bounds.get(name, ())
        place = bisect_left(bounds, seconds)
        key = name, label, bounds[place] if place < len(bounds) else math.inf
        count, total = self._counted.get(key, (0, 0.0))
        self._counted[key] = count + 1, total + seconds

    def take(self) -> list[BucketCount]:
        """The counts since the last call."""
        counted, self._counted = self._counted, {}
        return [
            BucketCount(name=name, label=label, bound=bound, count=count, total=total)
            for (name, label, bound), (count, total) in counted.items()
        ]

    def put_back(self, counts: Sequence[BucketCount]) -> None:
        """Add counts again that could not be reported."""
        for counted in counts:
            key = counted.name, counted.label, counted.bound
            count, total = self._counted.get(key, (0, 0.0))
            self._counted[key] = count + counted.count, total + counted.total


@dataclass(frozen=True, kw_only=True)
class Measures:
    """All metrics at one moment."""

    queue: QueueState
    counts: Sequence[BucketCount]
    bounds: Mapping[str, Sequence[float]]  # by name of counts, ascending
    gauges: Sequence[Gauge]
    switched_off: Sequence[SwitchedOff]


class MetricsService:
    """Reports this process's metrics and reads those of all processes."""

    def __init__(
        self,
        metrics: MetricsStore,
        queue: QueueStore,
        switches: SwitchStore,
        process: str,
        process_kind: str,
        connections: Callable[[], Mapping[str, int]],
        takeover_seconds: float,
        bounds: Mapping[str, Sequence[float]],
    ) -> None:
        self._metrics, self._queue, self._switches = metrics, queue, switches
        self._process, self._process_kind = process, process_kind
        self._connections, self._takeover_seconds = connections, takeover_seconds
        self._bounds = bounds
        self.counts = Counts(bounds)

    async def report(self) -> None:
        """Store counts and gauges. Raises StorageUnavailable and keeps the counts."""
        counted = self.counts.take()
        try:
            if counted:
                await self._metrics.add_counts(counted)
        except StorageUnavailable:
            self.counts.put_back(counted)
            raise
        values = {("database_connections", state): float(n) for state, n in self._connections().items()}
        usage = resource.getrusage(resource.RUSAGE_SELF)
        values["processor_seconds", self._process_kind] = usage.ru_utime + usage.ru_stime
        values["memory_peak_bytes", self._process_kind] = usage.ru_maxrss * 1024.0
        gauges = [Gauge(process=self._process, name=n, label=label, value=v) for (n, label), v in values.items()]
        await self._metrics.set_gauges(self._process, gauges)

    async def keep_reporting(self) -> None:
        """Report until cancelled. The remaining counts are stored at the end if the store is available."""
        reached = True  # the store, at the last report
        try:
            while True:
                try:
                    await self.report()
                    reached = True
                except StorageUnavailable as error:
                    if reached:
                        log.warning("metrics are kept until the database is available", error=error.message)
                    reached = False
                await asyncio.sleep(REPORT_SECONDS)
        finally:
            left = self.counts.take()
            if left and reached:
                await asyncio.shield(self._metrics.add_counts(left))

    async def measures(self) -> Measures:
        """Metrics of all processes; reports this process's first. Raises StorageUnavailable."""
        await self.report()
        return Measures(
            queue=await self._queue.queue_state(self._takeover_seconds),
            counts=await self._metrics.counts(),
            bounds=self._bounds,
            gauges=await self._metrics.gauges(FRESH_SECONDS),
            switched_off=await self._switches.switched_off(),
        )
