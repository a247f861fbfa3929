"""What a worker relies on of a file store: on a local folder, a bucket, and the fake of the worker's tests."""

from pathlib import Path
from typing import cast

import pytest

from bodydouble.store import FileLimits, LocalFileStore, Scratch
from bodydouble.store.buckets import open_bucket
from bodydouble.store.objects import ObjectFileStore
from bodydouble.tasks.errors import InputRejected, NotFound
from bodydouble.tasks.files import FileStore
from fake_ports import FakePorts

pytestmark = pytest.mark.anyio

LIMITS = FileLimits(upload_seconds=60, download_seconds=60, image_bytes_max=800, video_bytes_max=1000)
KEY, ABSENT = "results/7/0198-task/result.mp4", "results/7/0198-task/absent.mp4"


@pytest.fixture(params=["local", "bucket", "fake"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    if request.param == "fake":
        return cast("FileStore", FakePorts(missing={ABSENT}))
    if request.param == "local":
        return LocalFileStore(tmp_path / "files", "https://media.example", b"of the installation", LIMITS)
    s3 = request.getfixturevalue("s3")
    bucket = open_bucket(s3.url(s3.make_bucket()))
    scratch = Scratch(tmp_path / "scratch")
    return ObjectFileStore(bucket, "https://media.example", b"of the installation", LIMITS, scratch)


async def test_a_stored_file_is_read_back(files: FileStore, tmp_path: Path) -> None:
    """A second file under the same key replaces the first."""
    source, target = tmp_path / "source.mp4", tmp_path / "target.mp4"
    for content in (b"first", b"second"):
        source.write_bytes(content)
        await files.put_file(KEY, source, "video/mp4")
    await files.get_file(KEY, target)
    assert target.read_bytes() == b"second"


async def test_an_absent_file_is_not_found(files: FileStore, tmp_path: Path) -> None:
    """Nothing is written to the target."""
    with pytest.raises(NotFound):
        await files.get_file(ABSENT, tmp_path / "target.mp4")
    assert not (tmp_path / "target.mp4").exists()


async def test_a_file_beyond_the_limit_is_refused(files: FileStore, tmp_path: Path) -> None:
    """``bytes_max`` is the largest size that is copied."""
    source, target = tmp_path / "source.mp4", tmp_path / "target.mp4"
    source.write_bytes(b"12345")
    await files.put_file(KEY, source, "video/mp4")
    with pytest.raises(InputRejected):
        await files.get_file(KEY, target, bytes_max=4)
    await files.get_file(KEY, target, bytes_max=5)


async def test_a_foreign_address_has_no_key(files: FileStore) -> None:
    """Only addresses of the store itself name a file."""
    assert await files.own_key("https://elsewhere.example/files/a.mp4") is None
