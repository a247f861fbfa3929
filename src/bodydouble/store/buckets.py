"""Buckets: S3 and compatible services, Google Cloud Storage, Azure Blob Storage."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from bodydouble.tasks.errors import InputRejected

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

EXAMPLE = "s3://bucket/prefix?region=eu-central-1, gs://bucket/prefix or az://container/prefix?account=name"
OPTIONS = {
    "s3": {"endpoint", "public_endpoint", "region"},
    "gs": {"endpoint", "public_endpoint"},
    "az": {"endpoint", "public_endpoint", "account"},
}
CONNECT = timedelta(seconds=5)
STALLED = timedelta(seconds=30)
"""Time without any data after which a transfer fails. Its total duration is limited by ``REQUEST`` only."""
REQUEST = timedelta(minutes=30)
RETRY: "RetryConfig" = {"max_retries": 3, "retry_timeout": timedelta(seconds=15)}

BucketStore = S3Store | GCSStore | AzureStore


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """A bucket, and how clients reach it."""

    name: str  # for people
    store: BucketStore
    signer: BucketStore  # the same bucket under the address that clients use
    direct_uploads: bool  # false: an upload needs more than a signed address

    def media_origin(self) -> str:
        """Scheme and host from which clients get the bucket's files."""
        parts = urlsplit(obstore.sign(self.signer, "GET", "results/x", timedelta(minutes=1)))
        return f"{parts.scheme}://{parts.netloc}"


def open_bucket(url: str) -> Bucket:
    """Open the bucket of an address like those of ``EXAMPLE``. Credentials come from the provider's usual variables.

    Raises:
        InputRejected: the address is wrong; the message says why.
    """
    parts = urlsplit(url)
    if parts.scheme not in OPTIONS or not parts.netloc:
        raise InputRejected(
            f"BODYDOUBLE_FILES: '{url}' is not the address of a bucket; write it like {EXAMPLE}", field="files"
        )
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    known = OPTIONS[parts.scheme]
    for name, value in options.items():
        if name not in known:
            raise InputRejected(
                f"BODYDOUBLE_FILES: '{name}' is not an option of {parts.scheme}://; use {', '.join(sorted(known))}",
                field="files",
            )
        if name.endswith("endpoint") and not value.startswith(("http://", "https://")):
            raise InputRejected(f"BODYDOUBLE_FILES: {name} must start with https:// or http://", field="files")
    public = options.pop("public_endpoint", None)
    prefix = parts.path.strip("/")
    try:
        store = _open(parts.scheme, parts.netloc, prefix, options)
        signer = _open(parts.scheme, parts.netloc, prefix, options | {"endpoint": public}) if public else store
    except BaseError as error:
        reason = str(error).partition("\n")[0]
        raise InputRejected(f"BODYDOUBLE_FILES: '{url}' cannot be opened: {reason}", field="files") from error
    return Bucket(
        name=f"{parts.scheme}://{parts.netloc}/{prefix}".rstrip("/"),
        store=store,
        signer=signer,
        # Azure requires the header x-ms-blob-type, which a client that has only an address does not send.
        direct_uploads=parts.scheme != "az",
    )


def _open(scheme: str, name: str, prefix: str, options: dict[str, str]) -> BucketStore:
    endpoint = options.get("endpoint")
    client: ClientConfig = {"connect_timeout": CONNECT, "read_timeout": STALLED, "timeout": REQUEST}
    if endpoint and endpoint.startswith("http://"):
        client["allow_http"] = True
    arguments: dict[str, Any] = {"prefix": prefix or None, "client_options": client, "retry_config": RETRY}
    names = {"gs": {"endpoint": "base_url"}, "az": {"account": "account_name"}}.get(scheme, {})
    arguments["config"] = {names.get(option, option): value for option, value in options.items()}
    kind = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}[scheme]
    return kind(name, **arguments)
