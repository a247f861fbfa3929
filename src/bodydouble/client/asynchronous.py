"""The client for asyncio: the same calls, awaited. Arguments and errors are those of ``Client``."""

import inspect
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime
from decimal import Decimal
from typing import Unpack

import httpx

from bodydouble.client.account import AsyncAccount
from bodydouble.client.caller import NO_LIMITS, Caller
from bodydouble.client.media import Media
from bodydouble.client.operations import DEFAULT_MODEL, Operations, Order, TaskFilter, connection_from, succeeded
from bodydouble.client.result import AsyncResult
from bodydouble.client.task_info import ModelInfo, Price, ReplaceOptions, TaskInfo, TaskUpdate
from bodydouble.client.transport import AsyncioTransport
from bodydouble.tasks.task import TaskStatus


class AsyncTaskHandle:
    """One task of an ``AsyncClient``. Keep its ``id``: ``client.task(id)`` makes the same handle again."""

    def __init__(self, operations: Operations, task_id: str) -> None:
        self._operations, self.id = operations, task_id
        self._info: TaskInfo | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"

    @property
    def result(self) -> AsyncResult | None:
        """The result, once ``status``, ``events`` or ``wait`` has seen that the task succeeded. Asks nobody."""
        good = self._info is not None and self._info.status is TaskStatus.SUCCESS
        return AsyncResult(self._operations, self._info) if self._info and good else None

    async def status(self) -> TaskInfo:
        """Ask how the task stands. Raises NotFound."""
        self._info = await self._operations.info(self.id)
        return self._info

    async def events(self, timeout: float | None = None) -> AsyncGenerator[TaskUpdate, None]:
        """Yield each change until the task is over, as ``TaskHandle.events``."""
        async with aclosing(self._operations.updates(self.id, timeout)) as updates:
            async for update in updates:
                self._info = update.task
                yield update

    async def wait(
        self, timeout: float | None = None, *, on_update: Callable[[TaskUpdate], object] | None = None
    ) -> AsyncResult:
        """Wait until the task is over, and give its result, as ``TaskHandle.wait``.

        ``on_update`` may be a plain function or a coroutine function. Cancelling the wait leaves the task alone.

        Raises:
            TaskFailed, TaskCancelled, WaitTimeout: and what ``TaskHandle.events`` raises.
        """

        async def tell(update: TaskUpdate) -> None:
            self._info = update.task
            told = on_update(update) if on_update is not None else None
            if inspect.isawaitable(told):
                await told

        if self._info is None or not self._info.is_over:
            await self._operations.finish(self.id, timeout, tell)
        assert self._info is not None, "it was told"
        return AsyncResult(self._operations, succeeded(self._info))

    async def cancel(self) -> bool:
        """Ask the task to stop: its credits come back. False where it was over already.

        Raises:
            FeatureUnavailable: this service has no way to cancel. NotFound.
        """
        return await self._operations.cancel(self.id)


class AsyncClient:
    """``Client`` for asyncio. Safe to share between tasks of one event loop; close it, or use ``async with``.

    >>> async with AsyncClient() as client:                                   # doctest: +SKIP
    ...     await (await client.run("portrait.png", "shot.mp4")).download("result.mp4")
    """

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        timeout: float = 30.0,
        max_retries: int = 4,
        idempotent_creates: bool | None = None,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        """Nothing is sent yet. The arguments are those of ``Client``."""
        connection = connection_from(api_key, base_url, timeout, max_retries, idempotent_creates)
        self._http, self._owned = http_client or httpx.AsyncClient(limits=NO_LIMITS), http_client is None
        self._operations = Operations(Caller(AsyncioTransport(self._http), connection))
        self.base_url = connection.base_url

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.base_url}>"

    async def close(self) -> None:
        """Let go of the connections."""
        if self._owned:
            await self._http.aclose()

    async def run(
        self,
        image: Media,
        video: Media,
        *,
        model: str = DEFAULT_MODEL,
        resolution: str = "720P",
        callback_url: str | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
        **options: Unpack[ReplaceOptions],
    ) -> AsyncResult:
        """Replace the person in ``video`` by the character of ``image`` and wait for the result, as ``Client.run``."""
        handle = await self.submit(
            image,
            video,
            model=model,
            resolution=resolution,
            callback_url=callback_url,
            idempotency_key=idempotency_key,
            **options,
        )
        return await handle.wait(timeout)

    async def subscribe(
        self,
        image: Media,
        video: Media,
        *,
        on_update: Callable[[TaskUpdate], object],
        model: str = DEFAULT_MODEL,
        resolution: str = "720P",
        callback_url: str | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
        **options: Unpack[ReplaceOptions],
    ) -> AsyncResult:
        """As ``run``, and call ``on_update`` (plain or a coroutine function) with every change."""
        handle = await self.submit(
            image,
            video,
            model=model,
            resolution=resolution,
            callback_url=callback_url,
            idempotency_key=idempotency_key,
            **options,
        )
        return await handle.wait(timeout, on_update=on_update)

    async def submit(
        self,
        image: Media,
        video: Media,
        *,
        model: str = DEFAULT_MODEL,
        resolution: str = "720P",
        callback_url: str | None = None,
        idempotency_key: str | None = None,
        **options: Unpack[ReplaceOptions],
    ) -> AsyncTaskHandle:
        """As ``run``, without waiting: answers as soon as the task is stored and can no longer be lost."""
        order = Order(
            image=image,
            video=video,
            model=model,
            resolution=resolution,
            callback_url=callback_url,
            idempotency_key=idempotency_key,
            options=options,
        )
        return self.task(await self._operations.create(order))

    def task(self, task_id: str) -> AsyncTaskHandle:
        """The handle of a task made earlier or elsewhere. Asks nobody."""
        return AsyncTaskHandle(self._operations, task_id)

    def tasks(
        self,
        *,
        status: TaskStatus | str | None = None,
        model: str | None = None,
        source: str | None = None,
        created_after: datetime | int | None = None,
        created_before: datetime | int | None = None,
        page_size: int = 50,
    ) -> AsyncGenerator[TaskInfo, None]:
        """Yield the account's tasks, newest first, as ``Client.tasks``; for ``async for``, not to be awaited."""
        wanted = TaskFilter(
            status=status,
            model=model,
            source=source,
            created_after=created_after,
            created_before=created_before,
            page_size=page_size,
        )
        return self._operations.tasks(wanted)

    async def delete(self, task_id: str) -> None:
        """Delete a task that is over, with its media, for good, as ``Client.delete``."""
        await self._operations.delete(task_id)

    async def estimate(
        self,
        image: Media,
        video: Media,
        *,
        model: str = DEFAULT_MODEL,
        resolution: str = "720P",
        **options: Unpack[ReplaceOptions],
    ) -> Price:
        """What a task would cost, as ``Client.estimate``."""
        order = Order(image=image, video=video, model=model, resolution=resolution, options=options)
        return await self._operations.estimate(order)

    async def upload(self, source: Media) -> str:
        """Bring a picture or video to the service; answers the URL to name it by, as ``Client.upload``."""
        return await self._operations.upload(source)

    @property
    def account(self) -> AsyncAccount:
        """Keys, usage, callbacks and the webhook secret."""
        return AsyncAccount(self._operations)

    async def balance(self) -> Decimal:
        """The account's credits that are neither spent nor reserved."""
        return await self._operations.balance()

    async def models(self, *, modality: str | None = None, operation: str | None = None) -> list[ModelInfo]:
        """The models on offer."""
        return await self._operations.models(modality, operation)

    async def model(self, name: str) -> ModelInfo:
        """One model, with the JSON Schema of its input. Raises NotFound."""
        return await self._operations.model(name)
