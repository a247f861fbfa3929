# By tools/generate_sync_client.py from ../asynchronous/result.py. Edit that file, then run `make client`.
"""The result of a successful task."""

import os
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from bodydouble_client.blocking.operations import Operations
from bodydouble_client.task_info import ResultWarning, TaskInfo


class Result:
    """The result of a task of an ``Client``."""

    def __init__(self, operations: Operations, task: TaskInfo) -> None:
        self._operations, self.task = operations, task

    @property
    def task_id(self) -> str:
        """The task's id."""
        return self.task.id

    @property
    def media_urls(self) -> Sequence[str]:
        """The video's addresses. Any HTTP client can GET them without a key until they expire."""
        return self.task.media_urls

    @property
    def media_info(self) -> Mapping[str, Any]:
        """renderer, width, height, fps, frames, duration_s, audio, warnings: as the service sends them."""
        return self.task.media_info

    @property
    def warnings(self) -> Sequence[ResultWarning]:
        """Where the result is worse than requested; empty if nothing is."""
        return self.task.warnings

    @property
    def credits(self) -> Decimal:
        """The task's price."""
        return self.task.credits

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of task {self.task_id}>"

    def download(self, path: str | os.PathLike[str], *, index: int = 0) -> Path:
        """Download the video to ``path``, completely or not at all; the path of the file.

        Args:
            path: a file, which is replaced if it exists, or a folder, in which the file gets the service's name.
            index: which of ``media_urls``.

        Raises:
            TransferFailed: refused, or the media have been deleted. ConnectionFailed. OSError.
        """
        return self._operations.download(self.task, index, path)
