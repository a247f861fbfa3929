"""What the use cases and the worker need of files, as Protocols. Adapters live in ``store`` and ``outbound``."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from bodydouble.tasks.account import AccountId


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """One file of the file store."""

    key: str
    size_bytes: int
    content_type: str
    modified_at: datetime
    path: Path | None = None  # where the store is a local folder


@dataclass(frozen=True, kw_only=True)
class SignedUpload:
    """A place to PUT bytes to, and the address that the file then has."""

    put_url: str
    file_url: str
    expires_at: datetime
    resumable_url: str | None = None  # takes it in pieces, where the store can and the size was named


class ResumableUploads(Protocol):
    """Uploads that go on where they broke off. All but ``size`` raise StorageUnavailable, StorageFull."""

    def size(self, key: str, query: Mapping[str, str]) -> int | None:
        """The size that an address was signed for; None where it is none of ours, or has expired."""
        ...

    async def offset(self, key: str, size_bytes: int) -> int:
        """How many bytes are there: 0 before the first, all of them once it is whole, and then it is a stored file."""
        ...

    async def append(self, key: str, size_bytes: int, offset: int, chunks: AsyncIterator[bytes]) -> int:
        """Take what follows ``offset``, as far as it comes, and answer the new offset; whole, it is a stored file.

        Raises WrongOffset where something else is there; InputRejected where more comes than ``size_bytes``.
        """
        ...


class FileStore(Protocol):
    """Uploads, results, and the work of tasks under way.

    A key is ``uploads|results|work/<account>/[<folder>/]<name>.<extension>``, in lower case, digits and dashes; what
    looks otherwise is not found. Everything that touches the storage raises StorageUnavailable where it does not
    answer, and StorageFull where it has no room.
    """

    @property
    def resumable(self) -> ResumableUploads | None:
        """None where uploads go past our API."""
        ...

    async def sign_upload(
        self, content_type: str, extension: str, account: AccountId, size_bytes: int | None = None
    ) -> SignedUpload:
        """A place for one upload of this account. Raises InputRejected for a type or size that is not taken."""
        ...

    async def sign_download(self, key: str, expires_seconds: int | None = None) -> str:
        """An absolute URL that any HTTP client can GET without a key until it expires."""
        ...

    async def own_key(self, url: str, account: AccountId | None = None) -> str | None:
        """The key where ``url`` is one of this store's own addresses, else None.

        An address counts that has our good signature or leads to a file of ``account`` itself, so that nobody names
        another's files by guessing.
        """
        ...

    def allows(self, method: str, key: str, query: Mapping[str, str], content_type: str) -> bool:
        """Whether a request to our own API, with this address and Content-Type, was signed for."""
        ...

    async def stat(self, key: str) -> StoredFile | None:
        """What is there, None where nothing is."""
        ...

    async def receive(self, key: str, chunks: AsyncIterator[bytes], size_bytes: int | None = None) -> StoredFile:
        """Take an upload that comes through our API, whole or not at all; ``size_bytes`` where it is announced.

        Raises InputRejected where it is too large, AddressUsed where there is one already: of two at once the first
        that is whole stays.
        """
        ...

    async def put_file(self, key: str, source: Path, content_type: str) -> StoredFile:
        """Store ``source`` whole or not at all, in the place of what is there."""
        ...

    async def get_file(self, key: str, target: Path, bytes_max: int | None = None) -> StoredFile:
        """Copy to ``target``. Raises NotFound; InputRejected where it is larger than ``bytes_max``."""
        ...

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove these; those that are not there are no fault."""
        ...

    async def delete_prefix(self, prefix: str) -> int:
        """Remove everything below a folder such as ``results/7/<task>``, without a slash at the end; how many."""
        ...

    def list(self, prefix: str) -> AsyncIterator[StoredFile]:
        """Everything below a folder such as ``uploads``, in no certain order."""
        ...

    async def ping(self) -> None:
        """Raises StorageUnavailable where the store cannot be written."""
        ...


class Downloader(Protocol):
    """Brings a stranger's URL to a local file, guarded."""

    async def download(self, url: str, target: Path, bytes_max: int, field: str) -> None:
        """Raises InputRejected naming ``field``: address refused, too large, too slow, not found."""
        ...
