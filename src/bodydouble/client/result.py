"""What a successful task gives."""

import os
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from bodydouble.client.operations import Operations
from bodydouble.client.task_info import ResultWarning, TaskInfo
from bodydouble.client.transport import run


class FinishedTask:
    """What both kinds of result have."""

    def __init__(self, operations: Operations, task: TaskInfo) -> None:
        self._operations, self.task = operations, task

    @property
    def task_id(self) -> str:
        """The task that made it."""
        return self.task.id

    @property
    def media_urls(self) -> Sequence[str]:
        """Where the video is: any HTTP client can GET it, without a key, until the address expires."""
        return self.task.media_urls

    @property
    def media_info(self) -> Mapping[str, Any]:
        """renderer, width, height, fps, frames, duration_s, audio, warnings: as the service tells."""
        return self.task.media_info

    @property
    def warnings(self) -> Sequence[ResultWarning]:
        """What the renderer could not do as well as asked; empty is good."""
        return self.task.warnings

    @property
    def credits(self) -> Decimal:
        """What the task cost."""
        return self.task.credits

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of task {self.task_id}>"


class Result(FinishedTask):
    """The result of a task, from a ``Client``."""

    def download(self, path: str | os.PathLike[str], *, index: int = 0) -> Path:
        """Fetch the video to ``path``, whole or not at all; answers where it is.

        Args:
            path: a file, which is replaced where there is one, or a folder, where it gets the service's name.
            index: which of ``media_urls``.

        Raises:
            TransferFailed: refused, or the media have been deleted. ConnectionFailed. OSError.
        """
        return run(self._operations.download(self.task, index, path))


class AsyncResult(FinishedTask):
    """The result of a task, from an ``AsyncClient``."""

    async def download(self, path: str | os.PathLike[str], *, index: int = 0) -> Path:
        """As ``Result.download``; the file is written in a thread."""
        return await self._operations.download(self.task, index, path)
