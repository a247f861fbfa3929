"""Files in a bucket. Clients read and write there under presigned addresses, without our API.

CreateTask names an upload by an address of our API, whose HMAC we can verify; GET redirects to the bucket. We cannot
verify the bucket's own addresses, so they are accepted only for files of the same account.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# obstore is only partially typed.

import asyncio
import time
from collections.abc import AsyncIterator, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError

from bodydouble.store.addresses import (
    CONTENT_TYPES,
    KEY,
    PURPOSE,
    SignedAddresses,
    belongs_to,
    checked_key,
    checked_prefix,
    owner_of,
    upload_key,
)
from bodydouble.store.buckets import Bucket
from bodydouble.store.files import FileLimits, check_quota, check_size
from bodydouble.store.scratch import Scratch
from bodydouble.store.secret import derive_key
from bodydouble.tasks.atomic_files import part_of, publish
from bodydouble.tasks.errors import AddressUsed, NotFound, StorageUnavailable
from bodydouble.tasks.files import SignedUpload, StoredFile
from bodydouble.tasks.task import AccountId

if TYPE_CHECKING:
    from obstore import ObjectMeta

SIGNED_SECONDS_MAX = 7 * 24 * 3600
"""The longest lifetime that all providers allow."""
CHUNK_BYTES = 8 << 20
CONCURRENCY = 4
PING_SECONDS_MAX = 5.0
USAGE_SECONDS = 10.0
PING_KEY = ".ping"
DELETE_BATCH = 500
"""Objects that are deleted in one request. S3 allows 1000."""
UNKNOWN_TYPE = "application/octet-stream"


class ObjectFileStore:
    """Satisfies ``tasks.files.FileStore``."""

    resumable = None  # clients write to the bucket directly, in one piece

    def __init__(self, bucket: Bucket, base_url: str, secret: bytes, limits: FileLimits, scratch: Scratch) -> None:
        self._bucket, self._limits, self._scratch = bucket, limits, scratch
        self._addresses = SignedAddresses(base_url, [derive_key(secret, PURPOSE)])
        self._public_prefix: str | None = None
        self._written = False
        self._usage: dict[str, tuple[int, float]] = {}  # by account: bytes of its uploads, and until when that holds

    async def sign_upload(
        self, content_type: str, extension: str, account: AccountId, size_bytes: int | None = None
    ) -> SignedUpload:
        """Presigned addresses of the bucket, or of our API for a bucket without direct uploads."""
        key = upload_key(content_type, extension, account)
        check_size(size_bytes or 0, self._limits.bytes_max(key), "size")
        await self._check_quota(key, size_bytes or 0, expected=self._bucket.direct_uploads)
        seconds = self._limits.upload_seconds
        if self._bucket.direct_uploads:
            put_url = await self._presign("PUT", key, seconds)
        else:
            put_url = self._addresses.make("PUT", key, seconds, content_type)
        return SignedUpload(
            put_url=put_url,
            file_url=self._addresses.make("GET", key, self._limits.download_seconds),
            expires_at=datetime.fromtimestamp(int(time.time()) + min(seconds, SIGNED_SECONDS_MAX), UTC),
        )

    async def sign_download(self, key: str, expires_seconds: int | None = None) -> str:
        """A presigned address of the bucket, valid for at most seven days."""
        return await self._presign("GET", checked_key(key), expires_seconds or self._limits.download_seconds)

    async def own_key(self, url: str, account: AccountId | None = None) -> str | None:
        """Accepts signed addresses of our API, and addresses of the bucket for files of the account."""
        key = self._addresses.key_of(url)
        if key is not None or account is None or not url.startswith(("http://", "https://")):
            return key
        if self._public_prefix is None:
            signed = await self._presign("GET", PING_KEY, 1)
            self._public_prefix = signed.partition("?")[0].removesuffix(PING_KEY)
        path = url.partition("?")[0]
        key = path.removeprefix(self._public_prefix)
        return key if key != path and belongs_to(key, account) else None

    def allows(self, method: str, key: str, query: Mapping[str, str], content_type: str) -> bool:
        """Whether the address's signature is ours, for this, and not expired."""
        return self._addresses.allows(method, key, query, content_type)

    async def stat(self, key: str) -> StoredFile | None:
        """One HEAD request."""
        checked_key(key)
        with self._speaking():
            try:
                found = await obstore.get_async(self._bucket.store, key, options={"head": True})
            except FileNotFoundError:
                found = None
        if found is None:
            await self.ping()  # raises if the bucket is gone, not only the file
            return None
        return _stored(found.meta, found.attributes.get("Content-Type", UNKNOWN_TYPE))

    async def receive(self, key: str, chunks: AsyncIterator[bytes], size_bytes: int | None = None) -> StoredFile:
        """Receive an upload for a bucket without direct uploads."""
        bytes_max = self._limits.bytes_max(key)
        check_size(size_bytes or 0, bytes_max, "body")
        if await self.stat(key) is not None:
            raise AddressUsed(key)
        await self._check_quota(key, bytes_max if size_bytes is None else size_bytes, expected=True)
        with self._scratch.part(size_bytes or 0) as part:
            with part.open("wb") as stream:
                size = 0
                async for chunk in chunks:
                    size += len(chunk)
                    check_size(size, bytes_max, "body")
                    await asyncio.to_thread(self._scratch.check_room, len(chunk), part)
                    await asyncio.to_thread(stream.write, chunk)
            await self._claim(key)
            try:
                return await self.put_file(key, part, CONTENT_TYPES.get(Path(key).suffix, UNKNOWN_TYPE))
            except BaseException:
                await asyncio.shield(self._delete_one(key))
                raise

    async def put_file(self, key: str, source: Path, content_type: str) -> StoredFile:
        """Sets the headers that a browser needs to show the file or to save it under its name."""
        name = Path(checked_key(key)).name
        size = source.stat().st_size
        with self._speaking():
            await obstore.put_async(
                self._bucket.store,
                key,
                source,
                attributes={
                    "Content-Type": content_type,
                    "Content-Disposition": f'inline; filename="{name}"',
                    "Cache-Control": "private, max-age=3600",
                },
                chunk_size=CHUNK_BYTES,
                max_concurrency=CONCURRENCY,
            )
        return StoredFile(key=key, size_bytes=size, content_type=content_type, modified_at=datetime.now(UTC))

    async def get_file(self, key: str, target: Path, bytes_max: int | None = None) -> StoredFile:
        """Stream to ``target``, completely or not at all."""
        part = part_of(target)
        with self._speaking():
            try:
                found = await obstore.get_async(self._bucket.store, checked_key(key))
            except FileNotFoundError:
                await self.ping()  # raises if the bucket is gone, not only the file
                raise NotFound("File not found", key=key) from None
            stored = _stored(found.meta, found.attributes.get("Content-Type", UNKNOWN_TYPE))
            if bytes_max is not None:
                check_size(stored.size_bytes, bytes_max, Path(key).name)
            with self._scratch.telling():
                try:
                    with part.open("wb") as stream:
                        async for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
                            await asyncio.to_thread(stream.write, chunk)
                    await asyncio.to_thread(publish, part, target)
                finally:
                    part.unlink(missing_ok=True)
        return stored

    async def delete(self, keys: Sequence[str]) -> None:
        """Deletes in batches."""
        for key in keys:
            checked_key(key)
        for first in range(0, len(keys), DELETE_BATCH):
            batch = keys[first : first + DELETE_BATCH]
            with self._speaking():
                try:
                    await obstore.delete_async(self._bucket.store, batch)
                except FileNotFoundError:  # the error does not say which one; delete the others
                    for key in batch:
                        await self._delete_one(key)

    async def delete_prefix(self, prefix: str) -> int:
        """Lists and deletes the files of one folder."""
        keys = [stored.key async for stored in self.list(prefix)]
        await self.delete(keys)
        return len(keys)

    async def list(self, prefix: str) -> AsyncIterator[StoredFile]:
        """The content type follows from the extension, without a request for each file."""
        pages = obstore.list(self._bucket.store, checked_prefix(prefix), chunk_size=1000)
        while True:
            with self._speaking():
                try:
                    page = await anext(pages)
                except StopAsyncIteration:
                    return
            for found in page:
                if KEY.match(found["path"]):
                    yield _stored(found, CONTENT_TYPES.get(Path(found["path"]).suffix, UNKNOWN_TYPE))

    async def ping(self) -> None:
        """Writes an object at first, then reads it; after a failure it writes again."""
        store = self._bucket.store
        with self._speaking():
            try:
                async with asyncio.timeout(PING_SECONDS_MAX):
                    written, self._written = self._written, False
                    if written:
                        await obstore.head_async(store, PING_KEY)
                    else:
                        await obstore.put_async(store, PING_KEY, b"", use_multipart=False)
                    self._written = True
            except TimeoutError:
                raise StorageUnavailable(
                    f"{self._bucket.name} does not respond within {PING_SECONDS_MAX:g} s"
                ) from None

    async def _check_quota(self, key: str, bytes_wanted: int, *, expected: bool) -> None:
        """Raises QuotaExceeded. Lists the uploads once in ``USAGE_SECONDS``; what is ``expected`` counts at once."""
        if not self._limits.account_bytes_max:
            return
        owner, now = owner_of(key), time.monotonic()
        used, until = self._usage.get(owner, (0, 0.0))
        if now >= until:
            used, until = 0, now + USAGE_SECONDS
            async for stored in self.list(f"uploads/{owner}"):
                used += stored.size_bytes
            self._usage = {other: known for other, known in self._usage.items() if known[1] > now}
        check_quota(used, bytes_wanted, self._limits)
        self._usage[owner] = used + (bytes_wanted if expected else 0), until

    async def _claim(self, key: str) -> None:
        """Atomically create an empty object; only one of concurrent callers succeeds. Raises AddressUsed.

        The bucket would create the file itself under this condition only in one piece, from memory.
        """
        with self._speaking():
            try:
                await obstore.put_async(self._bucket.store, key, b"", mode="create", use_multipart=False)
            except AlreadyExistsError:
                raise AddressUsed(key) from None

    async def _delete_one(self, key: str) -> None:
        try:
            await obstore.delete_async(self._bucket.store, key)
        except FileNotFoundError:
            return

    async def _presign(self, method: str, key: str, seconds: int) -> str:
        lifetime = timedelta(seconds=min(seconds, SIGNED_SECONDS_MAX))
        with self._speaking():
            return await obstore.sign_async(self._bucket.signer, "GET" if method == "GET" else "PUT", key, lifetime)

    @contextmanager
    def _speaking(self) -> Generator[None, None, None]:
        """Translate errors of the bucket. The message has the first line of the original."""
        try:
            yield
        except (BaseError, FileNotFoundError) as error:
            reason = str(error).partition("\n")[0][:300]
            raise StorageUnavailable(f"{self._bucket.name} failed: {reason}") from error


def _stored(meta: "ObjectMeta", content_type: str) -> StoredFile:
    return StoredFile(
        key=meta["path"], size_bytes=meta["size"], content_type=content_type, modified_at=meta["last_modified"]
    )
