"""The use cases of callbacks: their log, and sending one again."""

from uuid import UUID

from bodydouble.service.callers import Caller
from bodydouble.service.identifiers import parse_task_id
from bodydouble.tasks.delivery import DeliveryLog
from bodydouble.tasks.errors import NotFound, StillRunning
from bodydouble.tasks.ports import DeliveryStore, TaskStore
from bodydouble.tasks.task import TERMINAL, TaskId


class CallbackService:
    """What an account's owner may see of their callbacks and do about them."""

    def __init__(self, tasks: TaskStore, deliveries: DeliveryStore) -> None:
        self._tasks, self._deliveries = tasks, deliveries

    async def log(self, caller: Caller, task_id: str) -> list[DeliveryLog]:
        """A task's callbacks with every try. Raises NotFound."""
        return await self._deliveries.deliveries(await self._own(caller, task_id))

    async def resend(self, caller: Caller, task_id: str) -> UUID:
        """Send the task's callback again, now. Raises NotFound, StillRunning, ScopeInsufficient."""
        caller.require_write()
        known = await self._own(caller, task_id)
        sent = await self._deliveries.resend(known)
        if sent is None:
            task = await self._tasks.get_task(known, caller.id)
            if task is not None and task.callback_url and task.status not in TERMINAL:
                raise StillRunning("task_id: this task is not over; its callback is sent once it is.")
            raise NotFound("This task has no callback_url")
        return sent

    async def _own(self, caller: Caller, task_id: str) -> TaskId:
        known = parse_task_id(task_id)
        if await self._tasks.get_task(known, caller.id) is None:
            raise NotFound("Task not found")
        return known
