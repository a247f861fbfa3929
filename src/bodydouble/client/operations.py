"""What a client can ask for, written once for both kinds of client."""

import logging
import os
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from bodydouble.client.caller import API_PATH, Caller, Connection
from bodydouble.client.downloads import GONE, fetch, target_of
from bodydouble.client.errors import (
    AuthenticationError,
    FeatureUnavailable,
    NotFound,
    TransferFailed,
    WaitTimeout,
    task_error,
)
from bodydouble.client.following import Following
from bodydouble.client.media import Media
from bodydouble.client.task_info import ModelInfo, Price, TaskInfo, TaskUpdate, exact
from bodydouble.client.uploads import bring
from bodydouble.tasks.task import TaskStatus

T = TypeVar("T")
DEFAULT_URL = "http://127.0.0.1:8000"
DEFAULT_MODEL = "wan/2-2-animate-replace"
HOSTED = "crun.ai"  # does not say that it knows Idempotency-Key

_log = logging.getLogger("bodydouble.client")


@dataclass(frozen=True, kw_only=True)
class Order:
    """One task to be made."""

    image: Media
    video: Media
    model: str = DEFAULT_MODEL
    resolution: str = "720P"
    callback_url: str | None = None
    idempotency_key: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, kw_only=True)
class TaskFilter:
    """Which tasks to list; None lets all through."""

    status: TaskStatus | str | None = None
    model: str | None = None
    source: str | None = None
    created_after: datetime | int | None = None
    created_before: datetime | int | None = None
    page_size: int = 50

    def params(self, cursor: str | None) -> dict[str, str | int]:
        """The query of one page."""
        wanted = {
            "limit": self.page_size,
            "status": str(self.status) if self.status else None,
            "model": self.model,
            "source": self.source,
            "created_after": unix(self.created_after),
            "created_before": unix(self.created_before),
            "cursor": cursor,
        }
        return {name: value for name, value in wanted.items() if value is not None}


def unix(moment: datetime | int | None) -> int | None:
    """As the wire has all times."""
    return int(moment.timestamp()) if isinstance(moment, datetime) else moment


def connection_from(
    api_key: str | None, base_url: str | None, timeout: float, max_retries: int, idempotent_creates: bool | None
) -> Connection:
    """What a client was given, else the environment, else this machine's own service.

    Raises:
        AuthenticationError: there is no key, or what is none. ValueError: the address is no http(s) URL.
    """
    key = (api_key or os.environ.get("BODYDOUBLE_API_KEY") or "").strip()
    if not key:
        raise AuthenticationError("No API key: pass api_key=… or set BODYDOUBLE_API_KEY (`bodydouble keys create`)")
    if not key.isascii():
        raise AuthenticationError("The API key is none as it stands: it has characters that no key has; copy it whole")
    url = (base_url or os.environ.get("BODYDOUBLE_BASE_URL") or DEFAULT_URL).rstrip("/").removesuffix(API_PATH)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"base_url: {url!r} is no http or https URL, such as {DEFAULT_URL}")
    if idempotent_creates is None:
        idempotent_creates = parts.hostname != HOSTED and not parts.hostname.endswith(f".{HOSTED}")
    return Connection(
        base_url=url,
        api_key=key,
        timeout_seconds=timeout,
        max_retries=max_retries,
        idempotent_creates=idempotent_creates,
    )


class Operations:
    """The use cases over a ``Caller``."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def create(self, order: Order) -> str:
        """Bring the files, make the task; answers its id."""
        body = await self._body(order)
        headers = {"idempotency-key": order.idempotency_key or uuid.uuid4().hex}
        caller = self._caller

        async def once() -> Any:
            request = caller.request("POST", "job/CreateTask", body=body, headers=headers)
            return (await caller.send_once(request, repeatable=caller.connection.idempotent_creates)).data

        return str((await caller.retried(once))["task_id"])

    async def estimate(self, order: Order) -> Price:
        """The price of a task that is not made."""
        body = await self._body(order)
        return Price.from_data(await self._caller.call("POST", "job/estimate-credits", body=body))

    async def _body(self, order: Order) -> dict[str, Any]:
        image = await self.upload(order.image, "image")
        video = await self.upload(order.video, "video")
        named = {"img_urls": [image], "video_urls": [video], "resolution": order.resolution}
        body: dict[str, Any] = {"model": order.model, "input": named | dict(order.options)}
        return body | ({"callback_url": order.callback_url} if order.callback_url else {})

    async def upload(self, source: Media, name: str = "source") -> str:
        """The address of a file that was brought to the service."""
        return await bring(self._caller, source, name)

    async def info(self, task_id: str) -> TaskInfo:
        """The task as it stands."""
        return TaskInfo.from_data(await self._caller.call("GET", "job/TaskInfo", params={"task_id": task_id}))

    def updates(self, task_id: str, timeout_seconds: float | None = None) -> AsyncGenerator[TaskUpdate, None]:
        """Every change of the task until it is over."""
        return Following(self._caller, task_id, timeout_seconds).updates()

    async def finish(
        self,
        task_id: str,
        timeout_seconds: float | None,
        tell: Callable[[TaskUpdate], Awaitable[None]],
    ) -> TaskInfo:
        """The successful task, after each update was told. Raises TaskFailed, TaskCancelled, WaitTimeout."""
        task: TaskInfo | None = None
        try:
            async with aclosing(self.updates(task_id, timeout_seconds)) as updates:
                async for update in updates:
                    task = update.task
                    await tell(update)
        except (NotFound, WaitTimeout):
            raise
        except BaseException as error:  # also Ctrl-C, and whatever the caller's own callback raises
            error.add_note(f"Nobody waits for task {task_id} any more, but it goes on; client.task() finds it again.")
            raise
        assert task is not None, "updates end with the one that is done"
        return succeeded(task)

    async def cancel(self, task_id: str) -> bool:
        """Ask the task to stop; False where it was over."""
        call = self._caller.call("POST", "job/CancelTask", params={"task_id": task_id})
        return bool((await self._offered("CancelTask", call))["cancelling"])

    async def delete(self, task_id: str) -> None:
        """Delete a task that is over, with its media."""
        tries = 0

        async def once() -> None:
            nonlocal tries
            tries += 1
            request = self._caller.request("POST", "job/DeleteTask", params={"task_id": task_id})
            try:
                await self._caller.send_once(request)
            except NotFound as error:
                if tries == 1 or not _is_of_a_thing(error):  # else: the try whose answer was lost has deleted it
                    raise

        await self._offered("DeleteTask", self._caller.retried(once))

    async def tasks(self, wanted: TaskFilter) -> AsyncGenerator[TaskInfo, None]:
        """The account's tasks, newest first, page by page as they are asked for."""
        cursor: str | None = None
        while True:
            page = await self._offered("Tasks", self._caller.call("GET", "job/Tasks", params=wanted.params(cursor)))
            for data in page["tasks"]:
                yield TaskInfo.from_data(data)
            cursor = page.get("next_cursor")
            if not cursor:
                return

    async def ask(self, method: str, path: str, *, repeatable: bool = True, **arguments: Any) -> Any:
        """``data`` of an endpoint that the hosted service does not have; ``arguments`` are those of a request.

        ``repeatable``: sending it twice does it once, so that a lost answer may be asked for again.
        """
        caller = self._caller

        async def once() -> Any:
            return (await caller.send_once(caller.request(method, path, **arguments), repeatable=repeatable)).data

        return await self._offered(path, caller.retried(once))

    async def _offered(self, name: str, call: Coroutine[Any, Any, T]) -> T:
        """What ``call`` returns, of an endpoint that the hosted service does not have."""
        try:
            return await call
        except NotFound as error:
            if _is_of_a_thing(error):
                raise
            missing = f"The service at {self._caller.connection.base_url} has no {name} ({error.message})"
            raise FeatureUnavailable(missing, code=error.code, request_id=error.request_id) from error

    async def balance(self) -> Decimal:
        """Credits that are neither spent nor reserved."""
        return exact((await self._caller.call("GET", "account/balance"))["balance"])

    async def models(self, modality: str | None, operation: str | None) -> list[ModelInfo]:
        """The catalogue."""
        params = {k: v for k, v in (("modality", modality), ("operation", operation)) if v is not None}
        data = await self._caller.call("GET", "job/Models", params=params)
        return [ModelInfo.from_data(entry) for entry in data["models"]]

    async def model(self, name: str) -> ModelInfo:
        """One entry of the catalogue, with the schema of its input."""
        return ModelInfo.from_data(await self._caller.call("GET", f"job/Models/{quote(name)}"))

    async def download(self, task: TaskInfo, index: int, path: str | os.PathLike[str]) -> Path:
        """A result's file; an address that has expired is asked for anew, once."""
        if not task.media_urls:
            raise TransferFailed(
                f"task {task.id} has no media any more: they were deleted when their time was over", code=404
            )
        target = target_of(Path(path), task.media_urls[index])
        try:
            await fetch(self._caller, task.media_urls[index], target)
        except TransferFailed as error:
            if error.code not in GONE:
                raise
            _log.info("the address of the result is no longer good: asking for another (%s)", error)
            fresh = await self.info(task.id)
            if index >= len(fresh.media_urls):
                raise
            await fetch(self._caller, fresh.media_urls[index], target)
        return target


def succeeded(task: TaskInfo) -> TaskInfo:
    """The task where it went well. Raises TaskFailed, TaskCancelled."""
    if task.status is not TaskStatus.SUCCESS:
        raise task_error(task)
    return task


def _is_of_a_thing(error: NotFound) -> bool:
    """The service knows the endpoint and misses the task ("Task not found", as the hosted one says it too) or key."""
    return any(thing in error.message.lower() for thing in ("task", "key"))
