"""Files within a request."""

import base64
from pathlib import Path
from typing import Any

import pytest

from bodydouble.service.inline_files import EXTENSIONS, InlineFiles
from bodydouble.service.inputs import Submission
from bodydouble.store import FileLimits, LocalFileStore
from bodydouble.tasks.account import AccountId
from bodydouble.tasks.errors import InputRejected

pytestmark = pytest.mark.anyio
LIMITS = FileLimits(upload_seconds=60, download_seconds=60, image_bytes_max=100, video_bytes_max=100)
MODEL = "wan/2-2-animate-replace"
STUDIO = AccountId(1)
ELSEWHERE = "https://example.com/clip.mp4"


def data_url(content_type: str, content: bytes = b"content") -> str:
    return f"data:{content_type};base64,{base64.b64encode(content).decode()}"


def submission(image: str, video: str = ELSEWHERE) -> Submission:
    inputs: dict[str, Any] = {"img_urls": [image], "video_urls": [video], "seed": 5}
    return Submission(model=MODEL, param={"model": MODEL, "input": inputs}, inputs=inputs)


@pytest.fixture
def files(tmp_path: Path) -> LocalFileStore:
    """An empty store that takes files of up to 100 bytes."""
    return LocalFileStore(tmp_path / "files", "https://media.example", b"a secret of the test", LIMITS)


def stored(files: LocalFileStore) -> list[bytes]:
    return [path.read_bytes() for path in (files.folder / "uploads").rglob("*") if path.is_file()]


async def test_a_file_becomes_an_upload_of_the_account(files: LocalFileStore) -> None:
    """The request names the upload, in its inputs and as it was sent; the other field is untouched."""
    made = await InlineFiles(files, 100).store(submission(data_url("image/png")), STUDIO)
    (address,) = made.submission.inputs["img_urls"]
    assert made.submission.param["input"] == made.submission.inputs
    assert (made.submission.inputs["video_urls"], made.submission.inputs["seed"]) == ([ELSEWHERE], 5)
    assert await files.own_key(address, STUDIO) == made.keys[0]
    assert stored(files) == [b"content"]
    await InlineFiles(files, 100).discard(made)
    assert stored(files) == []


async def test_a_request_without_files_is_the_same(files: LocalFileStore) -> None:
    """Nothing is copied or stored."""
    asked = submission("https://example.com/portrait.jpg")
    made = await InlineFiles(files, 100).store(asked, STUDIO)
    assert made.submission is asked
    assert made.keys == []


async def test_an_unusable_second_file_removes_the_first(files: LocalFileStore) -> None:
    """The error names the field and the model; no upload is left."""
    with pytest.raises(InputRejected, match=r"video_urls\[0\]") as refused:
        await InlineFiles(files, 100).store(submission(data_url("image/png"), data_url("text/html")), STUDIO)
    assert refused.value.fields["model"] == MODEL
    assert stored(files) == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (data_url("text/html"), "type 'text/html' is not accepted; use image/jpeg"),
        (data_url("image/png", b"x" * 1000), r"^img_urls\[0\]: a data URL may hold at most"),
        ("data:image/png;base64,!!", r"^img_urls\[0\]: "),
    ],
)
async def test_a_file_that_cannot_be_read_is_refused(files: LocalFileStore, url: str, reason: str) -> None:
    """A wrong type, too many bytes, or no base64."""
    with pytest.raises(InputRejected, match=reason):
        await InlineFiles(files, 100).read(url, "img_urls[0]")


async def test_every_type_has_its_extension(files: LocalFileStore) -> None:
    """Each accepted type can be stored as an upload."""
    for content_type, extension in EXTENSIONS.items():
        made = await InlineFiles(files, 100).store(submission(data_url(content_type)), STUDIO)
        assert made.keys[0].endswith(extension)
