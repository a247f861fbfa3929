"""Executors, switches and counts."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from bodydouble.store.postgres.database import Database
from bodydouble.tasks.operation import Executor, FailureCount, Gauge, QueueState, SwitchedOff, Tally
from bodydouble.tasks.queue import APPLICATION_VERSION, QUEUE, WORKFLOW
from bodydouble.tasks.task import TaskId

GAUGE_SECONDS_MAX = 86_400.0


class PostgresOperationStore:
    """Satisfies ``tasks.ports.OperationStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def beat(self, executor: str, host: str, pid: int, version: str) -> None:
        await self._database.row("beat", executor, host, pid, version)

    async def stop_executor(self, executor: str, *, in_order: bool) -> None:
        await self._database.row("stop_executor", executor, QUEUE, in_order)

    async def executors(self) -> list[Executor]:
        rows = await self._database.rows("executors")
        return [
            Executor(
                id=row["id"],
                host=row["host"],
                pid=row["pid"],
                version=row["version"],
                started_at=row["started_at"],
                beat_at=row["beat_at"],
                stopped_at=row["stopped_at"],
                running=row["running"],
            )
            for row in rows
        ]

    async def requeue_abandoned(self, silence_seconds: float) -> list[TaskId]:
        rows = await self._database.rows("requeue_abandoned", QUEUE, silence_seconds)
        return [TaskId(UUID(row["id"])) for row in rows]

    async def requeue_strays(self, executor: str, running: Collection[TaskId], grace_seconds: float) -> list[TaskId]:
        names = [str(task) for task in running]
        rows = await self._database.rows("requeue_strays", executor, QUEUE, names, grace_seconds)
        return [TaskId(UUID(row["id"])) for row in rows]

    async def stranded_tasks(self, limit: int) -> list[TaskId]:
        rows = await self._database.rows("stranded_tasks", limit)
        return [TaskId(UUID(str(row["id"]))) for row in rows]

    async def enqueue_again(self, task_id: TaskId) -> bool:
        row = await self._database.row("enqueue_again", task_id, WORKFLOW, QUEUE, APPLICATION_VERSION)
        return bool(row[0])

    async def claim_chore(self, name: str, every_seconds: float) -> bool:
        return await self._database.row("claim_chore", name, every_seconds) is not None

    async def delete_old_workflows(self, before: datetime, limit: int) -> int:
        return int((await self._database.row("delete_old_workflows", before, limit))[0])

    async def delete_old_executors(self, before: datetime) -> None:
        await self._database.row("delete_old_executors", before)

    async def agree(self, name: str, value: str) -> str:
        found = await self._database.row("agree", name, value)
        if found is None:  # somebody else was first just now, after this statement's view of the table was taken
            found = await self._database.row("agree", name, value)
        return str(found[0])

    async def agree_anew(self, name: str, value: str) -> None:
        await self._database.row("agree_anew", name, value)

    async def switch_off(self, name: str, message: str, retry_seconds: int) -> None:
        await self._database.row("switch_off", name, message, retry_seconds)

    async def switch_on(self, name: str) -> bool:
        return await self._database.row("switch_on", name) is not None

    async def switched_off(self) -> list[SwitchedOff]:
        rows = await self._database.rows("switched_off")
        return [
            SwitchedOff(
                name=row["name"], message=row["message"], retry_seconds=row["retry_seconds"], since=row["since"]
            )
            for row in rows
        ]

    async def queue_state(self, silence_seconds: float) -> QueueState:
        row = await self._database.row("queue_state", silence_seconds)
        return QueueState(
            pending=row["pending"],
            running=row["running"],
            oldest_pending_seconds=float(row["oldest"]),
            deliveries_pending=row["deliveries"],
            oldest_delivery_seconds=float(row["oldest_delivery"]),
            executors=row["executors"],
        )

    async def failures(self, days: int, limit: int) -> list[FailureCount]:
        rows = await self._database.rows("failures", days, limit)
        return [
            FailureCount(code=r["code"], message=r["message"], count=r["count"], last_at=r["last_at"]) for r in rows
        ]

    async def add_tallies(self, tallies: Sequence[Tally]) -> None:
        columns = zip(*((t.name, t.label, t.bound, t.count, t.total) for t in tallies), strict=True)
        await self._database.row("add_tallies", *(list(column) for column in columns))

    async def set_gauges(self, process: str, gauges: Sequence[Gauge]) -> None:
        columns = zip(*((g.name, g.label, g.value) for g in gauges), strict=True)
        await self._database.row("set_gauges", process, *(list(column) for column in columns))

    async def gauges(self, fresh_seconds: float) -> list[Gauge]:
        await self._database.row("clear_gauges", GAUGE_SECONDS_MAX)
        rows = await self._database.rows("gauges", fresh_seconds)
        return [Gauge(process=r["process"], name=r["name"], label=r["label"], value=r["value"]) for r in rows]

    async def tallies(self) -> list[Tally]:
        rows = await self._database.rows("tallies")
        return [
            Tally(name=r["name"], label=r["label"], bound=r["bound"], count=r["count"], total=r["total"]) for r in rows
        ]

    async def tally_bounds(self) -> dict[str, list[float]]:
        return {row["name"]: row["bounds"] for row in await self._database.rows("tally_bounds")}
