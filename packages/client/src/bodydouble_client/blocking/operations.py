# By tools/generate_sync_client.py from ../asynchronous/operations.py. Edit that file, then run `make client`.
"""The operations of the client API."""

import logging
import os
import sys
import uuid
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bodydouble_client.blocking.downloads import EXPIRED_STATUSES, download, download_path
from bodydouble_client.blocking.request_sender import RequestSender
from bodydouble_client.blocking.task_follower import TaskFollower
from bodydouble_client.blocking.uploads import upload
from bodydouble_client.errors import FeatureUnavailable, NotFound, TransferFailed
from bodydouble_client.media import Media
from bodydouble_client.task_errors import WaitTimeout, require_success
from bodydouble_client.task_info import ModelInfo, Price, TaskInfo, TaskUpdate, exact_decimal
from bodydouble_client.task_request import TaskFilter, TaskRequest

_log = logging.getLogger("bodydouble_client")


class Operations:
    """The client API of one service."""

    def __init__(self, sender: RequestSender) -> None:
        self._sender = sender

    def create(self, task: TaskRequest) -> str:
        """Upload the files and create the task; its id."""
        body = self._body(task)
        # Every retry carries the same key, so that the service creates one task.
        headers = {"idempotency-key": task.idempotency_key or uuid.uuid4().hex}
        repeatable = self._sender.connection.idempotent_creates
        data = self._sender.call("POST", "job/CreateTask", repeatable=repeatable, body=body, headers=headers)
        return str(data["task_id"])

    def estimate(self, task: TaskRequest) -> Price:
        """The price of a task, without creating it."""
        body = self._body(task)
        return Price.from_data(self._sender.call("POST", "job/estimate-credits", body=body))

    def _body(self, task: TaskRequest) -> dict[str, Any]:
        image_url = self.upload(task.image, "image")
        video_url = self.upload(task.video, "video")
        return task.body(image_url, video_url)

    def upload(self, source: Media, field: str = "source") -> str:
        """The URL of ``source`` after it was uploaded."""
        return upload(self._sender, source, field)

    def info(self, task_id: str) -> TaskInfo:
        """The task's current state."""
        return TaskInfo.from_data(self._sender.call("GET", "job/TaskInfo", params={"task_id": task_id}))

    def updates(self, task_id: str, timeout_seconds: float | None = None) -> Generator[TaskUpdate, None, None]:
        """Every change of the task until it is finished."""
        return TaskFollower(self._sender, task_id, timeout_seconds).updates()

    def wait(self, task_id: str, timeout_seconds: float | None, on_update: Callable[[TaskUpdate], None]) -> TaskInfo:
        """The successful task; ``on_update`` is called with each update. Raises TaskFailed, TaskCancelled."""
        task: TaskInfo | None = None
        try:
            with closing(self.updates(task_id, timeout_seconds)) as updates:
                for update in updates:
                    task = update.task
                    on_update(update)
        except (NotFound, WaitTimeout):
            raise
        except BaseException as error:  # also Ctrl-C, and errors raised by the program's callback
            if sys.version_info >= (3, 11):  # Python 3.10 has no notes
                error.add_note(f"The wait for task {task_id} ended, but it continues; client.task() finds it again.")
            raise
        assert task is not None, "the last update has is_done"
        return require_success(task)

    def cancel(self, task_id: str) -> bool:
        """Request the task's cancellation; False if it was finished already."""
        data = self.call_optional("POST", "job/CancelTask", params={"task_id": task_id})
        return bool(data["cancelling"])

    def delete(self, task_id: str) -> None:
        """Delete a finished task and its media."""
        attempts = 0

        def attempt() -> None:
            nonlocal attempts
            attempts += 1
            request = self._sender.connection.request("POST", "job/DeleteTask", params={"task_id": task_id})
            try:
                self._sender.send_once(request)
            except NotFound as error:
                if attempts == 1 or not _is_missing_item(error):  # else an earlier attempt deleted it
                    raise

        with self._optional_endpoint("job/DeleteTask"):
            self._sender.retry(attempt)

    def tasks(self, selection: TaskFilter) -> Generator[TaskInfo, None, None]:
        """Yield the account's tasks, newest first; each page is requested when it is needed."""
        cursor: str | None = None
        while True:
            page = self.call_optional("GET", "job/Tasks", params=selection.params(cursor))
            for data in page["tasks"]:
                yield TaskInfo.from_data(data)
            cursor = page.get("next_cursor")
            if not cursor:
                return

    def call_optional(self, method: str, path: str, **arguments: Any) -> Any:
        """``RequestSender.call`` for an endpoint that the hosted service does not have. Raises FeatureUnavailable."""
        with self._optional_endpoint(path):
            return self._sender.call(method, path, **arguments)

    @contextmanager
    def _optional_endpoint(self, path: str) -> Generator[None, None, None]:
        """Raise FeatureUnavailable if the endpoint itself, not the task or key, is missing."""
        try:
            yield
        except NotFound as error:
            if _is_missing_item(error):
                raise
            name = path.removeprefix("job/")
            missing = f"The service at {self._sender.connection.base_url} has no {name} ({error.message})"
            raise FeatureUnavailable(missing, code=error.code, request_id=error.request_id) from error

    def balance(self) -> Decimal:
        """Credits that are neither spent nor reserved."""
        return exact_decimal((self._sender.call("GET", "account/balance"))["balance"])

    def models(self, modality: str | None, operation: str | None) -> list[ModelInfo]:
        """The catalogue, restricted to ``modality`` and ``operation`` where given."""
        params = {k: v for k, v in (("modality", modality), ("operation", operation)) if v is not None}
        data = self._sender.call("GET", "job/Models", params=params)
        return [ModelInfo.from_data(entry) for entry in data["models"]]

    def model(self, name: str) -> ModelInfo:
        """One entry of the catalogue with its input schema."""
        return ModelInfo.from_data(self._sender.call("GET", f"job/Models/{quote(name)}"))

    def download(self, task: TaskInfo, index: int, path: str | os.PathLike[str]) -> Path:
        """Download one of the task's media; an expired address is renewed once."""
        if not task.media_urls:
            raise TransferFailed(f"task {task.id} has no media any more: they were deleted when they expired", code=404)
        target = download_path(Path(path), task.media_urls[index])
        try:
            download(self._sender, task.media_urls[index], target)
        except TransferFailed as error:
            if error.code not in EXPIRED_STATUSES:
                raise
            _log.info("the address of the result has expired: requesting a new one (%s)", error)
            renewed = self.info(task.id)
            if index >= len(renewed.media_urls):
                raise
            download(self._sender, renewed.media_urls[index], target)
        return target


def _is_missing_item(error: NotFound) -> bool:
    """Whether the task or key is missing ("Task not found", also on the hosted service), not the endpoint."""
    return any(item in error.message.lower() for item in ("task", "key"))
