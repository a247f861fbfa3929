"""Holding polls while the database is briefly away, instead of answering with an error."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bodydouble.tasks.errors import StorageUnavailable

HOLD_SECONDS_MAX = 25.0
"""crun's command-line client waits 30 s for an answer, and gives up after three errors within about 3 s."""
RETRY_SECONDS = 0.5
"""Mean pause between two attempts of a held request."""
HELD_MAX = 1000
"""Requests held at the same time; further ones get the error at once."""

T = TypeVar("T")


class OutageHold:
    """Repeats reads for a while when the database does not respond."""

    def __init__(self) -> None:
        self._held = 0

    async def read(self, call: Callable[[], Awaitable[T]]) -> T:
        """The value of ``call``, which changes nothing. Raises StorageUnavailable if the outage lasts too long."""
        deadline = time.monotonic() + HOLD_SECONDS_MAX
        try:
            return await call()
        except StorageUnavailable:
            if self._held >= HELD_MAX:
                raise
        self._held += 1
        try:
            while True:
                await asyncio.sleep(RETRY_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - spreads the load
                try:
                    return await call()
                except StorageUnavailable:
                    if time.monotonic() > deadline:
                        raise
        finally:
            self._held -= 1
