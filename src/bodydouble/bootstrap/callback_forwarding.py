"""Forwards the callbacks of an account to a program on this machine, which the service cannot reach."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Protocol

import httpx

from bodydouble.outbound.callbacks import signed_headers
from bodydouble_client import Client, TaskInfo

POLL_SECONDS = 2.0
PAGE = 50
"""Number of newest tasks that are read each time; more than can end between two reads."""
FORWARD_SECONDS_MAX = 15.0
"""Limit of one POST: as long as a callback may take."""


class TaskSource(Protocol):
    """The part of the client that ``EndedTasks`` needs."""

    def recent(self) -> list[TaskInfo]:
        """The newest tasks of the account."""
        ...

    def read(self, task_id: str) -> TaskInfo:
        """One task."""
        ...


class EndedTasks:
    """Finds the tasks that end from now on, each once."""

    def __init__(self, source: TaskSource) -> None:
        self._source = source
        self._open: set[str] = set()
        self._known = {task.id for task in source.recent() if task.is_over}

    def find(self) -> Iterator[TaskInfo]:
        """Yield each task that ended since the last call."""
        recent = {task.id: task for task in self._source.recent()}
        self._open |= recent.keys() - self._known
        self._known |= recent.keys()
        for task_id in sorted(self._open):
            if task_id in recent and not recent[task_id].is_over:
                continue
            task = self._source.read(task_id)  # whole; a page of tasks may leave fields out
            if task.is_over:
                self._open.discard(task_id)
                yield task


class ClientTasks:
    """Tasks through the client; satisfies ``TaskSource``."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def recent(self) -> list[TaskInfo]:
        """The newest page of tasks."""
        return list(islice(self._client.tasks(page_size=PAGE), PAGE))

    def read(self, task_id: str) -> TaskInfo:
        """One task."""
        return self._client.task(task_id).status()


def follow(ended: EndedTasks, forward_one: Callable[[TaskInfo], None]) -> None:
    """Forward every task that ends, for ever."""
    while True:
        for task in ended.find():
            forward_one(task)
        time.sleep(POLL_SECONDS)


def forward(task: TaskInfo, url: str, secret: str, http: httpx.Client) -> str:
    """Send the callback of a task once; a line that says what came back."""
    body = json.dumps(dict(task.raw)).encode()
    headers = signed_headers(f"listen_{task.id}", datetime.now(UTC), body, [secret])
    try:
        answer = http.post(url, content=body, headers=headers)
    except httpx.HTTPError as error:
        return f"{task.id} {task.status}: {url} does not answer ({type(error).__name__})"
    return f"{task.id} {task.status}: {answer.status_code}"
