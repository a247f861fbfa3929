"""What only the file store in a bucket does; the rest is in the contract of all file stores."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from bodydouble.store import FileLimits, Scratch
from bodydouble.store.buckets import open_bucket
from bodydouble.store.objects import ObjectFileStore
from bodydouble.tasks.errors import StorageUnavailable
from bodydouble.tasks.task import AccountId
from buckets import LocalS3

pytestmark = pytest.mark.anyio

LIMITS = FileLimits(upload_seconds=60, download_seconds=30 * 24 * 3600, image_bytes_max=1000, video_bytes_max=1000)
OWNER, STRANGER = AccountId(7), AccountId(8)
RESULT = "results/7/one.mp4"


@pytest.fixture
def bucket(s3: LocalS3) -> str:
    """An empty bucket's name."""
    return s3.make_bucket()


@pytest.fixture
def files(s3: LocalS3, bucket: str, tmp_path: Path) -> ObjectFileStore:
    return ObjectFileStore(
        open_bucket(s3.url(bucket)), "https://media.example", b"a secret", LIMITS, Scratch(tmp_path / "scratch")
    )


async def test_a_result_is_shown_by_browsers_and_saved_under_its_name(files: ObjectFileStore, tmp_path: Path) -> None:
    """The bucket itself answers type, disposition and parts of the file."""
    (tmp_path / "in").write_bytes(b"0123456789")
    await files.put_file(RESULT, tmp_path / "in", "video/mp4")
    answer = httpx.get(await files.sign_download(RESULT), headers={"range": "bytes=2-4"}, timeout=30)
    assert (answer.status_code, answer.content) == (206, b"234")
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-disposition"] == 'inline; filename="one.mp4"'


async def test_addresses_hold_for_a_week_at_most(files: ObjectFileStore) -> None:
    """No provider signs for longer, whatever the setting says; a shorter wish is kept."""
    for seconds, signed in ((None, 604_800), (600, 600)):
        query = parse_qs(urlsplit(await files.sign_download(RESULT, seconds)).query)
        assert query["X-Amz-Expires"] == [str(signed)]


async def test_a_lost_bucket_is_not_a_lost_file(files: ObjectFileStore, s3: LocalS3, bucket: str) -> None:
    """A bucket that was removed is an outage, for which a task waits; made again, it is fine by itself."""
    await files.ping()
    s3.client.delete_object(Bucket=bucket, Key="pre/fix/.ping")
    s3.client.delete_bucket(Bucket=bucket)
    with pytest.raises(StorageUnavailable, match=rf"^s3://{bucket}/pre/fix failed: .*not found"):
        await files.ping()
    with pytest.raises(StorageUnavailable):
        await files.stat(RESULT)
    s3.client.create_bucket(Bucket=bucket)
    await files.ping()
    assert await files.stat(RESULT) is None


async def test_what_is_not_ours_in_the_bucket_is_left_alone(files: ObjectFileStore, s3: LocalS3, bucket: str) -> None:
    """Objects with other names are neither listed nor removed."""
    key = "pre/fix/uploads/7/Somebody's Own.TXT"
    s3.client.put_object(Bucket=bucket, Key=key, Body=b"x")
    assert [stored async for stored in files.list("uploads")] == []
    assert await files.delete_prefix("uploads/7") == 0
    assert s3.client.get_object(Bucket=bucket, Key=key)["Body"].read() == b"x"


async def test_the_buckets_addresses_count_for_the_owner_alone(files: ObjectFileStore) -> None:
    """We cannot check the bucket's signatures: whose key it is decides."""
    url = await files.sign_download(RESULT)
    assert await files.own_key(url, OWNER) == RESULT
    assert await files.own_key(url.partition("?")[0], OWNER) == RESULT
    assert await files.own_key(url, STRANGER) is None
    assert await files.own_key(url) is None
    assert await files.own_key(url.replace("/pre/fix/", "/pre/other/"), OWNER) is None
    assert await files.own_key(url.replace("results/7/", "results/7/../8/"), OWNER) is None
