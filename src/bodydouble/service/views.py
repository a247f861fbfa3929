"""A task as its owner sees it."""

from collections.abc import Sequence
from dataclasses import dataclass

from bodydouble.tasks.files import FileStore
from bodydouble.tasks.task import StageTime, Task


@dataclass(frozen=True, kw_only=True)
class TaskView:
    """A task, its place in the queue, and newly signed addresses of its media."""

    task: Task
    queue_position: int | None
    media_urls: Sequence[str]
    preview_url: str | None = None
    preview_video_url: str | None = None
    stages: Sequence[StageTime] | None = None  # None if they were not read


async def show_task(
    files: FileStore, task: Task, queue_position: int | None = None, stages: Sequence[StageTime] | None = None
) -> TaskView:
    """The view of a task. Raises StorageUnavailable if the bucket cannot sign."""
    keys = task.result.media_keys if task.result and task.media_deleted_at is None else ()
    return TaskView(
        task=task,
        queue_position=queue_position,
        media_urls=[await files.sign_download(key) for key in keys],
        preview_url=await files.sign_download(task.preview_key) if task.preview_key else None,
        preview_video_url=await files.sign_download(task.preview_video_key) if task.preview_video_key else None,
        stages=stages,
    )
