"""Uploads that continue after an interruption.

Received bytes are kept in a part file until the upload is complete. Its length is the only state, so any process that
shares the folder can receive the next piece.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

from bodydouble.store.addresses import SignedAddresses, checked_key, owner_of
from bodydouble.store.scratch import Scratch, part_prefix, put_in_place
from bodydouble.tasks.errors import InputRejected, WrongOffset

WRITE_BYTES = 1 << 20
"""Size of the blocks that are written, and the most that a killed process loses."""


class LocalResumableUploads:
    """Satisfies ``tasks.files.ResumableUploads``."""

    def __init__(
        self, folder: Path, scratch: Scratch, addresses: SignedAddresses, check_quota: Callable[[str, int], None]
    ) -> None:
        """``check_quota`` takes a key and the bytes that are to come; raises QuotaExceeded."""
        self._folder, self._scratch, self._addresses, self._check_quota = folder, scratch, addresses, check_quota

    def size(self, key: str, query: Mapping[str, str]) -> int | None:
        """The size that is signed with the address."""
        return self._addresses.upload_size(key, query)

    async def offset(self, key: str, size_bytes: int) -> int:
        """The length of the part file. Finishes a complete upload whose process was killed before it could."""
        offset = await asyncio.to_thread(self._offset, key)
        if offset == size_bytes:
            await asyncio.to_thread(self._finish, key, size_bytes)
        return offset

    async def append(self, key: str, size_bytes: int, offset: int, chunks: AsyncIterator[bytes]) -> int:
        """Each write verifies the offset, so that only one of two concurrent senders continues."""
        await asyncio.to_thread(self._begin, key, size_bytes, offset)
        with self._scratch.reserve(self._part(key), size_bytes, owner_of(key)):
            return await self._take(key, size_bytes, offset, chunks)

    async def _take(self, key: str, size_bytes: int, offset: int, chunks: AsyncIterator[bytes]) -> int:
        held = bytearray()
        try:
            async for chunk in chunks:
                held += chunk
                if offset + len(held) > size_bytes:
                    held.clear()
                    raise InputRejected(f"body: longer than the {size_bytes} bytes that were announced as size.")
                if len(held) >= WRITE_BYTES:
                    offset, held = await asyncio.to_thread(self._write, key, offset, held), bytearray()
        finally:  # keep what was received if the connection broke
            offset = await asyncio.to_thread(self._write, key, offset, held)
        if offset == size_bytes:
            await asyncio.to_thread(self._finish, key, size_bytes)
        return offset

    def _part(self, key: str) -> Path:
        return self._scratch.folder / f"{part_prefix(owner_of(key))}{Path(checked_key(key)).name}.upload"

    def _offset(self, key: str) -> int:
        part = self._part(key)
        with self._scratch.telling():
            for path in (self._folder / key, part, self._folder / key):  # it may be finished meanwhile
                if path.exists():
                    return path.stat().st_size
            self._scratch.folder.stat()  # raises if the disk is gone
            return 0

    def _begin(self, key: str, size_bytes: int, offset: int) -> None:
        found = self._offset(key)
        if found != offset:
            raise WrongOffset(found)
        with self._scratch.telling():
            self._scratch.sweep()
        self._check_quota(key, size_bytes - offset)

    def _write(self, key: str, offset: int, block: bytearray) -> int:
        if not block:
            return offset
        part, path = self._part(key), self._folder / key
        with self._scratch.telling(), part.open("ab") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            self._scratch.check_room(len(block), part)  # other processes write to this disk too
            if path.exists():  # finished by another sender; this part file may be a new one
                part.unlink(missing_ok=True)
                raise WrongOffset(path.stat().st_size)
            end = stream.seek(0, os.SEEK_END)
            if end != offset:
                raise WrongOffset(end)
            stream.write(block)
        return offset + len(block)

    def _finish(self, key: str, size_bytes: int) -> None:
        part, path = self._part(key), self._folder / key
        if path.exists():
            return
        with self._scratch.telling(), part.open("ab") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            end = stream.seek(0, os.SEEK_END)
            try:
                if end == size_bytes and not path.exists():
                    put_in_place(part, path, only_new=True)
            except FileExistsError:  # stored by a PUT to the same address
                pass
            if path.exists():
                part.unlink(missing_ok=True)
                end = path.stat().st_size
        if end != size_bytes:
            raise WrongOffset(end)
