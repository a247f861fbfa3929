"""The ports for files, as Protocols. Their adapters are in ``store`` and ``outbound``."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from bodydouble.tasks.account import AccountId
from bodydouble.tasks.task import TaskId

FETCHED_INPUTS = "inputs"
"""The folder of inputs from foreign addresses."""


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """One file of the file store."""

    key: str
    size_bytes: int
    content_type: str
    modified_at: datetime
    path: Path | None = None  # if the store is a local folder


@dataclass(frozen=True, kw_only=True)
class SignedUpload:
    """An address to PUT a file to, and the address that it then has."""

    put_url: str
    file_url: str
    expires_at: datetime
    resumable_url: str | None = None  # accepts it in pieces; None if the store cannot or the size is unknown


class ResumableUploads(Protocol):
    """Uploads that continue after an interruption. All methods but ``size`` raise StorageUnavailable, StorageFull."""

    def size(self, key: str, query: Mapping[str, str]) -> int | None:
        """The size that the address was signed for; None if its signature is not ours or has expired."""
        ...

    async def offset(self, key: str, size_bytes: int) -> int:
        """How many bytes have been received. Once all have, the upload is a stored file."""
        ...

    async def append(self, key: str, size_bytes: int, offset: int, chunks: AsyncIterator[bytes]) -> int:
        """Receive bytes from ``offset`` on and return the new offset. A complete upload becomes a stored file.

        What was received stays if the connection breaks. Raises WrongOffset if the upload has another length;
        InputRejected for more than ``size_bytes``; QuotaExceeded.
        """
        ...


class FileStore(Protocol):
    """Uploads, results, and intermediate files of running tasks.

    A key is ``uploads|results|work/<account>/[<folder>/]<name>.<extension>`` of lower-case letters, digits and dashes;
    any other key is not found. Methods that use the storage raise StorageUnavailable, and StorageFull if they write.
    """

    @property
    def resumable(self) -> ResumableUploads | None:
        """None if clients upload to the storage directly."""
        ...

    async def sign_upload(
        self, content_type: str, extension: str, account: AccountId, size_bytes: int | None = None
    ) -> SignedUpload:
        """Addresses for one upload of this account. Raises InputRejected for its type or size; QuotaExceeded."""
        ...

    async def sign_download(self, key: str, expires_seconds: int | None = None) -> str:
        """An absolute URL that works without an API key until it expires."""
        ...

    async def own_key(self, url: str, account: AccountId | None = None) -> str | None:
        """The key of a file of this store that ``url`` names, else None.

        The address needs our valid signature, or the file must belong to ``account``: nobody can guess the address of
        another account's file.
        """
        ...

    def allows(self, method: str, key: str, query: Mapping[str, str], content_type: str) -> bool:
        """Whether the signature of a request to our own API is valid for this method, key and Content-Type."""
        ...

    async def stat(self, key: str) -> StoredFile | None:
        """The stored file, or None."""
        ...

    async def receive(self, key: str, chunks: AsyncIterator[bytes], size_bytes: int | None = None) -> StoredFile:
        """Store an upload that comes through our API, completely or not at all.

        ``size_bytes`` is its announced size; None if unknown. Raises InputRejected if it is too large, QuotaExceeded,
        and AddressUsed if the key has a file already: of two concurrent uploads the first complete one stays.
        """
        ...

    async def put_file(self, key: str, source: Path, content_type: str) -> StoredFile:
        """Store ``source`` completely or not at all, replacing the file under this key."""
        ...

    async def get_file(self, key: str, target: Path, bytes_max: int | None = None) -> StoredFile:
        """Copy to ``target``. Raises NotFound; InputRejected if the file is larger than ``bytes_max``."""
        ...

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete these files. Absent ones are ignored."""
        ...

    async def delete_prefix(self, prefix: str) -> int:
        """Delete the files below a folder such as ``results/7/<task>`` (no trailing slash); return how many."""
        ...

    def list(self, prefix: str) -> AsyncIterator[StoredFile]:
        """The files below a folder such as ``uploads``, in any order."""
        ...

    async def ping(self) -> None:
        """Raises StorageUnavailable if the store cannot be written."""
        ...


def fetched_inputs_prefix(account: AccountId, task_id: TaskId) -> str:
    """The folder of the file store with a task's inputs from foreign addresses, from their fetch to the task's end."""
    return f"{FETCHED_INPUTS}/{account}/{task_id}"


class Downloader(Protocol):
    """Downloads untrusted URLs."""

    async def download(self, url: str, target: Path, bytes_max: int, field: str) -> None:
        """Download to ``target``. Raises InputRejected naming ``field``: refused, too large, too slow, not found."""
        ...
