"""Removing what was kept long enough."""

from datetime import datetime

from bodydouble.tasks.files import FileStore

BATCH = 500


async def delete_older(files: FileStore, prefix: str, before: datetime) -> int:
    """Delete every file below ``prefix`` that was last written before ``before`` (with a time zone); how many.

    Raises StorageUnavailable: some may be gone already, and the next run goes on.
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
