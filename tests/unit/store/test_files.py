"""The local file store."""

from pathlib import Path

import pytest

from bodydouble.store import LocalFileStore
from bodydouble.tasks.errors import InputRejected, NotFound, StorageUnavailable
from bodydouble.tasks.task import AccountId

URL = "https://media.example"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def files(tmp_path: Path) -> LocalFileStore:
    return LocalFileStore(tmp_path / "files", URL, upload_seconds=60, download_seconds=60, bytes_max=100)


@pytest.mark.anyio
async def test_a_stored_file_comes_back(files: LocalFileStore, tmp_path: Path) -> None:
    """put_file and get_file carry bytes and type, and leave no half files."""
    (tmp_path / "in").write_bytes(b"bytes")
    stored = await files.put_file("results/a-1/out.mp4", tmp_path / "in", "video/mp4")
    assert (stored.size_bytes, stored.content_type) == (5, "video/mp4")
    got = await files.get_file("results/a-1/out.mp4", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"bytes"
    assert got.size_bytes == 5
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.anyio
@pytest.mark.parametrize(
    "key", ["../secret", "results/../../x.mp4", "/etc/passwd", "results/a/.x", "results/a/b.mp4\n", "uploads/1/a.mp4/b"]
)
async def test_no_key_leaves_the_folder(files: LocalFileStore, tmp_path: Path, key: str) -> None:
    """What does not look like a key of ours is not found, for reading and for writing."""
    (tmp_path / "in").write_bytes(b"bytes")
    with pytest.raises(NotFound):
        await files.get_file(key, tmp_path / "out")
    with pytest.raises(NotFound):
        await files.put_file(key, tmp_path / "in", "video/mp4")


def test_own_addresses_are_known(files: LocalFileStore) -> None:
    """An address is ours with this host, path and signature only."""
    signed = files.sign_upload("video/mp4", ".mp4", AccountId(7))
    key = files.own_key(signed.file_url)
    assert key is not None
    assert key.startswith("uploads/7/")
    assert files.own_key(signed.put_url) is None
    assert files.own_key(signed.file_url.replace("media.example", "media.example.org")) is None
    assert files.own_key(signed.file_url.replace("uploads/7", "uploads/8")) is None
    assert files.own_key("http://[::1") is None


def test_the_signing_key_outlives_the_process(files: LocalFileStore) -> None:
    """Addresses made before a restart work after it."""
    again = LocalFileStore(files.folder, URL, upload_seconds=60, download_seconds=60, bytes_max=100)
    assert again.own_key(files.sign_download("results/a/b.mp4")) == "results/a/b.mp4"


@pytest.mark.parametrize(
    ("content_type", "extension", "problem"),
    [
        ("video/mp4", ".exe", "ext"),
        ("image/png", ".mp4", "content_type"),
        ("video/mp4\r\nx: y", ".mp4", "content_type"),
    ],
)
def test_other_types_have_no_upload_address(
    files: LocalFileStore, content_type: str, extension: str, problem: str
) -> None:
    """Only pictures and videos, with an extension that fits; the message names the wrong field."""
    with pytest.raises(InputRejected, match=f"^{problem}: "):
        files.sign_upload(content_type, extension, AccountId(1))


@pytest.mark.anyio
async def test_a_folder_that_is_gone_is_told(files: LocalFileStore) -> None:
    """Readiness fails with the folder's name where nothing can be written to it."""
    await files.ping()
    files.folder.rename(files.folder.with_name("moved"))
    with pytest.raises(StorageUnavailable, match="cannot be written"):
        await files.ping()
