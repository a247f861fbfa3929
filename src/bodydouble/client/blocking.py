"""The client for ordinary, blocking code."""

from collections.abc import Callable, Generator
from datetime import datetime
from decimal import Decimal
from typing import Unpack

import httpx

from bodydouble.client.account import Account
from bodydouble.client.caller import NO_LIMITS, Caller
from bodydouble.client.media import Media
from bodydouble.client.operations import DEFAULT_MODEL, Operations, Order, TaskFilter, connection_from, succeeded
from bodydouble.client.result import Result
from bodydouble.client.task_info import ModelInfo, Price, ReplaceOptions, TaskInfo, TaskUpdate
from bodydouble.client.transport import BlockingTransport, iterate, run
from bodydouble.tasks.task import TaskStatus


class TaskHandle:
    """One task of a ``Client``. Keep its ``id``: ``client.task(id)`` makes the same handle again, in any process."""

    def __init__(self, operations: Operations, task_id: str) -> None:
        self._operations, self.id = operations, task_id
        self._info: TaskInfo | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"

    @property
    def result(self) -> Result | None:
        """The result, once ``status``, ``events`` or ``wait`` has seen that the task succeeded. Asks nobody."""
        good = self._info is not None and self._info.status is TaskStatus.SUCCESS
        return Result(self._operations, self._info) if self._info and good else None

    def status(self) -> TaskInfo:
        """Ask how the task stands. Raises NotFound."""
        self._info = run(self._operations.info(self.id))
        return self._info

    def events(self, timeout: float | None = None) -> Generator[TaskUpdate, None, None]:
        """Yield each change until the task is over; the last update has ``is_done``, well or not.

        Follows the service's event stream and takes it up again where it broke off; asks again and again, with growing
        pauses, where a service has none. A service that is away for up to 5 minutes is waited for.

        Raises:
            WaitTimeout: not over within ``timeout`` seconds. NotFound. ConnectionFailed, ServerError: away for longer.
        """
        for update in iterate(self._operations.updates(self.id, timeout)):
            self._info = update.task
            yield update

    def wait(self, timeout: float | None = None, *, on_update: Callable[[TaskUpdate], object] | None = None) -> Result:
        """Wait until the task is over, and give its result. ``on_update`` is called with each change.

        Raises:
            TaskFailed: it ended without a result; ``code`` and ``message`` say why. TaskCancelled.
            WaitTimeout: not over within ``timeout`` seconds; it goes on. And what ``events`` raises.
        """

        async def tell(update: TaskUpdate) -> None:
            self._info = update.task
            if on_update is not None:
                on_update(update)

        if self._info is None or not self._info.is_over:
            run(self._operations.finish(self.id, timeout, tell))
        assert self._info is not None, "it was told"
        return Result(self._operations, succeeded(self._info))

    def cancel(self) -> bool:
        """Ask the task to stop: its credits come back. False where it was over already.

        Raises:
            FeatureUnavailable: this service has no way to cancel. NotFound.
        """
        return run(self._operations.cancel(self.id))


class Client:
    """A client of one service, with one key. Safe to share between threads; close it, or use it in ``with``.

    >>> with Client() as client:                                              # doctest: +SKIP
    ...     client.run("portrait.png", "shot.mp4").download("result.mp4")
    """

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        timeout: float = 30.0,
        max_retries: int = 4,
        idempotent_creates: bool | None = None,
        http_client: httpx.Client | None = None,
    ) -> None:
        """Nothing is sent yet.

        Args:
            api_key: ``ak_…``; default the environment's BODYDOUBLE_API_KEY.
            base_url: where the service is; default the environment's BODYDOUBLE_BASE_URL, else
                http://127.0.0.1:8000, where ``bodydouble serve`` listens.
            timeout: seconds of silence, for connecting and for each read and write, after which a try has failed.
                Not the time that a task may take: that is ``wait``'s and ``run``'s.
            max_retries: further tries of a call after a lost connection, one of 429, 455, 502, 503, 504, or a 5xx
                with Retry-After; pauses grow, and Retry-After is kept. No other refusal is tried again.
            idempotent_creates: whether the service knows Idempotency-Key, so that creating a task may be tried again
                when its answer was lost. Default: yes, but for crun.ai.
            http_client: for proxies, certificates and the like; yours to close.

        Raises:
            AuthenticationError: no key, neither here nor in the environment. ValueError: base_url is no URL.
        """
        connection = connection_from(api_key, base_url, timeout, max_retries, idempotent_creates)
        self._http, self._owned = http_client or httpx.Client(limits=NO_LIMITS), http_client is None
        self._operations = Operations(Caller(BlockingTransport(self._http), connection))
        self.base_url = connection.base_url

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.base_url}>"

    def close(self) -> None:
        """Let go of the connections."""
        if self._owned:
            self._http.close()

    def run(
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
    ) -> Result:
        """Replace the person in ``video`` by the character of ``image`` and wait for the result.

        Args:
            image: a picture of the character: a path, bytes, an open binary file, or an http(s) or data URL.
                Local files are uploaded.
            video: the shot, likewise.
            model: from ``models()``.
            resolution: 480P, 580P or 720P: the class of the output's short side.
            callback_url: the service POSTs the finished task there; see ``verify_webhook``.
            idempotency_key: one of your own, such as an order's number: the same key and request never make a second
                task, not even from another process. Name the files by URL then (``upload`` gives one): each upload
                has another address and so is another request. Default: a random one for each call.
            timeout: seconds to wait for the task; default for ever.
            options: further input of the model: seed, person, prompt, keep_audio, renderer, …

        Raises:
            InvalidRequest, InsufficientCredits, RateLimited, …: nothing was created.
            TaskFailed, TaskCancelled: nothing was charged. WaitTimeout: the task goes on.
            FileNotFoundError, TypeError, ValueError: ``image`` or ``video`` is none.
        """
        handle = self.submit(
            image,
            video,
            model=model,
            resolution=resolution,
            callback_url=callback_url,
            idempotency_key=idempotency_key,
            **options,
        )
        return handle.wait(timeout)

    def subscribe(
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
    ) -> Result:
        """As ``run``, and call ``on_update`` with every change: queue position, stage, progress."""
        handle = self.submit(
            image,
            video,
            model=model,
            resolution=resolution,
            callback_url=callback_url,
            idempotency_key=idempotency_key,
            **options,
        )
        return handle.wait(timeout, on_update=on_update)

    def submit(
        self,
        image: Media,
        video: Media,
        *,
        model: str = DEFAULT_MODEL,
        resolution: str = "720P",
        callback_url: str | None = None,
        idempotency_key: str | None = None,
        **options: Unpack[ReplaceOptions],
    ) -> TaskHandle:
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
        return self.task(run(self._operations.create(order)))

    def task(self, task_id: str) -> TaskHandle:
        """The handle of a task made earlier or elsewhere. Asks nobody."""
        return TaskHandle(self._operations, task_id)

    def tasks(
        self,
        *,
        status: TaskStatus | str | None = None,
        model: str | None = None,
        source: str | None = None,
        created_after: datetime | int | None = None,
        created_before: datetime | int | None = None,
        page_size: int = 50,
    ) -> Generator[TaskInfo, None, None]:
        """Yield the account's tasks, newest first; pages are fetched as you go.

        Args:
            status: pending, running, success or failed.
            model: of this name only.
            source: ``api`` or ``playground``.
            created_after: a datetime or Unix seconds.
            created_before: likewise.
            page_size: 1 to 100.

        Raises:
            FeatureUnavailable: this service has no list. InvalidRequest.
        """
        wanted = TaskFilter(
            status=status,
            model=model,
            source=source,
            created_after=created_after,
            created_before=created_before,
            page_size=page_size,
        )
        return iterate(self._operations.tasks(wanted))

    def delete(self, task_id: str) -> None:
        """Delete a task that is over, with its media, for good.

        Raises:
            InvalidRequest: not over yet; cancel it first. NotFound. FeatureUnavailable.
        """
        run(self._operations.delete(task_id))

    def estimate(
        self,
        image: Media,
        video: Media,
        *,
        model: str = DEFAULT_MODEL,
        resolution: str = "720P",
        **options: Unpack[ReplaceOptions],
    ) -> Price:
        """What a task would cost; exact but for a video at an address elsewhere. Local files are uploaded: to
        make the task afterwards without doing so again, ``upload`` them yourself and name their URLs in both calls."""
        order = Order(image=image, video=video, model=model, resolution=resolution, options=options)
        return run(self._operations.estimate(order))

    def upload(self, source: Media) -> str:
        """Bring a picture or video to the service; answers the URL to name it by, also in several tasks.

        Raises:
            FileNotFoundError, TypeError, ValueError: it is none. TransferFailed, InvalidRequest: it is refused.
        """
        return run(self._operations.upload(source))

    @property
    def account(self) -> Account:
        """Keys, usage, callbacks and the webhook secret."""
        return Account(self._operations)

    def balance(self) -> Decimal:
        """The account's credits that are neither spent nor reserved."""
        return run(self._operations.balance())

    def models(self, *, modality: str | None = None, operation: str | None = None) -> list[ModelInfo]:
        """The models on offer."""
        return run(self._operations.models(modality, operation))

    def model(self, name: str) -> ModelInfo:
        """One model, with the JSON Schema of its input. Raises NotFound."""
        return run(self._operations.model(name))
