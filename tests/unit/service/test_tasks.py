"""Submitting tasks whose files are here."""

import base64
import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bodydouble.service import AccountService, Submission, TaskService
from bodydouble.service.pricing import MediaFacts
from bodydouble.store import (
    Database,
    FileLimits,
    LocalFileStore,
    PostgresAccountStore,
    PostgresSwitchStore,
    PostgresTaskStore,
)
from bodydouble.tasks.account import AccountId
from bodydouble.tasks.errors import IdempotencyConflict, InputRejected, InsufficientCredits, MediaRejected, NotFound
from bodydouble.tasks.files import FileStore
from bodydouble.tasks.task import CreateLimits

pytestmark = pytest.mark.anyio

LIMITS = FileLimits(upload_seconds=60, download_seconds=60, image_bytes_max=1000, video_bytes_max=1000)
IMAGE, VIDEO = (f"data:{kind};base64,{base64.b64encode(b'content').decode()}" for kind in ("image/png", "video/mp4"))


@dataclass
class FiveSeconds:
    """Satisfies ``service.pricing.MediaCheck``: every video has five seconds."""

    files: FileStore
    width: int = 1280
    height: int = 720
    refusal: Exception | None = None
    seen: list[str] = field(default_factory=list)

    async def upload(self, key: str, field: str, account: AccountId) -> MediaFacts:
        if await self.files.stat(key) is None:
            raise NotFound("File not found")
        return await self.content(b"", field, account)

    async def content(self, content: bytes, field: str, account: AccountId) -> MediaFacts:
        self.seen.append(field)
        if self.refusal is not None:
            raise self.refusal
        return MediaFacts(duration_seconds=5.0, width=self.width, height=self.height)


@dataclass(frozen=True, kw_only=True)
class Studio:
    """The service, and an account with a key."""

    service: TaskService
    accounts: PostgresAccountStore
    files: LocalFileStore
    check: FiveSeconds
    account: AccountId
    key: str

    def stored(self) -> list[Path]:
        """The uploads that are there."""
        return [path for path in (self.files.folder / "uploads").rglob("*") if path.is_file()]


@pytest.fixture
async def studio(empty_database: str, tmp_path: Path) -> AsyncIterator[Studio]:
    database = await Database.connect(empty_database, 2)
    tasks, accounts = PostgresTaskStore(database), PostgresAccountStore(database)
    files = LocalFileStore(tmp_path / "files", "https://media.example", b"a secret of the test", LIMITS)
    check = FiveSeconds(files)
    service = TaskService(
        tasks,
        accounts,
        PostgresSwitchStore(database),
        files,
        check,
        lambda name, mode: "puppet",
        lambda url: None,
        CreateLimits(),
        deadline_seconds=3600,
    )
    account = (await accounts.ensure_account("studio")).id
    await accounts.grant(account, Decimal(100), "for the test")
    key = (await AccountService(accounts, b"secret").create_key(account)).secret
    yield Studio(service=service, accounts=accounts, files=files, check=check, account=account, key=key)
    await tasks.close()
    await database.close()


def submission(image: str = IMAGE, video: str = VIDEO) -> Submission:
    inputs: dict[str, Any] = {"img_urls": [image], "video_urls": [video], "resolution": "480P", "renderer": "auto"}
    return Submission(model="wan/2-2-animate-replace", param={"input": inputs}, inputs=inputs)


async def test_a_task_keeps_the_files_of_its_request(studio: Studio) -> None:
    """Files within the request become uploads that the task names."""
    await studio.service.submit(studio.key, submission())
    assert len(studio.stored()) == 2


@pytest.mark.parametrize("reason", ["no credits", "unusable media", "unusable type"])
async def test_a_refused_request_leaves_no_files(studio: Studio, reason: str) -> None:
    """Whatever refuses it, the files that it brought are deleted."""
    wanted: type[Exception] = InputRejected
    if reason == "no credits":
        await studio.accounts.grant(studio.account, Decimal(-100), "for the test")
        wanted = InsufficientCredits
    elif reason == "unusable media":
        studio.check.refusal = MediaRejected("video_urls[0]: too long")
    video = VIDEO.replace("video/mp4", "text/html") if reason == "unusable type" else VIDEO
    with pytest.raises(wanted):
        await studio.service.submit(studio.key, submission(video=video))
    assert studio.stored() == []


async def test_a_replayed_request_stores_its_files_once(studio: Studio) -> None:
    """The repeated request gets the first task, and its copies of the files are not kept."""
    first = await studio.service.submit(studio.key, submission(), idempotency_key="once", body_hash=b"a")
    again = await studio.service.submit(studio.key, submission(), idempotency_key="once", body_hash=b"a")
    assert (again.id, again.replayed, len(studio.stored())) == (first.id, True, 2)


async def test_a_request_is_replayed_after_its_uploads_expired(studio: Studio) -> None:
    """Neither the files nor the price are looked at; another body under the same key is still a conflict."""
    uploads: list[str] = []
    for kind, extension in (("image/png", ".png"), ("video/mp4", ".mp4")):
        signed = await studio.files.sign_upload(kind, extension, studio.account)
        key = await studio.files.own_key(signed.file_url)
        assert key is not None
        path = studio.files.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"content")
        uploads.append(signed.file_url)
    request = submission(*uploads)
    first = await studio.service.submit(studio.key, request, idempotency_key="once", body_hash=b"a")
    for path in studio.stored():
        path.unlink()
    studio.check.seen.clear()
    again = await studio.service.submit(studio.key, request, idempotency_key="once", body_hash=b"a")
    assert (again.id, again.replayed, studio.check.seen) == (first.id, True, [])
    with pytest.raises(IdempotencyConflict):
        await studio.service.submit(studio.key, request, idempotency_key="once", body_hash=b"b")
    with pytest.raises(InputRejected, match="nothing was uploaded"):
        await studio.service.submit(studio.key, request)


@pytest.mark.parametrize(
    ("width", "height", "asked", "produced", "credits"),
    [
        (640, 360, "720P", "480P", 30),
        (640, 360, "480P", "480P", 30),
        (481, 900, "580P", "480P", 30),
        (500, 900, "720P", "580P", 45),
        (1280, 720, "720P", "720P", 62.5),
        (3840, 2160, "480P", "480P", 30),
    ],
)
async def test_the_price_follows_the_size_that_is_produced(
    studio: Studio, width: int, height: int, asked: str, produced: str, credits: float
) -> None:
    """A smaller video is not enlarged, so it costs no more than the class of its own size."""
    studio.check.width, studio.check.height = width, height
    wanted = submission()
    wanted = dataclasses.replace(wanted, inputs=dict(wanted.inputs) | {"resolution": asked})
    price = await studio.service.pricing.price(wanted, studio.account)
    assert (float(price.credits), price.resolution, price.estimated) == (credits, produced, False)
    assert price.size is not None
    assert min(price.size) <= min(width, height)
