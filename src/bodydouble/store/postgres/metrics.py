"""Counters and gauges."""

from collections.abc import Sequence

from bodydouble.store.postgres.database import Database
from bodydouble.tasks.operation import BucketCount, Gauge

GAUGE_SECONDS_MAX = 86_400.0
"""Older gauges are deleted."""


class PostgresMetricsStore:
    """Satisfies ``tasks.ports.MetricsStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_counts(self, counts: Sequence[BucketCount]) -> None:
        columns = zip(*((c.name, c.label, c.bound, c.count, c.total) for c in counts), strict=True)
        await self._database.row("add_counts", *(list(column) for column in columns))

    async def counts(self) -> list[BucketCount]:
        rows = await self._database.rows("counts")
        return [
            BucketCount(name=r["name"], label=r["label"], bound=r["bound"], count=r["count"], total=r["total"])
            for r in rows
        ]

    async def bucket_bounds(self) -> dict[str, list[float]]:
        return {row["name"]: row["bounds"] for row in await self._database.rows("bucket_bounds")}

    async def set_gauges(self, process: str, gauges: Sequence[Gauge]) -> None:
        columns = zip(*((g.name, g.label, g.value) for g in gauges), strict=True)
        await self._database.row("set_gauges", process, *(list(column) for column in columns))

    async def gauges(self, fresh_seconds: float) -> list[Gauge]:
        await self._database.row("clear_gauges", GAUGE_SECONDS_MAX)
        rows = await self._database.rows("gauges", fresh_seconds)
        return [Gauge(process=r["process"], name=r["name"], label=r["label"], value=r["value"]) for r in rows]
