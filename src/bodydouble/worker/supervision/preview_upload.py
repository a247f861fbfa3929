"""The preview of a running task, copied to the file store while the child makes it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import structlog

from bodydouble.tasks.errors import BodydoubleError
from bodydouble.tasks.files import FileStore
from bodydouble.tasks.ports import TaskStore
from bodydouble.tasks.task import Task, preview_video_keys
from bodydouble.worker.workspace import Workspace

LOOK_SECONDS = 2.0
"""Interval between two looks at the workspace."""

log = structlog.get_logger(__name__)


class PreviewUpload:
    """Stores the preview whenever it has grown. A failure is logged; it costs the task nothing."""

    def __init__(self, task: Task, workspace: Workspace, files: FileStore, store: TaskStore, executor: str) -> None:
        self._task, self._workspace = task, workspace
        self._files, self._store, self._executor = files, store, executor
        self._stored_ns = 0  # modification time of the stored video
        self._uploads = 0

    @asynccontextmanager
    async def following(self) -> AsyncGenerator[None]:
        """Store the preview whenever it has grown during the block."""
        following = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.store()

    async def store(self) -> None:
        """Store video and picture, if the video has changed.

        Successive videos have two keys in turn, so that a browser can finish reading the former one.
        """
        try:
            made_ns = self._workspace.preview_video.stat().st_mtime_ns
            if made_ns == self._stored_ns:
                return
            picture = f"results/{self._task.account}/{self._task.id}.jpg"
            video = preview_video_keys(self._task)[self._uploads % 2]
            await self._files.put_file(picture, self._workspace.preview, "image/jpeg")
            await self._files.put_file(video, self._workspace.preview_video, "video/mp4")
            await self._store.set_preview(self._task.id, self._executor, picture, video)
        except FileNotFoundError:  # nothing is rendered yet, or the workspace was lost
            return
        except (BodydoubleError, OSError) as error:
            log.warning("the preview was not stored", error=str(error))
            return
        self._stored_ns = made_ns
        self._uploads += 1
