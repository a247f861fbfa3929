"""A task as its owner sees it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bodydouble.service.views import show_task
from bodydouble.tasks.task import ResultCode, TaskResult
from fake_ports import make_task

pytestmark = pytest.mark.anyio
RESULT = TaskResult(code=ResultCode.SUCCESS, message="success", media_keys=("results/1/a/result.mp4",))


class Signer:
    """Satisfies what ``show_task`` needs of ``FileStore``."""

    async def sign_download(self, key: str) -> str:
        return f"https://media/{key}?signed"


@pytest.fixture
def files() -> Any:
    return Signer()


async def test_media_get_new_addresses_at_each_look(files: Any) -> None:
    """The row has keys; the view has signed addresses of the result and of the preview."""
    task = replace(make_task(), result=RESULT, preview_key="results/1/a.jpg", preview_video_key="results/1/b.mp4")
    view = await show_task(files, task, queue_position=3)
    assert view.media_urls == ["https://media/results/1/a/result.mp4?signed"]
    assert view.preview_url == "https://media/results/1/a.jpg?signed"
    assert view.preview_video_url == "https://media/results/1/b.mp4?signed"
    assert (view.queue_position, view.stages) == (3, None)


async def test_deleted_media_have_no_address(files: Any) -> None:
    """After the media were deleted the result stays, without addresses."""
    view = await show_task(files, replace(make_task(), result=RESULT, media_deleted_at=datetime.now(UTC)))
    assert (view.media_urls, view.preview_url) == ([], None)


async def test_a_task_without_result_has_no_media(files: Any) -> None:
    """A running task shows none."""
    assert (await show_task(files, make_task())).media_urls == []
