"""The people at the start of a video."""

import asyncio
import dataclasses
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bodydouble.service.callers import Caller
from bodydouble.service.people import PeopleSeen, PeopleService, PersonSeen
from bodydouble.tasks.account import Account, AccountId
from bodydouble.tasks.errors import InputRejected
from bodydouble.tasks.files import StoredFile

pytestmark = pytest.mark.anyio
SOMEBODY = PersonSeen(x=0.1, y=0.2, width=0.3, height=0.6)
SEEN = PeopleSeen(people=[SOMEBODY], picture=b"")
STUDIO = Caller(account=Account(id=AccountId(1), name="studio", balance=Decimal(0)))
STRANGER = Caller(account=Account(id=AccountId(2), name="stranger", balance=Decimal(0)))
URL = "https://media.example/uploads/1/a.mp4"


class Uploads:
    """Satisfies what the service needs of ``FileStore``: one upload of the account 1."""

    def __init__(self, folder: Path) -> None:
        self.file = StoredFile(
            key="uploads/1/a.mp4",
            size_bytes=7,
            content_type="video/mp4",
            modified_at=datetime(2026, 1, 1, tzinfo=UTC),
            path=folder / "a.mp4",
        )

    async def own_key(self, url: str, account: AccountId | None = None) -> str | None:
        return self.file.key if url == URL and account == 1 else None

    async def stat(self, key: str) -> StoredFile | None:
        return self.file if key == self.file.key else None


class Detector:
    """Provides ``service.people.FindPeople``, and counts the calls."""

    def __init__(self) -> None:
        self.calls = 0

    async def __call__(self, path: Path) -> PeopleSeen:
        self.calls += 1
        await asyncio.sleep(0)
        return SEEN


@contextmanager
def no_part(size_bytes: int) -> Generator[Path]:
    raise AssertionError("the file is in a folder")
    yield


async def test_an_upload_is_looked_at_once(tmp_path: Path) -> None:
    """However often and by how many at once it is asked for; again only after other bytes were uploaded."""
    files, find = Uploads(tmp_path), Detector()
    store: Any = files
    service = PeopleService(store, find, no_part)
    found = await asyncio.gather(*(service.at_the_start(STUDIO, URL) for _ in range(3)))
    assert found == [SEEN] * 3
    assert find.calls == 1
    files.file = dataclasses.replace(files.file, size_bytes=8)
    await service.at_the_start(STUDIO, URL)
    assert find.calls == 2


@pytest.mark.parametrize(("caller", "url"), [(STRANGER, URL), (STUDIO, "https://example.com/a.mp4")])
async def test_other_videos_are_refused(tmp_path: Path, caller: Caller, url: str) -> None:
    """Another account's upload, and addresses elsewhere: the message says to upload first."""
    store: Any = Uploads(tmp_path)
    with pytest.raises(InputRejected, match="upload the video first"):
        await PeopleService(store, Detector(), no_part).at_the_start(caller, url)
