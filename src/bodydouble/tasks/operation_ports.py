"""The ports to the database for running the service: workers, queue, switches, metrics, chores."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bodydouble.tasks.operation import BucketCount, Executor, Gauge, QueueState, SwitchedOff
from bodydouble.tasks.task import (
    TaskId,
)


class ExecutorStore(Protocol):
    """Executors (worker processes), their heartbeats, and the tasks that they leave behind."""

    async def beat(self, executor: str, host: str, pid: int, version: str) -> None:
        """Record a heartbeat of this executor."""
        ...

    async def stop_executor(self, executor: str, *, in_order: bool) -> None:
        """Mark the executor as stopped and requeue its tasks. An orderly stop does not consume an attempt."""
        ...

    async def executors(self) -> list[Executor]:
        """Executors seen within the last day, newest first."""
        ...

    async def requeue_abandoned(self, silence_seconds: float) -> list[TaskId]:
        """Requeue the tasks of executors that stopped, or sent no heartbeat for ``silence_seconds``; return them.

        The next executor continues after the last finished step.
        """
        ...

    async def requeue_strays(self, executor: str, running: Collection[TaskId], grace_seconds: float) -> list[TaskId]:
        """Requeue the tasks that this executor took over ``grace_seconds`` ago and is not ``running``; return them."""
        ...

    async def delete_old_executors(self, before: datetime) -> None:
        """Delete executors whose last heartbeat was before this moment."""
        ...


class QueueStore(Protocol):
    """The queue of tasks, as the durable engine keeps it."""

    async def queue_state(self, silence_seconds: float) -> QueueState:
        """Counts and ages of what waits. Executors count if their last heartbeat is within ``silence_seconds``."""
        ...

    async def stranded_tasks(self, limit: int) -> list[TaskId]:
        """Tasks that have not ended and are not in the queue. There are none unless something failed."""
        ...

    async def enqueue_again(self, task_id: TaskId) -> bool:
        """Enqueue a task from its first step, whatever became of its workflow. False if the task has ended."""
        ...

    async def enqueue_unless_run(self, task_id: TaskId, silence_seconds: float) -> bool:
        """As ``enqueue_again``, unless an executor has the task whose last heartbeat is within ``silence_seconds``.

        False in that case, and if the task has ended. Both are decided at one moment: no worker takes it in between.
        """
        ...

    async def delete_old_workflows(self, before: datetime, limit: int) -> int:
        """Delete the engine's records of workflows that ended before this moment; return how many."""
        ...


class SwitchStore(Protocol):
    """The features that the operator has switched off; ``operation.MAINTENANCE`` is all new work."""

    async def switch_off(self, name: str, message: str, retry_seconds: int) -> None:
        """Refuse new work of this name."""
        ...

    async def switch_on(self, name: str) -> bool:
        """Accept it again. False if it was not switched off."""
        ...

    async def switched_off(self) -> list[SwitchedOff]:
        """Everything that is switched off, by name."""
        ...


class MetricsStore(Protocol):
    """Counters that all processes add to, and gauges that each process sets for itself."""

    async def add_counts(self, counts: Sequence[BucketCount]) -> None:
        """Add to the installation's counters."""
        ...

    async def counts(self) -> list[BucketCount]:
        """All counters. Reserved credits are derived from the accounts, not counted."""
        ...

    async def bucket_bounds(self) -> Mapping[str, Sequence[float]]:
        """For each histogram the upper bounds of its buckets, ascending. One more bucket lies beyond the last bound."""
        ...

    async def set_gauges(self, process: str, gauges: Sequence[Gauge]) -> None:
        """Replace the gauges of this process."""
        ...

    async def gauges(self, fresh_seconds: float) -> list[Gauge]:
        """Gauges set within the last ``fresh_seconds``. Deletes gauges older than a day."""
        ...


class InstallationStore(Protocol):
    """Values that all machines of an installation share."""

    async def claim_chore(self, name: str, every_seconds: float) -> bool:
        """True for exactly one process in each period of ``every_seconds``: that process does the chore."""
        ...

    async def agree(self, name: str, value: str) -> str:
        """The installation's value of ``name``; sets it to ``value`` if there is none yet."""
        ...

    async def agree_anew(self, name: str, value: str) -> None:
        """Replace the installation's value of ``name``."""
        ...
