"""A task's inputs: fetched from foreign addresses, kept in the file store, copied into a workspace."""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import structlog

from bodydouble.tasks.digests import digest_of, has_digest, is_intact, store_digest
from bodydouble.tasks.errors import InputRejected, NotFound, StorageUnavailable
from bodydouble.tasks.files import Downloader, FileStore, fetched_inputs_prefix
from bodydouble.tasks.task import Task
from bodydouble.worker.order import WorkerOptions
from bodydouble.worker.supervision.retry import retry_on_outage
from bodydouble.worker.workspace import Workspace

FIELDS = (("img_urls", "image"), ("video_urls", "video"))
"""Fields of the inputs, and the names of their files in the workspace, which are extensions in the file store."""

log = structlog.get_logger(__name__)


class TaskInputs:
    """Both inputs of a task.

    Own uploads are in the file store already. Files from other addresses are fetched once, before the task waits for a
    render slot, and kept in the file store until the task ends, for whichever worker renders it. The digest of such a
    file is its name.
    """

    def __init__(self, task: Task, workspace: Workspace, files: FileStore, downloader: Downloader) -> None:
        self._task, self._workspace, self._files, self._downloader = task, workspace, files, downloader
        self._prefix = fetched_inputs_prefix(task.account, task.id)

    async def fetch(self, options: WorkerOptions) -> None:
        """Fetch the files from foreign addresses that are not in the file store yet. Raises InputRejected."""
        for field, name in await self._foreign():
            if await self._stored_key(name) is None:
                await retry_on_outage(self._make_workspace)
                target = self._workspace.path / name
                await retry_on_outage(partial(self._download, target, field, name, options))
                digest = await asyncio.to_thread(digest_of, target)
                key = f"{self._prefix}/{digest}.{name}"
                await retry_on_outage(partial(self._files.put_file, key, target, "application/octet-stream"))

    async def complete(self, options: WorkerOptions) -> None:
        """Make the workspace, and copy the inputs that are missing or damaged. Raises InputRejected."""
        await retry_on_outage(self._make_workspace)
        for field, name in FIELDS:
            target = self._workspace.path / name
            if await asyncio.to_thread(is_intact, target):
                continue
            key = await self._own_key(field)
            if key is not None:
                await self._copy_upload(key, target, field, options.limits[f"{name}_bytes_max"])
            elif not await self._copy_stored(name, target):
                await retry_on_outage(partial(self._download, target, field, name, options))
            await retry_on_outage(partial(self._store_digest, target))

    async def drop(self) -> None:
        """Delete the files that were fetched for the task. Files that cannot be deleted now are left to the cleanup."""
        try:
            if await self._foreign():
                await self._files.delete_prefix(self._prefix)
        except StorageUnavailable as error:  # the cleanup deletes them later
            log.warning("fetched inputs were not removed", error=error.message)

    async def _foreign(self) -> Sequence[tuple[str, str]]:
        """The fields with an address elsewhere, and the names of their files."""
        return [(field, name) for field, name in FIELDS if await self._own_key(field) is None]

    async def _own_key(self, field: str) -> str | None:
        url = str(self._task.inputs[field][0])
        return await retry_on_outage(lambda: self._files.own_key(url, self._task.account))

    async def _stored_key(self, name: str) -> str | None:
        async def find() -> str | None:
            return next(iter([s.key async for s in self._files.list(self._prefix) if s.key.endswith(f".{name}")]), None)

        return await retry_on_outage(find)

    async def _copy_stored(self, name: str, target: Path) -> bool:
        """Copy a fetched file from the file store; false if it is not there, or damaged."""
        key = await self._stored_key(name)
        if key is None:
            return False
        try:
            await retry_on_outage(lambda: self._files.get_file(key, target))
        except NotFound:
            return False
        if await asyncio.to_thread(has_digest, target, Path(key).stem):
            return True
        log.warning("a fetched input was damaged in the file store; it is fetched again", key=key)
        return False

    async def _copy_upload(self, key: str, target: Path, field: str, bytes_max: int) -> None:
        try:
            await retry_on_outage(lambda: self._files.get_file(key, target, bytes_max))
        except NotFound:
            raise InputRejected(
                f"{field}: nothing was uploaded to this address. PUT the file to the presigned_url that upload-url "
                "answered, then create the task again.",
                field=field,
            ) from None

    async def _store_digest(self, target: Path) -> None:
        await asyncio.to_thread(store_digest, target)

    async def _make_workspace(self) -> None:
        self._workspace.make()

    async def _download(self, target: Path, field: str, name: str, options: WorkerOptions) -> None:
        url = str(self._task.inputs[field][0])
        await self._downloader.download(url, target, options.limits[f"{name}_bytes_max"], field)
