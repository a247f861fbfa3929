"""The preview of a running task on its way to the file store."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from bodydouble.tasks.errors import StorageFull, StorageUnavailable
from bodydouble.tasks.task import TaskId, preview_video_keys
from bodydouble.worker.supervision import preview_upload
from bodydouble.worker.supervision.preview_upload import PreviewUpload
from bodydouble.worker.workspace import Workspace
from fake_ports import EXECUTOR, TASK_ID, FakePorts, make_task

pytestmark = pytest.mark.anyio
FIRST, SECOND = preview_video_keys(make_task())


class PreviewPorts(FakePorts):
    """Remembers the previews of the task."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[tuple[str, bytes]] = []  # key and content of each preview video
        self.fault: Exception | None = None
        self.changed = asyncio.Event()

    async def set_preview(self, task_id: TaskId, executor: str, picture_key: str, video_key: str) -> None:
        assert (task_id, executor) == (TASK_ID, EXECUTOR)
        assert picture_key in self.stored
        if self.fault is not None:
            raise self.fault
        self.shown.append((video_key, self.stored[video_key]))
        self.changed.set()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path, TASK_ID)
    workspace.make()
    return workspace


@pytest.fixture
def ports() -> PreviewPorts:
    return PreviewPorts()


@pytest.fixture
def upload(workspace: Workspace, ports: Any) -> PreviewUpload:
    return PreviewUpload(make_task(), workspace, ports, ports, EXECUTOR)


def _grow(workspace: Workspace, version: int) -> None:
    """A child has lengthened the preview."""
    workspace.preview.write_bytes(b"picture")
    workspace.preview_video.write_bytes(b"video %d" % version)
    os.utime(workspace.preview_video, (version, version))


async def test_each_growth_is_stored_once_beside_the_one_before(
    workspace: Workspace, ports: PreviewPorts, upload: PreviewUpload
) -> None:
    """A changed preview is stored under the other one of two keys; an unchanged one is not stored again."""
    await upload.store()
    assert ports.shown == []
    for version in (1, 2, 3):
        _grow(workspace, version)
        await upload.store()
        await upload.store()
    assert ports.shown == [(FIRST, b"video 1"), (SECOND, b"video 2"), (FIRST, b"video 3")]


async def test_the_preview_is_stored_while_a_segment_is_rendered(
    workspace: Workspace, ports: PreviewPorts, upload: PreviewUpload, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A preview that grows within a segment is stored before its end."""
    monkeypatch.setattr(preview_upload, "LOOK_SECONDS", 0.001)
    async with upload.following():
        _grow(workspace, 1)
        await ports.changed.wait()
    assert ports.shown == [(FIRST, b"video 1")]


@pytest.mark.parametrize("fault", [StorageUnavailable("away"), StorageFull("full"), OSError("gone")])
async def test_a_preview_that_is_not_stored_costs_nothing(
    workspace: Workspace, ports: PreviewPorts, upload: PreviewUpload, fault: Exception
) -> None:
    """The fault is not raised, and the same preview is stored at the next look."""
    _grow(workspace, 1)
    ports.fault = fault
    await upload.store()
    ports.fault = None
    await upload.store()
    assert ports.shown == [(FIRST, b"video 1")]
