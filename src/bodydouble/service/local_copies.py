"""Files of the store as local paths, for decoding."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path

from bodydouble.tasks.errors import NotFound
from bodydouble.tasks.files import FileStore

Part = Callable[[int], AbstractContextManager[Path]]
"""Provides a new local file for a number of bytes; it is deleted at the end of the block."""


@asynccontextmanager
async def local_copy(files: FileStore, key: str, part: Part) -> AsyncGenerator[Path, None]:
    """The file itself if the store is a folder, else a copy for the length of the block. Raises NotFound."""
    stored = await files.stat(key)
    if stored is None:
        raise NotFound("File not found", key=key)
    if stored.path is not None:
        yield stored.path
        return
    with part(stored.size_bytes) as path:
        await files.get_file(key, path)
        yield path
