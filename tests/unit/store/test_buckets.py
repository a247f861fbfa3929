"""From the setting to a bucket. Signing needs no network: what an address looks like shows where it leads."""

import base64
import json
from datetime import timedelta

import obstore
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bodydouble.store.buckets import open_bucket
from bodydouble.tasks.errors import InputRejected

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all three providers, in their usual variables."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "private_key": key.decode(),
        "private_key_id": "1",
        "client_email": "a@b.example",
        "disable_oauth": False,
    }
    for name, value in {
        "AWS_ACCESS_KEY_ID": "tester",
        "AWS_SECRET_ACCESS_KEY": "not a secret",
        "AZURE_STORAGE_ACCOUNT_KEY": base64.b64encode(b"k" * 64).decode(),
        "GOOGLE_SERVICE_ACCOUNT_KEY": json.dumps(account),
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("url", "beginning"),
    [
        ("s3://bucket?region=eu-central-1", "https://s3.eu-central-1.amazonaws.com/bucket/uploads/7/x.mp4?"),
        (
            "s3://bucket/pre/fix/?endpoint=https://minio.example:9000",
            "https://minio.example:9000/bucket/pre/fix/uploads/7/x.mp4?",
        ),
        (
            "s3://bucket?endpoint=http://minio:9000&public_endpoint=https://media.example",
            "https://media.example/bucket/uploads/7/x.mp4?",
        ),
        ("gs://bucket/prefix", "https://storage.googleapis.com/bucket/prefix/uploads/7/x.mp4?"),
        ("az://container/prefix?account=me", "https://me.blob.core.windows.net/container/prefix/uploads/7/x.mp4?"),
    ],
)
def test_each_provider_signs_addresses_of_its_own(url: str, beginning: str) -> None:
    """An address begins with the provider's host, or the endpoint that clients reach, then bucket, prefix and key."""
    assert obstore.sign(open_bucket(url).signer, "GET", "uploads/7/x.mp4", HOUR).startswith(beginning)


def test_azure_takes_uploads_through_the_api() -> None:
    """An address alone is enough for S3 and Google, not for Azure."""
    direct = {url: open_bucket(url).direct_uploads for url in ("s3://bucket", "gs://bucket", "az://bucket?account=me")}
    assert direct == {"s3://bucket": True, "gs://bucket": True, "az://bucket?account=me": False}


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("bucket", "is not the address of a bucket; write it like s3://"),
        ("/srv/files", "is not the address of a bucket"),
        ("ftp://bucket/prefix", "is not the address of a bucket"),
        ("s3://", "is not the address of a bucket"),
        ("s3://bucket?zone=1", "'zone' is not an option of s3://; use endpoint, public_endpoint, region"),
        ("gs://bucket?region=x", "'region' is not an option"),
        ("s3://bucket?endpoint=minio:9000", "endpoint must start with https:// or http://"),
        ("az://container", "cannot be opened: .*[Aa]ccount"),
    ],
)
def test_a_fault_in_the_address_is_named(url: str, fault: str) -> None:
    """The message names the setting, what is wrong, and how it should look."""
    with pytest.raises(InputRejected, match=f"^BODYDOUBLE_FILES: .*{fault}"):
        open_bucket(url)


def test_a_name_for_people_has_no_options() -> None:
    """What stands in messages is the bucket and the prefix."""
    assert open_bucket("s3://bucket/pre/fix/?region=eu-central-1").name == "s3://bucket/pre/fix"
    assert open_bucket("gs://bucket").name == "gs://bucket"


def test_the_origin_for_pages_is_the_address_that_clients_reach() -> None:
    """Scheme, host and port only."""
    url = "s3://bucket?endpoint=http://minio:9000&public_endpoint=https://media.example:444"
    assert open_bucket(url).media_origin() == "https://media.example:444"
