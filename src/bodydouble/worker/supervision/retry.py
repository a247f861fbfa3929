"""Waiting for storage that is away."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bodydouble.tasks.errors import StorageUnavailable
from bodydouble.worker.workspace import disk_errors_translated

PAUSE_SECONDS = 0.5
PAUSE_SECONDS_MAX = 30.0

log = structlog.get_logger(__name__)
T = TypeVar("T")


async def retry_on_outage(call: Callable[[], Awaitable[T]]) -> T:
    """The value of ``call``, repeated with growing pauses while it raises StorageUnavailable, or the disk is full.

    An outage is no reason for a task to fail, so there is no limit here. ``TaskLease.while_held`` ends the wait when
    the task is cancelled or overdue.
    """
    pause = PAUSE_SECONDS
    while True:
        try:
            with disk_errors_translated():
                return await call()
        except StorageUnavailable as error:
            log.warning("storage is unavailable; trying again", error=error.message, seconds=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, PAUSE_SECONDS_MAX)
