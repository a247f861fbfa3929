"""The client of one service."""

from collections.abc import AsyncGenerator, Callable
from datetime import datetime
from decimal import Decimal

import httpx
from typing_extensions import Unpack

from bodydouble_client.asynchronous.account import AsyncAccount
from bodydouble_client.asynchronous.operations import Operations
from bodydouble_client.asynchronous.request_sender import RequestSender
from bodydouble_client.asynchronous.result import AsyncResult
from bodydouble_client.asynchronous.task_handle import AsyncTaskHandle
from bodydouble_client.connection import UNLIMITED_CONNECTIONS, Connection
from bodydouble_client.media import Media
from bodydouble_client.replace_options import ReplaceOptions
from bodydouble_client.task_info import ModelInfo, Price, TaskInfo, TaskUpdate
from bodydouble_client.task_request import DEFAULT_MODEL, DEFAULT_RESOLUTION, TaskFilter, TaskRequest
from bodydouble_client.task_status import TaskStatus


class AsyncClient:
    """A client of one service with one key. Close it, or use ``async with``.

    ``Client`` can be shared between threads, ``AsyncClient`` between the tasks of one event loop.

    >>> async with AsyncClient() as client:                                   # doctest: +SKIP
    ...     result = await client.run("portrait.png", "shot.mp4")
    ...     await result.download("result.mp4")
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
        """Sends nothing yet.

        Args:
            api_key: ``ak_…``; default: the environment variable BODYDOUBLE_API_KEY.
            base_url: the service's address; default: the environment variable BODYDOUBLE_BASE_URL, else
                http://127.0.0.1:8000, where ``bodydouble serve`` listens.
            timeout: seconds without data, for connecting and for each read and write, after which an attempt fails.
                The time for a task is the ``timeout`` of ``wait`` and ``run``.
            max_retries: retries of a call after a lost connection, one of 429, 455, 502, 503, 504, or a 5xx with
                Retry-After. Pauses grow; Retry-After is respected. No other refusal is retried.
            idempotent_creates: whether the service supports Idempotency-Key, so that the creation of a task can be
                retried after its answer was lost. Default: yes, except for crun.ai.
            http_client: for proxies, certificates and similar; you close it.

        Raises:
            AuthenticationError: no key in the arguments or the environment. ValueError: base_url is not a URL.
        """
        connection = Connection.from_arguments(
            api_key=api_key,
            base_url=base_url,
            timeout_seconds=timeout,
            max_retries=max_retries,
            idempotent_creates=idempotent_creates,
        )
        self._owns_http = http_client is None
        self._http = http_client or httpx.AsyncClient(limits=UNLIMITED_CONNECTIONS)
        self._operations = Operations(RequestSender(self._http, connection))
        self.base_url = connection.base_url

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.base_url}>"

    async def close(self) -> None:
        """Close the connections, unless they belong to ``http_client``."""
        if self._owns_http:
            await self._http.aclose()

    async def run(
        self,
        image: Media,
        video: Media,
        *,
        model: str = DEFAULT_MODEL,
        resolution: str = DEFAULT_RESOLUTION,
        callback_url: str | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
        **options: Unpack[ReplaceOptions],
    ) -> AsyncResult:
        """Replace the person in ``video`` with the character in ``image`` and wait for the result.

        Args:
            image: a picture of the character: a path, bytes, an open binary file, or an http(s) or data URL.
                Local files are uploaded.
            video: the driving video, in the same forms.
            model: a name from ``models()``.
            resolution: 480P, 580P or 720P: the class of the output's short side.
            callback_url: the service POSTs the finished task to this address; see ``verify_webhook``.
            idempotency_key: your own key, such as an order number: the same key and request never create a second
                task, not even from another process. Pass the files as URLs then (``upload`` returns one): every
                upload has a new address and makes a different request. Default: a random key for each call.
            timeout: seconds to wait for the task; default no limit.
            options: further inputs of the model, as in ``ReplaceOptions``.

        Raises:
            InvalidRequest, InsufficientCredits, RateLimited, …: nothing was created.
            TaskFailed, TaskCancelled: nothing was charged. WaitTimeout: the task continues.
            FileNotFoundError, TypeError, ValueError: ``image`` or ``video`` is not usable.
        """
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
        resolution: str = DEFAULT_RESOLUTION,
        callback_url: str | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
        **options: Unpack[ReplaceOptions],
    ) -> AsyncResult:
        """As ``run``, and call ``on_update`` with every change of queue position, stage and progress.

        An ``AsyncClient`` accepts a plain function or a coroutine function.
        """
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
        resolution: str = DEFAULT_RESOLUTION,
        callback_url: str | None = None,
        idempotency_key: str | None = None,
        **options: Unpack[ReplaceOptions],
    ) -> AsyncTaskHandle:
        """Create a task as ``run`` does, without waiting: returns when the task is stored and can no longer be lost."""
        request = TaskRequest(
            image=image,
            video=video,
            model=model,
            resolution=resolution,
            callback_url=callback_url,
            idempotency_key=idempotency_key,
            options=options,
        )
        return self.task(await self._operations.create(request))

    def task(self, task_id: str) -> AsyncTaskHandle:
        """The handle of an existing task. Sends no request."""
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
        """Yield the account's tasks, newest first; each page is requested when it is needed.

        Args:
            status: pending, running, success or failed.
            model: a model's name.
            source: ``api`` or ``playground``.
            created_after: a datetime or Unix seconds.
            created_before: a datetime or Unix seconds.
            page_size: 1 to 100.

        Raises:
            FeatureUnavailable: this service cannot list tasks. InvalidRequest.
        """
        selection = TaskFilter(
            status=status,
            model=model,
            source=source,
            created_after=created_after,
            created_before=created_before,
            page_size=page_size,
        )
        return self._operations.tasks(selection)

    async def delete(self, task_id: str) -> None:
        """Permanently delete a finished task and its media.

        Raises:
            InvalidRequest: not finished; cancel it first. NotFound. FeatureUnavailable.
        """
        await self._operations.delete(task_id)

    async def estimate(
        self,
        image: Media,
        video: Media,
        *,
        model: str = DEFAULT_MODEL,
        resolution: str = DEFAULT_RESOLUTION,
        **options: Unpack[ReplaceOptions],
    ) -> Price:
        """The price of a task; exact, unless the video is at an address outside the service.

        Local files are uploaded. To avoid a second upload, call ``upload`` and pass the URLs to both calls.
        """
        request = TaskRequest(image=image, video=video, model=model, resolution=resolution, options=options)
        return await self._operations.estimate(request)

    async def upload(self, source: Media) -> str:
        """Upload a picture or video; its URL, which several tasks can use.

        Raises:
            FileNotFoundError, TypeError, ValueError: not a usable file. TransferFailed, InvalidRequest: refused.
        """
        return await self._operations.upload(source)

    @property
    def account(self) -> AsyncAccount:
        """Keys, usage, callbacks and the webhook secret."""
        return AsyncAccount(self._operations)

    async def balance(self) -> Decimal:
        """The account's credits that are neither spent nor reserved."""
        return await self._operations.balance()

    async def models(self, *, modality: str | None = None, operation: str | None = None) -> list[ModelInfo]:
        """The available models."""
        return await self._operations.models(modality, operation)

    async def model(self, name: str) -> ModelInfo:
        """One model with the JSON Schema of its input. Raises NotFound."""
        return await self._operations.model(name)
