"""Slots for expensive work, shared fairly by accounts."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from bodydouble.tasks.account import AccountId
from bodydouble.tasks.errors import RateLimited

ACCOUNT_REQUESTS_MAX = 64
"""Requests of one account that hold or wait for a slot."""
REQUESTS_MAX = 256
"""Requests of all accounts that hold or wait for a slot."""
RETRY_SECONDS = 2.0
"""``Retry-After`` when too many requests wait."""


class FairSlots:
    """A number of slots of which each account holds or waits for one at a time.

    So an account with many requests delays another account by at most the work of one request. The number of waiting
    requests is limited: each of them is an open connection.
    """

    def __init__(
        self, slots: int, *, account_requests_max: int = ACCOUNT_REQUESTS_MAX, requests_max: int = REQUESTS_MAX
    ) -> None:
        self._free = asyncio.Semaphore(slots)
        self._turns = WeakValueDictionary[AccountId, asyncio.Lock]()  # kept alive by the requests that use them
        self._account_requests_max, self._requests_max = account_requests_max, requests_max
        self._requests = Counter[AccountId]()

    @asynccontextmanager
    async def slot(self, account: AccountId) -> AsyncGenerator[None, None]:
        """A slot for the length of the block. Requests of one account get theirs in the order in which they came.

        Raises:
            RateLimited: too many requests hold or wait for a slot, of this account or of all.
        """
        if self._requests[account] >= self._account_requests_max:
            raise RateLimited(
                f"Too many requests of this account are waiting for their turn: {self._account_requests_max} may; "
                "try again in a moment",
                retry_seconds=RETRY_SECONDS,
            )
        if self._requests.total() >= self._requests_max:
            raise RateLimited(
                "Too many requests are waiting for their turn; try again in a moment", retry_seconds=RETRY_SECONDS
            )
        self._requests[account] += 1
        try:
            turn = self._turns.setdefault(account, asyncio.Lock())
            async with turn, self._free:
                yield
        finally:
            self._requests[account] -= 1
            if not self._requests[account]:
                del self._requests[account]
