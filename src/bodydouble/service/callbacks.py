"""Callbacks: their content, their log, and sending one again."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from bodydouble.service.accounts import AccountService
from bodydouble.service.callers import Caller
from bodydouble.service.document import task_data, to_json
from bodydouble.service.identifiers import parse_task_id
from bodydouble.service.views import show_task
from bodydouble.tasks.account import AccountId
from bodydouble.tasks.delivery import Delivery, DeliveryLog
from bodydouble.tasks.errors import NotFound, StillRunning
from bodydouble.tasks.files import FileStore
from bodydouble.tasks.ports import AccountStore, DeliveryStore, TaskStore
from bodydouble.tasks.task import TERMINAL, TaskFilter, TaskId

RECENT_TASKS = 100
"""Newest tasks among which ``recent`` looks for callbacks."""


class CallbackService:
    """Callbacks for their account's owner."""

    def __init__(self, tasks: TaskStore, deliveries: DeliveryStore) -> None:
        self._tasks, self._deliveries = tasks, deliveries

    async def log(self, caller: Caller, task_id: str) -> list[DeliveryLog]:
        """The callbacks of a task with all tries. Raises NotFound."""
        return await self._deliveries.deliveries(await self._own(caller, task_id))

    async def recent(self, caller: Caller, tasks_max: int) -> list[DeliveryLog]:
        """The callbacks of the newest tasks that have any, newest task first, with all tries."""
        tasks = await self._tasks.list_tasks(TaskFilter(account=caller.id, limit=RECENT_TASKS))
        called = [task for task in tasks if task.callback_url and task.status in TERMINAL][:tasks_max]
        return [log for task in called for log in await self._deliveries.deliveries(task.id)]

    async def resend(self, caller: Caller, task_id: str) -> UUID:
        """Send the task's callback again, now. Raises NotFound, StillRunning, ScopeInsufficient."""
        caller.require_write()
        known = await self._own(caller, task_id)
        sent = await self._deliveries.resend(known)
        if sent is None:
            task = await self._tasks.get_task(known, caller.id)
            if task is not None and task.callback_url and task.status not in TERMINAL:
                raise StillRunning("task_id: this task has not ended; its callback is sent when it does.")
            raise NotFound("This task has no callback_url")
        return sent

    async def _own(self, caller: Caller, task_id: str) -> TaskId:
        known = parse_task_id(task_id)
        if await self._tasks.get_task(known, caller.id) is None:
            raise NotFound("Task not found")
        return known


class CallbackContent:
    """Body and signing secrets of a callback, as they are at the time of the try."""

    def __init__(self, tasks: TaskStore, files: FileStore, accounts: AccountStore, service: AccountService) -> None:
        self._tasks, self._files, self._accounts, self._service = tasks, files, accounts, service

    async def body(self, delivery: Delivery) -> bytes | None:
        """TaskInfo's ``data`` with newly signed links; None if the task was deleted."""
        task = await self._tasks.get_task(delivery.task)
        return None if task is None else to_json(task_data(await show_task(self._files, task)))

    async def secrets(self, account: AccountId) -> Sequence[str]:
        """The account's signing secrets, the newest first."""
        return self._service.webhook_secrets(await self._accounts.get_account(account), datetime.now(UTC))
