"""Storing a file that a client sends to us under a name of its own, as some dialects let it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from fastapi import Request

from bodydouble.api.authentication import get_tasks
from bodydouble.service import Caller
from bodydouble.service.inline_files import EXTENSIONS
from bodydouble.tasks.errors import InvalidParams
from bodydouble.tasks.files import FileStore, StoredFile

TYPES = {extension: content_type for content_type, extension in EXTENSIONS.items()} | {".jpeg": "image/jpeg"}


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A stored file, and the address that names it in a create request."""

    file: StoredFile
    url: str


def extension_of(filename: str, field: str) -> str:
    """The extension of a picture's or video's name, with its dot. Raises InvalidParams naming ``field``."""
    extension = PurePosixPath(filename).suffix.lower()
    if extension not in TYPES:
        raise InvalidParams([f"{field}: the file name must end in one of {', '.join(TYPES)}"])
    return extension


async def store_upload(
    request: Request, caller: Caller, extension: str, chunks: AsyncIterator[bytes], size_bytes: int | None = None
) -> Upload:
    """Store a file of the caller.

    Raises:
        InvalidParams for an empty file. What ``TaskService.sign_upload`` and ``FileStore.receive`` raise.
    """
    files: FileStore = request.app.state.files
    signed = await get_tasks(request).sign_upload(caller, TYPES[extension], extension, size_bytes)
    key = await files.own_key(signed.file_url, caller.id)
    assert key is not None, "the store has just signed this address"
    return Upload(file=await files.receive(key, not_empty(chunks), size_bytes), url=signed.file_url)


async def not_empty(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The chunks of a file. Raises InvalidParams at their end if they hold no byte."""
    empty = True
    async for chunk in chunks:
        empty = empty and not chunk
        yield chunk
    if empty:
        raise InvalidParams(["file: is empty"])
