"""One task of a client: its state, its updates, its result."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from bodydouble_client.asynchronous import waiting
from bodydouble_client.asynchronous.operations import Operations
from bodydouble_client.asynchronous.result import AsyncResult
from bodydouble_client.task_errors import require_success
from bodydouble_client.task_info import TaskInfo, TaskUpdate
from bodydouble_client.task_status import TaskStatus


class AsyncTaskHandle:
    """One task of an ``AsyncClient``. Keep its ``id``: ``client.task(id)`` returns the same handle in any process."""

    def __init__(self, operations: Operations, task_id: str) -> None:
        self._operations, self.id = operations, task_id
        self._info: TaskInfo | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"

    @property
    def result(self) -> AsyncResult | None:
        """The result once ``status``, ``events`` or ``wait`` has seen that the task succeeded. Sends no request."""
        succeeded = self._info is not None and self._info.status is TaskStatus.SUCCESS
        return AsyncResult(self._operations, self._info) if self._info and succeeded else None

    async def status(self) -> TaskInfo:
        """The task's current state. Raises NotFound."""
        self._info = await self._operations.info(self.id)
        return self._info

    async def events(self, timeout: float | None = None) -> AsyncGenerator[TaskUpdate, None]:
        """Yield each change until the task is finished; the last update has ``is_done``.

        Reads the service's event stream and continues after the last event if the connection breaks. Polls with
        growing pauses if the service has no event stream. An outage of up to 5 minutes only delays the next update.

        Raises:
            WaitTimeout: not finished within ``timeout`` seconds. NotFound. ConnectionFailed, ServerError: an outage
                of more than 5 minutes.
        """
        async with aclosing(self._operations.updates(self.id, timeout)) as updates:
            async for update in updates:
                self._info = update.task
                yield update

    async def wait(
        self, timeout: float | None = None, *, on_update: Callable[[TaskUpdate], object] | None = None
    ) -> AsyncResult:
        """Wait until the task is finished; its result.

        Ending the wait, also by cancelling a coroutine, does not cancel the task.

        Args:
            timeout: seconds to wait; default no limit.
            on_update: called with each change. An ``AsyncClient`` also accepts a coroutine function.

        Raises:
            TaskFailed: the task ended without a result; ``code`` and ``message`` say why. TaskCancelled.
            WaitTimeout: not finished within ``timeout`` seconds; the task continues. And what ``events`` raises.
        """

        async def remember(update: TaskUpdate) -> None:
            self._info = update.task
            if on_update is not None:
                await waiting.notify(on_update, update)

        if self._info is None or not self._info.is_over:
            await self._operations.wait(self.id, timeout, remember)
        assert self._info is not None, "the wait has set it"
        return AsyncResult(self._operations, require_success(self._info))

    async def cancel(self) -> bool:
        """Request the task's cancellation, which refunds its credits. False if it was finished already.

        Raises:
            FeatureUnavailable: this service cannot cancel tasks. NotFound.
        """
        return await self._operations.cancel(self.id)
