"""Files in a local folder, served by our API under signed addresses."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from bodydouble.store.addresses import (
    CONTENT_TYPES,
    KEY,
    PURPOSE,
    SignedAddresses,
    checked_key,
    checked_prefix,
    owner_of,
    upload_key,
)
from bodydouble.store.folder_sizes import FolderSizes, growing_bytes
from bodydouble.store.resumable import LocalResumableUploads
from bodydouble.store.scratch import Scratch, part_prefix, put_in_place
from bodydouble.store.secret import derive_key
from bodydouble.tasks.atomic_files import part_of, publish
from bodydouble.tasks.errors import AddressUsed, InputRejected, NotFound, QuotaExceeded
from bodydouble.tasks.files import SignedUpload, StoredFile
from bodydouble.tasks.task import AccountId

WRITE_BYTES = 1 << 20
"""Uploads arrive in small chunks; they are written in blocks of this size."""
PARTS_FOLDER = ".parts"
FORMER_KEY = ".signing-key"
"""Former place of the signing key, from before there was one secret. Addresses signed with it stay valid."""


@dataclass(frozen=True, kw_only=True)
class FileLimits:
    """Limits of a file store: accepted sizes, and validity of its addresses."""

    upload_seconds: int
    download_seconds: int
    image_bytes_max: int  # of a picture
    video_bytes_max: int
    free_bytes_min: int = 0  # of a local disk, kept free
    account_bytes_max: int = 0  # of all uploads of an account; 0: no limit

    def bytes_max(self, key: str) -> int:
        """The largest upload under this key."""
        is_image = CONTENT_TYPES.get(Path(key).suffix, "").startswith("image/")
        return self.image_bytes_max if is_image else self.video_bytes_max


def check_size(size_bytes: int, bytes_max: int, named: str) -> None:
    """Raises InputRejected for a file above ``bytes_max``; ``named`` is the name that its sender knows."""
    if size_bytes > bytes_max:
        raise InputRejected(f"{named}: the file is larger than {bytes_max / 1e6:g} MB, which is the limit.")


def check_quota(used_bytes: int, wanted_bytes: int, limits: FileLimits) -> None:
    """Raises QuotaExceeded if an account's uploads would hold more than ``account_bytes_max``."""
    if limits.account_bytes_max and used_bytes + wanted_bytes > limits.account_bytes_max:
        raise QuotaExceeded(
            f"uploads: this account has {used_bytes / 1e6:.1f} MB of at most {limits.account_bytes_max / 1e6:g} MB; "
            f"{wanted_bytes / 1e6:.1f} MB more are wanted. Uploads are deleted when they expire; try again then."
        )


class LocalFileStore:
    """Satisfies ``tasks.files.FileStore``."""

    def __init__(self, folder: Path, base_url: str, secret: bytes, limits: FileLimits) -> None:
        """Raises StorageUnavailable if the folder cannot be created."""
        self.folder, self._limits = folder, limits
        self._scratch = Scratch(folder / PARTS_FOLDER, limits.free_bytes_min)
        self._stored_sizes = FolderSizes()
        keys = [derive_key(secret, PURPOSE)]
        if (folder / FORMER_KEY).exists():
            keys.append((folder / FORMER_KEY).read_bytes())
        self._addresses = SignedAddresses(base_url, keys)
        self.resumable = LocalResumableUploads(folder, self._scratch, self._addresses, self._check_quota)

    async def sign_upload(
        self, content_type: str, extension: str, account: AccountId, size_bytes: int | None = None
    ) -> SignedUpload:
        """Addresses of our API."""
        key = upload_key(content_type, extension, account)
        check_size(size_bytes or 0, self._limits.bytes_max(key), "size")
        await asyncio.to_thread(self._check_quota, key, size_bytes or 0)
        seconds = self._limits.upload_seconds
        return SignedUpload(
            put_url=self._addresses.make("PUT", key, seconds, content_type),
            file_url=await self.sign_download(key),
            resumable_url=self._addresses.make_resumable(key, seconds, size_bytes) if size_bytes is not None else None,
            expires_at=datetime.fromtimestamp(int(time.time()) + seconds, UTC),
        )

    async def sign_download(self, key: str, expires_seconds: int | None = None) -> str:
        """An address of our API."""
        return self._addresses.make("GET", checked_key(key), expires_seconds or self._limits.download_seconds)

    async def own_key(self, url: str, account: AccountId | None = None) -> str | None:
        """A valid signed address names any file, whatever its account."""
        return self._addresses.key_of(url)

    def allows(self, method: str, key: str, query: Mapping[str, str], content_type: str) -> bool:
        """Whether the address's signature is ours, for this, and not expired."""
        return self._addresses.allows(method, key, query, content_type)

    async def stat(self, key: str) -> StoredFile | None:
        """The stored file, with its path."""
        return await asyncio.to_thread(self._stat, checked_key(key))

    async def receive(self, key: str, chunks: AsyncIterator[bytes], size_bytes: int | None = None) -> StoredFile:
        """Write an upload to disk as it arrives."""
        path = self.folder / checked_key(key)
        bytes_max = self._limits.bytes_max(key)
        check_size(size_bytes or 0, bytes_max, "body")
        if path.exists():
            raise AddressUsed(key)
        wanted = bytes_max if size_bytes is None else size_bytes
        await asyncio.to_thread(self._check_quota, key, wanted)
        with self._scratch.part(size_bytes or 0, owner_of(key)) as part:
            with part.open("wb") as stream:
                size, held = 0, bytearray()
                async for chunk in chunks:
                    size += len(chunk)
                    check_size(size, bytes_max, "body")
                    held += chunk
                    if len(held) >= WRITE_BYTES:
                        await asyncio.to_thread(self._write, part, stream, held)
                        held = bytearray()
                await asyncio.to_thread(self._write, part, stream, held)
            try:
                await asyncio.to_thread(put_in_place, part, path, only_new=True)
            except FileExistsError:  # another one was completed meanwhile, and may be in use
                raise AddressUsed(key) from None
        return await self._found(key)

    async def put_file(self, key: str, source: Path, content_type: str) -> StoredFile:
        """The content type follows from the extension of the key."""
        path, size = self.folder / checked_key(key), source.stat().st_size

        def store() -> None:
            with self._scratch.part(size) as part:
                shutil.copyfile(source, part)
                put_in_place(part, path)

        await asyncio.to_thread(store)
        return await self._found(key)

    async def get_file(self, key: str, target: Path, bytes_max: int | None = None) -> StoredFile:
        """Copy to ``target``, completely or not at all."""
        stored = await self._found(key)
        assert stored.path is not None, "local files have a path"
        if bytes_max is not None:
            check_size(stored.size_bytes, bytes_max, Path(key).name)
        part = part_of(target)
        with self._scratch.telling():
            try:
                await asyncio.to_thread(shutil.copyfile, stored.path, part)
                await asyncio.to_thread(publish, part, target)
            finally:
                part.unlink(missing_ok=True)
        return stored

    async def delete(self, keys: Sequence[str]) -> None:
        """Also deletes folders that become empty."""
        paths = [self.folder / checked_key(key) for key in keys]
        if paths:
            await asyncio.to_thread(self._delete, paths)

    async def delete_prefix(self, prefix: str) -> int:
        """Lists and deletes the files of one folder."""
        keys = [stored.key async for stored in self.list(prefix)]
        await self.delete(keys)
        return len(keys)

    async def list(self, prefix: str) -> AsyncIterator[StoredFile]:
        """Reads one folder at a time, so that memory holds the names of one."""
        top = self.folder / checked_prefix(prefix)
        await self.ping()
        walk = os.walk(top)
        while (entry := await asyncio.to_thread(next, walk, None)) is not None:
            folder = Path(entry[0]).relative_to(self.folder).as_posix()
            keys = [key for name in entry[2] if KEY.match(key := f"{folder}/{name}")]
            for stored in await asyncio.to_thread(self._stat_all, keys):
                yield stored

    async def ping(self) -> None:
        """Writes and removes a file."""

        def write() -> None:
            with self._scratch.part() as part:
                part.write_bytes(b"x")

        await asyncio.to_thread(write)

    def _write(self, part: Path, stream: BinaryIO, block: bytearray) -> None:
        self._scratch.check_room(len(block), part)  # other processes write to this disk too
        stream.write(block)

    def _check_quota(self, key: str, bytes_wanted: int) -> None:
        """Raises QuotaExceeded. Counts stored uploads, unfinished ones, and the rest of those that come right now."""
        if not self._limits.account_bytes_max:
            return
        owner = owner_of(key)
        with self._scratch.telling():
            stored = self._stored_sizes.total(self.folder / "uploads" / owner)
            unfinished = growing_bytes(self._scratch.folder, part_prefix(owner))
        check_quota(stored + unfinished + self._scratch.bytes_reserved(owner), bytes_wanted, self._limits)

    async def _found(self, key: str) -> StoredFile:
        stored = await self.stat(key)
        if stored is None:
            raise NotFound("File not found", key=key)
        return stored

    def _stat(self, key: str) -> StoredFile | None:
        path = self.folder / key
        with self._scratch.telling():
            try:
                found = path.stat()
            except FileNotFoundError:
                self._scratch.folder.stat()  # raises if the disk is gone, not only the file
                return None
        return StoredFile(
            key=key,
            size_bytes=found.st_size,
            content_type=CONTENT_TYPES.get(path.suffix, "application/octet-stream"),
            modified_at=datetime.fromtimestamp(found.st_mtime, UTC),
            path=path,
        )

    def _stat_all(self, keys: Sequence[str]) -> Sequence[StoredFile]:
        return [stored for key in keys if (stored := self._stat(key)) is not None]

    def _delete(self, paths: Sequence[Path]) -> None:
        with self._scratch.telling():
            self._scratch.folder.stat()
            for path in paths:
                path.unlink(missing_ok=True)
            for folder in {path.parent for path in paths}:
                _remove_empty(folder, self.folder)


def _remove_empty(folder: Path, top: Path) -> None:
    while folder != top:
        try:
            folder.rmdir()
        except OSError:  # not empty, or gone already
            return
        folder = folder.parent
