"""The file stores that every contract of files is tested on."""

import dataclasses
from pathlib import Path

import pytest

from bodydouble.store import LocalFileStore, Scratch
from bodydouble.store.buckets import open_bucket
from bodydouble.store.objects import ObjectFileStore
from bodydouble.tasks.files import FileStore
from buckets import LocalS3
from file_stores import LIMITS, SECRET, URL, StoreUnderTest


@pytest.fixture(params=["local", "bucket", "bucket behind the API"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> StoreUnderTest:
    if request.param == "local":
        folder, away = tmp_path / "files", tmp_path / "away"
        files = LocalFileStore(folder, URL, SECRET, LIMITS)
        return StoreUnderTest(files=files, lose=lambda: folder.rename(away), restore=lambda: away.rename(folder))
    s3: LocalS3 = request.getfixturevalue("s3")
    bucket = open_bucket(s3.url(s3.make_bucket()))
    bucket = dataclasses.replace(bucket, direct_uploads=request.param == "bucket")
    store = ObjectFileStore(bucket, URL, SECRET, LIMITS, Scratch(tmp_path / "scratch"))
    return StoreUnderTest(files=store, lose=s3.stop, restore=s3.start)


@pytest.fixture
def files(place: StoreUnderTest) -> FileStore:
    return place.files


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in"
    path.write_bytes(b"bytes")
    return path
