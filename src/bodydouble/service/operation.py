"""The operator's use cases: tasks and credits of every account, and switches."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from bodydouble.service.callers import Caller
from bodydouble.service.identifiers import parse_task_id
from bodydouble.service.inputs import Submission
from bodydouble.service.tasks import TaskService
from bodydouble.tasks.account import Account, AccountId, ApiKey
from bodydouble.tasks.catalogue import CATALOGUE
from bodydouble.tasks.credits import LedgerDifference, LedgerEntry
from bodydouble.tasks.delivery import DeliveryLog
from bodydouble.tasks.errors import InputRejected, NotFound, StillRunning
from bodydouble.tasks.operation import (
    MAINTENANCE,
    UPLOADS,
    Executor,
    FailureCount,
    QueueState,
    SwitchedOff,
    renderer_feature,
)
from bodydouble.tasks.operation_ports import ExecutorStore, QueueStore, SwitchStore
from bodydouble.tasks.ports import AccountStore, DeliveryStore, TaskStore
from bodydouble.tasks.task import TERMINAL, StageTime, Task, TaskId, TaskStatus

FAILURE_REASONS_MAX = 20


@dataclass(frozen=True, kw_only=True)
class TaskReport:
    """A task with its account, timeline, callbacks and transfers."""

    task: Task
    account: Account
    queue_position: int | None
    stages: Sequence[StageTime]
    deliveries: Sequence[DeliveryLog]
    ledger: Sequence[LedgerEntry]


@dataclass(frozen=True, kw_only=True)
class Retried:
    """The outcome of a retry: a new task ``id``, or the same task in the queue again."""

    id: TaskId
    new: bool


def switchable_names(renderers: Collection[str]) -> tuple[str, ...]:
    """Everything that can be switched off: all new work, uploads, each of ``renderers``, each model."""
    return (MAINTENANCE, UPLOADS, *(renderer_feature(name) for name in sorted(renderers)), *CATALOGUE)


class OperationService:
    """The operator's use cases. Callers are trusted: there is no check of permissions."""

    def __init__(
        self,
        *,
        tasks: TaskStore,
        accounts: AccountStore,
        deliveries: DeliveryStore,
        executors: ExecutorStore,
        queue: QueueStore,
        switches: SwitchStore,
        task_service: TaskService,
        takeover_seconds: float,
        renderers: Collection[str],
    ) -> None:
        self._tasks, self._accounts, self._deliveries = tasks, accounts, deliveries
        self._executors, self._queue, self._switches = executors, queue, switches
        self._task_service, self._takeover_seconds = task_service, takeover_seconds
        self.switchable = switchable_names(renderers)

    async def accounts(self) -> list[Account]:
        """All accounts, by name."""
        return await self._accounts.list_accounts()

    async def account_names(self) -> dict[AccountId, str]:
        """Names of all accounts by id."""
        return {account.id: account.name for account in await self.accounts()}

    async def account(self, name: str) -> Account:
        """Raises NotFound."""
        return await self._accounts.find_account(name)

    async def grant(self, name: str, amount: Decimal, memo: str) -> Account:
        """Grant credits, or revoke a negative amount. Raises NotFound, InsufficientCredits."""
        return await self._accounts.grant((await self.account(name)).id, amount, memo)

    async def set_limits(
        self, name: str, *, creates_per_minute: int | None, active_max: int | None, disabled: bool
    ) -> Account:
        """Set an account's limits; None stands for the installation's setting. Raises NotFound."""
        account = await self.account(name)
        return await self._accounts.set_limits(account.id, creates_per_minute, active_max, disabled=disabled)

    async def set_label(self, name: str, label: str) -> Account:
        """Set the visible label of an account's results: none, eu, china or both. Raises NotFound."""
        return await self._accounts.set_label((await self.account(name)).id, label)

    async def keys(self, account: AccountId | None) -> list[ApiKey]:
        """Keys of an account, or of all (None), oldest first."""
        return await self._accounts.list_keys(account)

    async def find_key(self, reference: str) -> tuple[Caller, ApiKey]:
        """The key with this id or prefix, and its owner. Raises NotFound; InputRejected for an ambiguous prefix."""
        found = [
            key
            for key in await self._accounts.list_keys(None)
            if reference == str(key.id) or (reference.startswith("ak_") and key.prefix == reference[: len(key.prefix)])
        ]
        if not found:
            raise NotFound(f"There is no key {reference[:9]}; `bodydouble keys list` shows them all")
        if len(found) > 1:
            ids = ", ".join(str(key.id) for key in found)
            raise InputRejected(f"key: {reference[:9]} is the prefix of several keys; use an id: {ids}", field="key")
        return Caller(account=await self._accounts.get_account(found[0].account)), found[0]

    async def report(self, task_id: str) -> TaskReport:
        """Raises NotFound."""
        task = await self._task(task_id)
        return TaskReport(
            task=task,
            account=await self._accounts.get_account(task.account),
            queue_position=await self._tasks.queue_position(task.id),
            stages=await self._tasks.stage_times(task.id),
            deliveries=await self._deliveries.deliveries(task.id),
            ledger=await self._accounts.task_ledger(task.id),
        )

    async def retry(self, task_id: str) -> Retried:
        """Create a failed task again for its account, or put a stuck task into the queue again.

        Raises:
            NotFound. StillRunning: a live worker runs it. InputRejected: it succeeded. And as ``TaskService.submit``.
        """
        task = await self._task(task_id)
        if await self._queue.enqueue_unless_run(task.id, self._takeover_seconds):
            return Retried(id=task.id, new=False)
        task = await self._task(task_id)  # it may have ended since, or a worker may have taken it
        if task.status is TaskStatus.SUCCESS:
            raise InputRejected("task_id: this task succeeded and cannot be retried", field="task_id")
        if task.status not in TERMINAL:
            raise StillRunning(f"task_id: {task.executor} is running this task; cancel it first")
        owner = Caller(account=await self._accounts.get_account(task.account))
        submission = Submission(model=task.model, param=task.param, inputs=task.inputs, callback_url=task.callback_url)
        created = await self._task_service.submit(owner, submission, source=task.source, traceparent=task.traceparent)
        return Retried(id=created.id, new=True)

    async def cancel(self, task_id: str) -> bool:
        """Cancel any account's task; False if it had ended. Raises NotFound."""
        task = await self._task(task_id)
        return await self._task_service.cancel(Caller(account=await self._accounts.get_account(task.account)), task_id)

    async def resend(self, task_id: str) -> str:
        """Send a task's callback again now; the id of the delivery. Raises NotFound."""
        sent = await self._deliveries.resend((await self._task(task_id)).id)
        if sent is None:
            raise NotFound("This task has no callback to send: it has no callback_url, or has not ended")
        return str(sent)

    async def ledger(self, name: str, limit: int) -> list[LedgerEntry]:
        """An account's last transfers, newest first. Raises NotFound."""
        return await self._accounts.ledger((await self.account(name)).id, None, limit)

    async def ledger_differences(self) -> list[LedgerDifference]:
        """Stored amounts that differ from the ledger. There must be none."""
        return await self._accounts.ledger_differences()

    async def switch_off(self, name: str, message: str, retry_seconds: int) -> None:
        """Refuse new work of this name, from the next request on. Raises InputRejected."""
        if name not in self.switchable:
            raise InputRejected(f"name: there is no {name} to switch off; there are: {', '.join(self.switchable)}")
        await self._switches.switch_off(name, message, retry_seconds)

    async def switch_on(self, name: str) -> bool:
        """Accept it again; False if it was not switched off."""
        return await self._switches.switch_on(name)

    async def switched_off(self) -> list[SwitchedOff]:
        """Everything that is switched off, by name."""
        return await self._switches.switched_off()

    async def executors(self) -> list[Executor]:
        """Workers seen within the last day, newest first."""
        return await self._executors.executors()

    def is_alive(self, executor: Executor) -> bool:
        """Whether its last heartbeat is recent."""
        silence = datetime.now(UTC) - executor.beat_at
        return executor.stopped_at is None and silence.total_seconds() < self._takeover_seconds

    async def failures(self, days: int) -> list[FailureCount]:
        """Why tasks of the last ``days`` days failed, most frequent first."""
        return await self._tasks.failures(days, FAILURE_REASONS_MAX)

    async def queue_state(self) -> QueueState:
        """Length and age of the queues."""
        return await self._queue.queue_state(self._takeover_seconds)

    async def _task(self, task_id: str) -> Task:
        task = await self._tasks.get_task(parse_task_id(task_id))
        if task is None:
            raise NotFound("Task not found")
        return task
