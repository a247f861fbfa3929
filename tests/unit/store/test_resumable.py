"""Uploads in pieces, over a folder that several processes share."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bodydouble.store import FileLimits, LocalFileStore, Scratch
from bodydouble.store.scratch import ABANDONED_SECONDS
from bodydouble.tasks.errors import StorageFull, WrongOffset

pytestmark = pytest.mark.anyio

LIMITS = FileLimits(upload_seconds=60, download_seconds=60, image_bytes_max=10_000_000, video_bytes_max=10_000_000)
KEY = "uploads/7/0198-shot.mp4"


def open_store(folder: Path, limits: FileLimits = LIMITS) -> LocalFileStore:
    return LocalFileStore(folder, "https://media.example", b"of the installation", limits)


async def piece(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def test_another_process_takes_the_next_piece(tmp_path: Path) -> None:
    """All that is known of an upload lies in the folder."""
    await open_store(tmp_path).resumable.append(KEY, 6, 0, piece(b"abc"))
    other = open_store(tmp_path)
    assert await other.resumable.offset(KEY, 6) == 3
    await other.resumable.append(KEY, 6, 3, piece(b"def"))
    assert (tmp_path / KEY).read_bytes() == b"abcdef"
    assert list((tmp_path / ".parts").iterdir()) == []


async def test_of_two_who_send_at_once_one_gets_on(tmp_path: Path) -> None:
    """A connection that hangs does not hold the upload, and what it sends later is refused."""
    uploads, began, hangs = open_store(tmp_path).resumable, asyncio.Event(), asyncio.Event()

    async def hanging() -> AsyncIterator[bytes]:
        yield b"abc"
        began.set()
        await hangs.wait()
        yield b"xyz"

    stuck = asyncio.create_task(uploads.append(KEY, 6, 0, hanging()))
    await began.wait()
    assert await uploads.append(KEY, 6, 0, piece(b"abcdef")) == 6
    hangs.set()
    with pytest.raises(WrongOffset):
        await stuck
    assert (tmp_path / KEY).read_bytes() == b"abcdef"


async def test_what_was_left_whole_is_a_file_once_somebody_asks(tmp_path: Path) -> None:
    """A process that was killed behind the last byte leaves no client who believes it done, and no file."""
    uploads = open_store(tmp_path).resumable
    (tmp_path / ".parts" / f"7.{Path(KEY).name}.upload").write_bytes(b"abcdef")
    assert await uploads.offset(KEY, 6) == 6
    assert (tmp_path / KEY).read_bytes() == b"abcdef"
    assert list((tmp_path / ".parts").iterdir()) == []


async def test_pieces_do_not_take_the_place_of_a_file(tmp_path: Path) -> None:
    """Where the same address was sent to by a PUT meanwhile, the pieces are refused and gone."""
    store = open_store(tmp_path)

    async def slow() -> AsyncIterator[bytes]:
        yield b"abcdef"
        await store.receive(KEY, piece(b"first"))

    with pytest.raises(WrongOffset):
        await store.resumable.append(KEY, 6, 0, slow())
    assert (tmp_path / KEY).read_bytes() == b"first"
    assert list((tmp_path / ".parts").iterdir()) == []


async def test_an_empty_upload_is_whole_at_once(tmp_path: Path) -> None:
    """Nothing of nothing: the check of its content is what refuses it."""
    assert await open_store(tmp_path).resumable.append(KEY, 0, 0, piece()) == 0
    assert (tmp_path / KEY).read_bytes() == b""


async def test_without_room_for_the_rest_nothing_is_taken(tmp_path: Path) -> None:
    """The whole of it is looked at before its first byte."""
    full = open_store(
        tmp_path,
        FileLimits(
            upload_seconds=60, download_seconds=60, image_bytes_max=10, video_bytes_max=10, free_bytes_min=10**15
        ),
    )
    with pytest.raises(StorageFull):
        await full.resumable.append(KEY, 6, 0, piece(b"abc"))
    assert await full.resumable.offset(KEY, 6) == 0


def test_what_was_abandoned_is_swept(tmp_path: Path) -> None:
    """An upload that nobody goes on with is gone a day later, though no process was started anew."""
    scratch = Scratch(tmp_path)
    old, new = tmp_path / "old.mp4.upload", tmp_path / "new.mp4.upload"
    for part in (old, new):
        part.write_bytes(b"abc")
    long_ago = time.time() - ABANDONED_SECONDS - 1
    os.utime(old, (long_ago, long_ago))
    scratch.sweep()
    assert old.exists(), "it looks once an hour"
    scratch._sweep_at = 0
    scratch.sweep()
    assert [part.name for part in tmp_path.iterdir()] == [new.name]
