"""Local pictures and videos (paths, bytes, open files) and URLs."""

import asyncio
import io
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import httpx

Media = str | os.PathLike[str] | bytes | BinaryIO
"""A local file (its path, its bytes, or an open binary file), or an http(s) or data URL."""

CHUNK_BYTES = 256 * 1024
SNIFFED_BYTES = 64
EXTENSIONS = {
    ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".bmp": "image/bmp",
    ".heic": "image/heic", ".heif": "image/heif", ".avif": "image/avif",
    ".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime", ".avi": "video/x-msvideo",
    ".mkv": "video/x-matroska", ".webm": "video/webm", ".gif": "image/gif",
}  # fmt: skip
FTYP_BRANDS = {
    b"qt  ": "video/quicktime", b"heic": "image/heic", b"heix": "image/heic", b"mif1": "image/heif",
    b"avif": "image/avif",
}  # fmt: skip
"""Major brand of an ISO base media file to its content type; any other brand is taken for MP4."""
_EXTENSION_OF = {kind: ext for ext, kind in reversed(EXTENSIONS.items()) if ext not in (".jpeg", ".m4v")}


def as_url(source: Media) -> str | None:
    """``source`` if it is a URL that the service can read, else None."""
    if isinstance(source, str) and source.split(":", 1)[0].lower() in ("http", "https", "data") and ":" in source:
        return source
    return None


def sniff(head: bytes) -> str | None:
    """The content type of a file that begins with ``head``, or None if unknown."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"GIF8"):
        return "image/gif"
    if head.startswith(b"RIFF"):
        return {b"WEBP": "image/webp", b"AVI ": "video/x-msvideo"}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return FTYP_BRANDS.get(head[8:12], "video/mp4")
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "video/webm" if b"webm" in head else "video/x-matroska"
    return "image/bmp" if head.startswith(b"BM") else None


class LocalMedia:
    """A file that can be sent several times. A context manager: it closes what it opened."""

    def __init__(self, source: Media, field: str) -> None:
        """Open ``source``; ``field`` names it in messages.

        Raises:
            FileNotFoundError: no file at this path (also for text that is not a URL).
            TypeError: a stream opened as text, or another type.
            ValueError: an empty file, or neither content nor name is that of a picture or video.
        """
        self._opened = ExitStack()
        try:
            self._stream, self.name = self._open(source, field)
            self._start = self._stream.tell()
            head = self._stream.read(SNIFFED_BYTES)
            self.size_bytes = self._stream.seek(0, os.SEEK_END) - self._start
            if not head:
                raise ValueError(f"{field}: {self.name} is empty")
            content_type = sniff(head) or EXTENSIONS.get(Path(self.name).suffix.lower())
            if content_type is None:
                known = ", ".join(sorted(EXTENSIONS))
                raise ValueError(f"{field}: {self.name} is not a picture or video that the service accepts: {known}")
            self.content_type, self.extension = content_type, _EXTENSION_OF[content_type]
        except BaseException:
            self._opened.close()
            raise

    def _open(self, source: Media, field: str) -> tuple[BinaryIO, str]:
        if isinstance(source, bytes | bytearray | memoryview):
            return io.BytesIO(source), f"{len(source)} bytes"
        if isinstance(source, str | os.PathLike):
            path = Path(source).expanduser()
            if not path.is_file():
                raise FileNotFoundError(
                    f"{field}: {str(source)[:200]!r} is neither an existing file nor an http(s) or data URL"
                )
            return self._opened.enter_context(path.open("rb")), path.name
        if not hasattr(source, "read"):
            raise TypeError(f"{field}: expected a path, bytes, an open file or a URL, not {type(source).__name__}")
        if isinstance(source, io.TextIOBase):
            raise TypeError(f"{field}: the file was opened as text; open it with mode 'rb'")
        name = str(getattr(source, "name", "") or "the stream")
        if source.seekable():
            return source, name
        # A pipe can be read only once, but a retry may need it again: keep a copy.
        kept = self._opened.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
        shutil.copyfileobj(source, kept, CHUNK_BYTES)
        kept.seek(0)
        return kept, name

    def __enter__(self) -> "LocalMedia":
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def body(self, offset: int = 0, size_bytes: int | None = None) -> "MediaBody":
        """The content from ``offset``, at most ``size_bytes`` of it."""
        left = self.size_bytes - offset if size_bytes is None else size_bytes
        return MediaBody(self._stream, self._start + offset, left)


class MediaBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A request's body, read in chunks by either kind of client."""

    def __init__(self, stream: BinaryIO, start: int, size_bytes: int) -> None:
        self._stream, self._start, self._size_bytes = stream, start, size_bytes

    def __iter__(self) -> Iterator[bytes]:
        self._stream.seek(self._start)
        left = self._size_bytes
        while chunk := self._stream.read(min(CHUNK_BYTES, left)):
            left -= len(chunk)
            yield chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self._stream.seek(self._start)
        left = self._size_bytes
        while chunk := await asyncio.to_thread(self._stream.read, min(CHUNK_BYTES, left)):
            left -= len(chunk)
            yield chunk
