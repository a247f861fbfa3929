"""Copies a task's inputs into its workspace."""

import asyncio
from pathlib import Path

from bodydouble.tasks.digests import is_intact, store_digest
from bodydouble.tasks.errors import InputRejected, NotFound
from bodydouble.tasks.files import Downloader, FileStore
from bodydouble.tasks.task import Task
from bodydouble.worker.order import WorkerOptions
from bodydouble.worker.supervision.retry import retry_on_outage
from bodydouble.worker.workspace import Workspace, disk_errors_translated


class InputFetcher:
    """Own uploads come from the file store, all other addresses through the downloader."""

    def __init__(self, task: Task, workspace: Workspace, files: FileStore, downloader: Downloader) -> None:
        self._task, self._workspace, self._files, self._downloader = task, workspace, files, downloader

    async def fetch(self, options: WorkerOptions) -> None:
        """Make the workspace, and copy the inputs that are missing or damaged. Raises InputRejected."""
        await retry_on_outage(self._make_workspace)
        for field, target, limit in (
            ("img_urls", self._workspace.image, "image_bytes_max"),
            ("video_urls", self._workspace.video, "video_bytes_max"),
        ):
            if not await asyncio.to_thread(is_intact, target):
                await self._fetch_one(field, target, options.limits[limit])
                await asyncio.to_thread(store_digest, target)

    async def _make_workspace(self) -> None:
        self._workspace.make()

    async def _fetch_one(self, field: str, target: Path, bytes_max: int) -> None:
        url = str(self._task.inputs[field][0])
        key = await retry_on_outage(lambda: self._files.own_key(url, self._task.account))
        if key is None:
            await retry_on_outage(lambda: self._download(url, target, bytes_max, field))
            return
        try:
            await retry_on_outage(lambda: self._files.get_file(key, target, bytes_max))
        except NotFound:
            raise InputRejected(
                f"{field}: nothing was uploaded to this address. PUT the file to the presigned_url that upload-url "
                "answered, then create the task again.",
                field=field,
            ) from None

    async def _download(self, url: str, target: Path, bytes_max: int, field: str) -> None:
        with disk_errors_translated():
            await self._downloader.download(url, target, bytes_max, field)
