"""Callbacks: their content, their log, and sending one again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from bodydouble.service.accounts import AccountService
from bodydouble.service.callers import Caller
from bodydouble.service.document import to_json
from bodydouble.service.identifiers import parse_task_id
from bodydouble.service.signing import InstallationSigner
from bodydouble.service.views import TaskView, show_task
from bodydouble.tasks.delivery import CallbackMessage, Delivery, DeliveryLog
from bodydouble.tasks.dialect import DialectName, dialect_request
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


@dataclass(frozen=True, kw_only=True)
class CallbackContext:
    """Values that a callback format needs besides the task."""

    base_url: str  # of this installation, without a trailing slash
    delivery_id: str  # the header ``webhook-id``
    secrets: Sequence[str]  # that sign for the account, the newest first
    signer: InstallationSigner


class CallbackFormat(Protocol):
    """The callbacks of one dialect."""

    def body(self, view: TaskView, context: CallbackContext) -> object:
        """The body, to be written as JSON."""
        ...

    def headers(self, view: TaskView, body: bytes, moment: datetime, context: CallbackContext) -> Mapping[str, str]:
        """Headers that are added to those of Standard Webhooks, which every callback has, or replace them."""
        ...


class CallbackContent:
    """Body, headers and signing secrets of a callback, as they are at the time of the try."""

    def __init__(
        self,
        tasks: TaskStore,
        files: FileStore,
        accounts: AccountStore,
        service: AccountService,
        signer: InstallationSigner,
        base_url: str,
        formats: Mapping[DialectName, CallbackFormat],
    ) -> None:
        """``formats``: one for each dialect; a callback has that of the dialect that asked for the task."""
        self._tasks, self._files, self._accounts, self._service = tasks, files, accounts, service
        self._signer, self._base_url, self._formats = signer, base_url, formats

    async def message(self, delivery: Delivery) -> CallbackMessage | None:
        """The message, with newly signed links; None if the task was deleted."""
        task = await self._tasks.get_task(delivery.task)
        if task is None:
            return None
        now = datetime.now(UTC)
        secrets = self._service.webhook_secrets(await self._accounts.get_account(task.account), now)
        request = dialect_request(task)
        form = self._formats[request.name if request else DialectName.CRUN]
        view = await show_task(self._files, task)
        context = CallbackContext(
            base_url=self._base_url, delivery_id=str(delivery.id), secrets=secrets, signer=self._signer
        )
        body = to_json(form.body(view, context))
        headers = form.headers(view, body, now, context)
        return CallbackMessage(body=body, secrets=secrets, headers=headers)
