"""A file store under test, with what a client does to it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import httpx

from bodydouble.store import FileLimits, LocalFileStore
from bodydouble.store.objects import ObjectFileStore
from bodydouble.tasks.files import SignedUpload
from bodydouble.tasks.task import AccountId

URL = "https://media.example"
SECRET = b"of the installation"
LIMITS = FileLimits(upload_seconds=60, download_seconds=60, image_bytes_max=800, video_bytes_max=1000)
OWNER, STRANGER = AccountId(7), AccountId(8)
RESULT = "results/7/0198-task/result.mp4"


@dataclass(frozen=True, kw_only=True)
class StoreUnderTest:
    """A store, and what takes its storage away and brings it back."""

    files: LocalFileStore | ObjectFileStore
    lose: Callable[[], object]
    restore: Callable[[], object]

    async def put(self, signed: SignedUpload, content: bytes, content_type: str = "video/mp4") -> None:
        """As a client does, and the API where the address is one of it."""
        if not signed.put_url.startswith(URL):
            answer = httpx.put(signed.put_url, content=content, headers={"content-type": content_type}, timeout=30)
            assert answer.is_success, answer.text
            return
        key, query = key_and_query(signed.put_url)
        assert self.files.allows("PUT", key, query, content_type)
        await self.files.receive(key, in_pieces(content), len(content))

    async def get(self, url: str) -> tuple[bytes, str]:
        """Bytes and type, as a client gets them."""
        if not url.startswith(URL):
            answer = httpx.get(url, timeout=30)
            assert answer.is_success, answer.text
            return answer.content, answer.headers["content-type"]
        key, query = key_and_query(url)
        assert self.files.allows("GET", key, query, "")
        stored = await self.files.stat(key)
        assert stored is not None
        if stored.path is None:
            return await self.get(await self.files.sign_download(key))
        return stored.path.read_bytes(), stored.content_type


def key_and_query(url: str) -> tuple[str, dict[str, str]]:
    """The key and the query of an address of our API."""
    parts = urlsplit(url)
    return parts.path.removeprefix("/files/"), dict(parse_qsl(parts.query))


async def in_pieces(content: bytes) -> AsyncIterator[bytes]:
    """``content`` in chunks of 100 bytes."""
    for first in range(0, len(content), 100):
        yield content[first : first + 100]
