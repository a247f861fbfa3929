"""Deleting expired files."""

from datetime import datetime

from bodydouble.tasks.files import FileStore

BATCH = 500
"""Files that are deleted in one call."""


async def delete_older(files: FileStore, prefix: str, before: datetime) -> int:
    """Delete the files below ``prefix`` last written before ``before`` (with a time zone); return how many.

    Raises StorageUnavailable; some files may have been deleted, and the next run continues.
    """
    deleted = 0
    old: list[str] = []
    async for stored in files.list(prefix):
        if stored.modified_at < before:
            old.append(stored.key)
        if len(old) >= BATCH:
            await files.delete(old)
            deleted += len(old)
            old = []
    await files.delete(old)
    return deleted + len(old)
