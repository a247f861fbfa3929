"""Slots for expensive work, shared fairly by accounts."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from bodydouble.tasks.account import AccountId


class FairSlots:
    """A number of slots of which each account holds or waits for one at a time.

    So an account with many requests delays another account by at most the work of one request.
    """

    def __init__(self, slots: int) -> None:
        self._free = asyncio.Semaphore(slots)
        self._turns = WeakValueDictionary[AccountId, asyncio.Lock]()  # kept alive by the requests that use them

    @asynccontextmanager
    async def slot(self, account: AccountId) -> AsyncGenerator[None, None]:
        """A slot for the length of the block. Requests of one account get theirs in the order in which they came."""
        turn = self._turns.setdefault(account, asyncio.Lock())
        async with turn, self._free:
            yield
