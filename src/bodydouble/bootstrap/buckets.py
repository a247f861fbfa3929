"""The installation's bucket. Its adapters are imported only where one is configured: obstore is optional."""

from typing import TYPE_CHECKING

from bodydouble.settings import Settings
from bodydouble.store import FileLimits, Scratch
from bodydouble.tasks.errors import InputRejected

if TYPE_CHECKING:
    from bodydouble.store.buckets import Bucket
    from bodydouble.store.objects import ObjectFileStore


def open_bucket_files(settings: Settings, secret: bytes, limits: FileLimits, scratch: Scratch) -> "ObjectFileStore":
    """The store of uploads and results in the configured bucket. Raises InputRejected as ``configured_bucket``."""
    bucket = configured_bucket(settings)
    from bodydouble.store.objects import ObjectFileStore

    return ObjectFileStore(bucket, settings.base_url, secret, limits, scratch)


def configured_bucket(settings: Settings) -> "Bucket":
    """The bucket of ``BODYDOUBLE_FILES``.

    Raises:
        InputRejected: its address is wrong, or the package for buckets is not installed.
    """
    try:
        from bodydouble.store.buckets import open_bucket
    except ModuleNotFoundError as error:
        raise InputRejected(
            f"BODYDOUBLE_FILES is a bucket, and {error.name} is not installed: pip install 'bodydouble[buckets]', "
            "or name a folder.",
            field="files",
        ) from None
    return open_bucket(settings.bucket)
