"""Copies for browsers, made once for each file."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from bodydouble.service import Caller, ProxyService
from bodydouble.store import FileLimits, LocalFileStore, Scratch
from bodydouble.tasks.account import Account, AccountId
from bodydouble.tasks.errors import InputRejected

pytestmark = pytest.mark.anyio
LIMITS = FileLimits(upload_seconds=60, download_seconds=60, image_bytes_max=1000, video_bytes_max=1000)
CALLER = Caller(account=Account(id=AccountId(7), name="studio", balance=Decimal(0)))
KEY = "uploads/7/shot.avi"


async def test_a_copy_is_made_once(tmp_path: Path) -> None:
    """Requests at the same time share it, later ones find it among the uploads; an invalid address gets none."""
    files = LocalFileStore(tmp_path / "files", "https://media.example", b"a secret", LIMITS)
    source = tmp_path / "shot.avi"
    source.write_bytes(b"an original")
    await files.put_file(KEY, source, "video/x-msvideo")
    made: list[bytes] = []

    async def make(video: Path, target: Path) -> None:
        made.append(video.read_bytes())
        await asyncio.sleep(0)
        target.write_bytes(b"a copy")

    proxies = ProxyService(files, make, Scratch(tmp_path / "scratch").part)
    address = await files.sign_download(KEY)
    urls = await asyncio.gather(*(proxies.address(CALLER, address) for _ in range(3)))
    assert made == [b"an original"]
    key = await files.own_key(urls[0])
    assert key is not None
    assert key.startswith("uploads/7/proxy-")
    assert (files.folder / key).read_bytes() == b"a copy"
    with pytest.raises(InputRejected, match="video: this file is not stored here"):
        await proxies.address(CALLER, address[:-3] + "xyz")


async def test_a_copy_is_made_ahead(tmp_path: Path) -> None:
    """A copy that was begun in the background is found later; a failure in the background raises nothing."""
    files = LocalFileStore(tmp_path / "files", "https://media.example", b"a secret", LIMITS)
    source = tmp_path / "shot.avi"
    source.write_bytes(b"an original")
    await files.put_file(KEY, source, "video/x-msvideo")
    made = asyncio.Event()
    copies = 0

    async def make(video: Path, target: Path) -> None:
        nonlocal copies
        copies += 1
        target.write_bytes(b"a copy")
        made.set()

    proxies = ProxyService(files, make, Scratch(tmp_path / "scratch").part)
    address = await files.sign_download(KEY)
    proxies.begin(CALLER, address[:-3] + "xyz")
    proxies.begin(CALLER, address)
    proxies.begin(CALLER, address)
    await made.wait()
    assert await proxies.address(CALLER, address)
    assert copies == 1
