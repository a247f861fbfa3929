"""Files in a local folder, reached over HTTP by signed addresses that expire.

An address carries what it allows (GET or PUT, which key, which type, until when) and an HMAC over it. Keys are made
here and checked against a pattern, so that no address leaves the folder.
"""

import asyncio
import hashlib
import hmac
import os
import re
import secrets
import shutil
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, quote, urlencode, urlsplit
from uuid import uuid4

from bodydouble.tasks.errors import InputRejected, NotFound, StorageUnavailable
from bodydouble.tasks.ports import SignedUpload, StoredFile
from bodydouble.tasks.task import AccountId

KEY = re.compile(r"(uploads|results)/[0-9a-z-]{1,64}/[0-9a-z-]{1,64}\.[a-z0-9]{1,5}\Z")
CONTENT_TYPES = {
    ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".bmp": "image/bmp",
    ".mp4": "video/mp4", ".mov": "video/quicktime", ".avi": "video/x-msvideo", ".mkv": "video/x-matroska",
    ".webm": "video/webm",
}  # fmt: skip
PATH_PREFIX = "/files/"


class LocalFileStore:
    """Satisfies ``tasks.ports.FileStore``."""

    def __init__(
        self, folder: Path, base_url: str, *, upload_seconds: int, download_seconds: int, bytes_max: int
    ) -> None:
        self.folder, self._base_url = folder, base_url
        self._upload_seconds, self._download_seconds = upload_seconds, download_seconds
        self._bytes_max = bytes_max
        folder.mkdir(parents=True, exist_ok=True)
        self._secret = _secret(folder / ".signing-key")

    def sign_upload(self, content_type: str, extension: str, account: AccountId) -> SignedUpload:
        """Raises InputRejected where the type or the extension is none that we take."""
        extension = extension.lower() if extension.startswith(".") else f".{extension.lower()}"
        if extension not in CONTENT_TYPES:
            raise InputRejected(f"ext: '{extension}' is not taken; there are: {', '.join(CONTENT_TYPES)}", field="ext")
        kind = CONTENT_TYPES[extension].split("/")[0]
        if not re.fullmatch(rf"{kind}/[a-zA-Z0-9.+-]+", content_type):
            raise InputRejected(
                f"content_type: '{content_type}' does not go with ext '{extension}'", field="content_type"
            )
        key = f"uploads/{account}/{uuid4()}{extension}"
        expires = int(time.time()) + self._upload_seconds
        return SignedUpload(
            put_url=self._url("PUT", key, expires, content_type),
            file_url=self.sign_download(key),
            expires_at=datetime.fromtimestamp(expires, UTC),
        )

    def sign_download(self, key: str, expires_seconds: int | None = None) -> str:
        return self._url("GET", key, int(time.time()) + (expires_seconds or self._download_seconds), "")

    def own_key(self, url: str) -> str | None:
        try:
            parts = urlsplit(url)
        except ValueError:
            return None
        if f"{parts.scheme}://{parts.netloc}" != self._base_url or not parts.path.startswith(PATH_PREFIX):
            return None
        query = {k: v[0] for k, v in parse_qs(parts.query).items()}
        key = parts.path.removeprefix(PATH_PREFIX)
        return key if self.allows("GET", key, query, "") else None

    def allows(self, method: str, key: str, query: dict[str, str], content_type: str) -> bool:
        """Whether the address's signature is ours, for this, and not expired."""
        expires = query.get("expires", "")
        if not KEY.match(key) or not re.fullmatch(r"[0-9]{1,12}", expires) or int(expires) < time.time():
            return False
        wanted = self._sign(method, key, int(expires), content_type)
        return hmac.compare_digest(wanted, query.get("signature", ""))

    def stored(self, key: str) -> StoredFile:
        """The file as it is. Raises NotFound."""
        path = self._path(key)
        if not path.is_file():
            raise NotFound("File not found", key=key)
        kind = CONTENT_TYPES.get(path.suffix, "application/octet-stream")
        return StoredFile(key=key, size_bytes=path.stat().st_size, content_type=kind, path=path)

    async def receive(self, key: str, chunks: AsyncIterator[bytes]) -> StoredFile:
        """Take an upload. Raises InputRejected where it is too large, or is there already; nothing half stays."""
        path = self._path(key)
        if path.exists():
            raise InputRejected("This upload address was used already; ask for a new one.", key=key)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        size = 0
        try:
            with part.open("wb") as stream:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > self._bytes_max:
                        raise InputRejected(f"The upload is larger than {self._bytes_max / 1e6:g} MB.", key=key)
                    await asyncio.to_thread(stream.write, chunk)
            part.replace(path)
        except OSError as error:
            raise StorageUnavailable(f"The file store cannot be written: {error.strerror}") from error
        finally:
            part.unlink(missing_ok=True)
        return self.stored(key)

    async def put_file(self, key: str, source: Path, content_type: str) -> StoredFile:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        try:
            await asyncio.to_thread(shutil.copyfile, source, part)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise StorageUnavailable(f"The file store cannot be written: {error.strerror}") from error
        part.replace(path)
        return self.stored(key)

    async def get_file(self, key: str, target: Path) -> StoredFile:
        stored = self.stored(key)
        assert stored.path is not None, "local files have a path"
        part = target.with_name(target.name + ".part")
        await asyncio.to_thread(shutil.copyfile, stored.path, part)
        part.replace(target)
        return stored

    async def ping(self) -> None:
        probe = self.folder / f".probe-{secrets.token_hex(4)}"
        try:
            probe.write_bytes(b"x")
            probe.unlink()
        except OSError as error:
            raise StorageUnavailable(f"The file store {self.folder} cannot be written: {error.strerror}") from error

    def _path(self, key: str) -> Path:
        if not KEY.match(key):
            raise NotFound("File not found", key=key)
        return self.folder / key

    def _url(self, method: str, key: str, expires: int, content_type: str) -> str:
        query = urlencode({"expires": expires, "signature": self._sign(method, key, expires, content_type)})
        return f"{self._base_url}{PATH_PREFIX}{quote(key)}?{query}"

    def _sign(self, method: str, key: str, expires: int, content_type: str) -> str:
        message = "\n".join((method, key, str(expires), content_type)).encode()
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()


def _secret(path: Path) -> bytes:
    """The signing key, made on first use; readable by its owner only."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        deadline = time.monotonic() + 5
        while path.stat().st_size < 32 and time.monotonic() < deadline:  # another process is just writing it
            time.sleep(0.01)
        return path.read_bytes()
    with os.fdopen(descriptor, "wb") as stream:
        secret = secrets.token_bytes(32)
        stream.write(secret)
    return secret
