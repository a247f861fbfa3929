"""The look at uploads before a task is made of them."""

import asyncio
import dataclasses
from pathlib import Path

import numpy as np
import pytest

from bodydouble.media import MediaLimits, probe_image, probe_video
from bodydouble.service.fair_slots import ACCOUNT_REQUESTS_MAX
from bodydouble.service.media_check import LOOKS_MAX, LimitedMediaCheck
from bodydouble.service.pricing import MediaFacts
from bodydouble.store import FileLimits, LocalFileStore, Scratch
from bodydouble.tasks.account import AccountId
from bodydouble.tasks.errors import InspectionFailed, MediaRejected, NotFound, RateLimited
from bodydouble.tasks.files import StoredFile
from material import landscape, write_image, write_video

pytestmark = pytest.mark.anyio

LIMITS = FileLimits(upload_seconds=60, download_seconds=60, image_bytes_max=10_000_000, video_bytes_max=10_000_000)
ACCOUNT = AccountId(7)
VIDEO, IMAGE = "uploads/7/video.mp4", "uploads/7/image.png"


class Bucket(LocalFileStore):
    """A store whose files have to be fetched, as those of a bucket; counts what was fetched, and how much at once."""

    fetched: int = 0
    fetching: int = 0
    fetching_max: int = 0

    async def stat(self, key: str) -> StoredFile | None:
        """Without a path."""
        stored = await super().stat(key)
        return None if stored is None else dataclasses.replace(stored, path=None)

    async def get_file(self, key: str, target: Path, bytes_max: int | None = None) -> StoredFile:
        """Slow enough for others to come meanwhile."""
        self.fetched += 1
        self.fetching += 1
        self.fetching_max = max(self.fetching_max, self.fetching)
        await asyncio.sleep(0.02)
        path = self.folder / key
        target.write_bytes(path.read_bytes())
        self.fetching -= 1
        stored = await super().stat(key)
        assert stored is not None
        return stored


@pytest.fixture(params=[LocalFileStore, Bucket])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> LocalFileStore:
    store: LocalFileStore = request.param(tmp_path / "files", "https://media.example", b"a secret", LIMITS)
    return store


@pytest.fixture
def check(files: LocalFileStore, tmp_path: Path) -> LimitedMediaCheck:
    return make_check(files, tmp_path)


async def inspect(path: Path, field: str) -> MediaFacts:
    """An inspection in this process: the media here are our own."""
    if field.startswith("img"):
        picture = probe_image(path, MediaLimits(), field)
        return MediaFacts(duration_seconds=0.0, width=picture.width, height=picture.height)
    video = probe_video(path, MediaLimits(), field)
    return MediaFacts(duration_seconds=video.duration_seconds, width=video.width, height=video.height)


def make_check(files: LocalFileStore, folder: Path, limits: MediaLimits | None = None) -> LimitedMediaCheck:
    return LimitedMediaCheck(files, limits or MediaLimits(), Scratch(folder / "scratch").part, inspect)


@pytest.fixture
async def uploads(files: LocalFileStore, tmp_path: Path) -> None:
    """A video of two seconds and a picture."""
    await files.put_file(VIDEO, write_video(tmp_path / "in.mp4", landscape(40), 20), "video/mp4")
    picture = write_image(tmp_path / "in.png", np.full((240, 240, 3), 120, np.uint8))
    await files.put_file(IMAGE, picture, "image/png")


@pytest.mark.usefixtures("uploads")
async def test_a_video_has_its_length_and_a_picture_none(check: LimitedMediaCheck, tmp_path: Path) -> None:
    """Seconds of the video, 0 of the picture, and no fetched file stays."""
    assert (await check.upload(VIDEO, "video_urls[0]", ACCOUNT)).duration_seconds == pytest.approx(2.0)
    assert (await check.upload(IMAGE, "img_urls[0]", ACCOUNT)).width == 240
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.usefixtures("uploads")
async def test_what_cannot_be_used_is_refused_for_its_field(check: LimitedMediaCheck) -> None:
    """A picture named as the video is refused, each time with the field; as a picture it is fine."""
    for _ in range(2):
        with pytest.raises(MediaRejected, match=r"^video_urls\[0\]: .*picture, not a video") as refused:
            await check.upload(IMAGE, "video_urls[0]", ACCOUNT)
        refused.value.fields["model"] = "of the first caller"
    assert (await check.upload(IMAGE, "img_urls[0]", ACCOUNT)).width == 240


async def test_what_was_never_uploaded_is_not_found(check: LimitedMediaCheck) -> None:
    """The caller is told to PUT first, which is not a fault of the medium."""
    with pytest.raises(NotFound):
        await check.upload(VIDEO, "video_urls[0]", ACCOUNT)


@pytest.mark.usefixtures("uploads")
async def test_what_is_too_large_is_not_even_fetched(files: LocalFileStore, tmp_path: Path) -> None:
    """A direct upload to a bucket may have any size: it is asked for before a byte is read."""
    check = make_check(files, tmp_path, MediaLimits(video_bytes_max=100))
    with pytest.raises(MediaRejected, match=r"^video_urls\[0\]: the file has .* MB, at most 0.0001 MB"):
        await check.upload(VIDEO, "video_urls[0]", ACCOUNT)
    assert getattr(files, "fetched", 0) == 0


@pytest.mark.parametrize("files", [Bucket], indirect=True)
@pytest.mark.usefixtures("uploads")
async def test_each_upload_is_fetched_once(check: LimitedMediaCheck, files: Bucket, tmp_path: Path) -> None:
    """Callers at the same time share one look, later ones its outcome; bytes that were replaced are looked at again."""
    looks = await asyncio.gather(*(check.upload(VIDEO, "video_urls[0]", ACCOUNT) for _ in range(10)))
    assert [facts.duration_seconds for facts in looks] == pytest.approx([2.0] * 10)
    await check.upload(VIDEO, "video_urls[0]", ACCOUNT)
    assert files.fetched == 1
    await files.put_file(VIDEO, write_video(tmp_path / "longer.mp4", landscape(60), 20), "video/mp4")
    assert (await check.upload(VIDEO, "video_urls[0]", ACCOUNT)).duration_seconds == pytest.approx(3.0)
    assert files.fetched == 2


@pytest.mark.parametrize("files", [Bucket], indirect=True)
@pytest.mark.usefixtures("uploads")
async def test_a_caller_who_hangs_up_ends_it_for_nobody_else(check: LimitedMediaCheck, files: Bucket) -> None:
    """The look goes on for those who wait too."""
    first = asyncio.create_task(check.upload(VIDEO, "video_urls[0]", ACCOUNT))
    second = asyncio.create_task(check.upload(VIDEO, "video_urls[0]", ACCOUNT))
    while not files.fetched:
        await asyncio.sleep(0)
    first.cancel()
    assert (await second).duration_seconds == pytest.approx(2.0)
    assert files.fetched == 1


@pytest.mark.parametrize("files", [Bucket], indirect=True)
async def test_few_are_fetched_at_a_time(check: LimitedMediaCheck, files: Bucket, tmp_path: Path) -> None:
    """Many new uploads wait for each other: disk and processor stay bounded."""
    picture = write_image(tmp_path / "in.png", np.full((240, 240, 3), 120, np.uint8))
    keys = [f"uploads/7/{number}.png" for number in range(3 * LOOKS_MAX)]
    for key in keys:
        await files.put_file(key, picture, "image/png")
    await asyncio.gather(*(check.upload(key, "img_urls[0]", ACCOUNT) for key in keys))
    assert files.fetching_max <= LOOKS_MAX
    assert files.fetched == len(keys)


async def test_what_came_within_a_request_is_looked_at(check: LimitedMediaCheck, tmp_path: Path) -> None:
    """Its length is the upload's, a wrong one is refused for its field, and nothing of it stays."""
    video = write_video(tmp_path / "in.mp4", landscape(40), 20).read_bytes()
    assert (await check.content(video, "video_urls[0]", ACCOUNT)).duration_seconds == pytest.approx(2.0)
    with pytest.raises(MediaRejected, match=r"^img_urls\[0\]: "):
        await check.content(video, "img_urls[0]", ACCOUNT)
    assert list((tmp_path / "scratch").iterdir()) == []


async def test_what_came_too_large_within_a_request_is_refused(files: LocalFileStore, tmp_path: Path) -> None:
    """Before anything is written."""
    check = make_check(files, tmp_path, MediaLimits(image_bytes_max=100))
    with pytest.raises(MediaRejected, match=r"^img_urls\[0\]: the file has .* MB, at most 0.0001 MB"):
        await check.content(b"x" * 101, "img_urls[0]", ACCOUNT)


async def test_an_inspection_that_failed_is_made_again(files: LocalFileStore, tmp_path: Path) -> None:
    """Too slow once, on a busy machine, is no property of the file."""
    await files.put_file(VIDEO, write_video(tmp_path / "in.mp4", landscape(40), 20), "video/mp4")
    failures = [InspectionFailed("video_urls[0]: too slow.", field="video_urls[0]")]

    async def fail_once(path: Path, field: str) -> MediaFacts:
        if failures:
            raise failures.pop()
        return await inspect(path, field)

    check = LimitedMediaCheck(files, MediaLimits(), Scratch(tmp_path / "scratch").part, fail_once)
    with pytest.raises(InspectionFailed):
        await check.upload(VIDEO, "video_urls[0]", ACCOUNT)
    assert (await check.upload(VIDEO, "video_urls[0]", ACCOUNT)).duration_seconds == pytest.approx(2.0)


async def test_an_account_waits_with_a_limited_number_of_files(files: LocalFileStore, tmp_path: Path) -> None:
    """Beyond it the account is told to try again; another account's file is inspected beside them."""
    go_on = asyncio.Event()

    async def wait_or_pass(path: Path, field: str) -> MediaFacts:
        if path.read_bytes() != b"quick":
            await go_on.wait()
        return MediaFacts(duration_seconds=0.0, width=1, height=1)

    check = LimitedMediaCheck(files, MediaLimits(), Scratch(tmp_path / "scratch").part, wait_or_pass)
    held = [asyncio.create_task(check.content(b"slow", "img_urls[0]", ACCOUNT)) for _ in range(ACCOUNT_REQUESTS_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(RateLimited, match="of this account are waiting"):
        await check.content(b"slow", "img_urls[0]", ACCOUNT)
    assert (await check.content(b"quick", "img_urls[0]", AccountId(8))).width == 1
    go_on.set()
    assert [facts.width for facts in await asyncio.gather(*held)] == [1] * ACCOUNT_REQUESTS_MAX
