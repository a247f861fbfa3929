"""A local S3 server for tests of the bucket file store."""

import os
from collections.abc import Iterator
from itertools import count
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from live_service import free_port

_numbers = count(1)


class LocalS3:
    """A server that can be stopped and restarted on the same port."""

    def __init__(self) -> None:
        self.port = free_port()
        self.start()
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="tester",
            aws_secret_access_key="not a secret",
        )

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.port}"

    def make_bucket(self) -> str:
        """The name of a new, empty bucket."""
        name = f"bucket-{next(_numbers)}"
        self.client.create_bucket(Bucket=name)
        return name

    def url(self, bucket: str) -> str:
        """The bucket as a value of the setting."""
        return f"s3://{bucket}/pre/fix?endpoint={self.endpoint}&region=us-east-1"

    def stop(self) -> None:
        """Stop listening. Stored objects stay in memory."""
        self._server.stop()

    def start(self) -> None:
        """Listen again on the same port."""
        self._server = ThreadedMotoServer("127.0.0.1", self.port, verbose=False)
        self._server.start()


@pytest.fixture(scope="session")
def s3() -> Iterator[LocalS3]:
    """One server for the whole test run."""
    kept = {name: os.environ.get(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    os.environ.update(AWS_ACCESS_KEY_ID="tester", AWS_SECRET_ACCESS_KEY="not a secret")
    server = LocalS3()
    yield server
    server.stop()
    for name, value in kept.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value
