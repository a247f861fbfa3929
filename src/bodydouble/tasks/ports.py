"""What the use cases and the worker need of the outside, as Protocols. Adapters live in ``store`` and ``outbound``."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from bodydouble.tasks.account import Account, ApiKey
from bodydouble.tasks.task import AccountId, NewTask, Task, TaskId, TaskProgress, TaskResult, TaskStatus


class TaskStore(Protocol):
    """Tasks, accounts and credits, in one database so that they change together."""

    async def create_task(self, task: NewTask) -> None:
        """Store the task, reserve its credits and enqueue it, in one transaction.

        Raises InsufficientCredits: nothing was stored.
        """
        ...

    async def get_task(self, task_id: TaskId, account: AccountId | None = None) -> Task | None:
        """The task, or None where there is none or it is not this account's (None: any account)."""
        ...

    async def queue_position(self, task_id: TaskId) -> int | None:
        """How many pending tasks go before this one; None once it is not pending."""
        ...

    async def start_task(self, task_id: TaskId) -> Task | None:
        """Mark as running and count an attempt; None where the task is already terminal."""
        ...

    async def set_progress(self, task_id: TaskId, progress: TaskProgress) -> bool:
        """Store progress, never backwards. False: stop, a cancel was asked for or the task is terminal."""
        ...

    async def reserve_exactly(self, task_id: TaskId, price: Decimal) -> None:
        """Replace the estimated reservation by the exact price. Raises InsufficientCredits."""
        ...

    async def settle(self, task_id: TaskId, status: TaskStatus, result: TaskResult) -> bool:
        """End the task once: charge on success, release on failure. False where it was already terminal."""
        ...

    async def request_cancel(self, task_id: TaskId, account: AccountId) -> bool:
        """Ask for a cancel; False where the task is unknown or terminal."""
        ...

    async def account_for_key(self, key_hash: bytes) -> tuple[Account, ApiKey] | None: ...

    async def get_account(self, account: AccountId) -> Account: ...

    async def ensure_account(self, name: str) -> Account:
        """The account of this name, made where there is none."""
        ...

    async def grant(self, account: AccountId, credits_granted: Decimal, memo: str) -> None: ...

    async def add_key(self, account: AccountId, key_hash: bytes, prefix: str) -> None: ...

    async def count_keys(self) -> int: ...

    async def ping(self) -> None:
        """Raises StorageUnavailable where the database does not answer."""
        ...


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


class FileStore(Protocol):
    """Uploads and results.

    A key is ``uploads|results/<account>/[<folder>/]<name>.<extension>``, in lower case, digits and dashes; what looks
    otherwise is not found. Everything that touches the storage raises StorageUnavailable where it does not answer,
    and StorageFull where it has no room.
    """

    async def sign_upload(self, content_type: str, extension: str, account: AccountId) -> SignedUpload:
        """A place for one upload of this account. Raises InputRejected for a type that is not taken."""
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

        Raises InputRejected where it is too large, or is there already.
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
