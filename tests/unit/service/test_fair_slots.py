"""Slots that accounts share fairly."""

import asyncio

import pytest

from bodydouble.service.fair_slots import FairSlots
from bodydouble.tasks.account import AccountId

pytestmark = pytest.mark.anyio


async def test_an_account_with_many_requests_delays_another_by_one() -> None:
    """Ten requests of one account came first; the other account's request is the second that gets the slot."""
    slots, order = FairSlots(1), list[int]()

    async def request(account: int) -> None:
        async with slots.slot(AccountId(account)):
            order.append(account)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for account in (*[1] * 10, 2):
            group.create_task(request(account))
    assert order == [1, 2, *[1] * 9]


async def test_accounts_use_several_slots_side_by_side() -> None:
    """One account never holds two slots, so a second one finds a slot free."""
    slots, both = FairSlots(2), asyncio.Barrier(2)

    async def request(account: int) -> None:
        async with slots.slot(AccountId(account)), asyncio.timeout(30):
            await both.wait()

    await asyncio.gather(request(1), request(2))


async def test_nothing_is_kept_of_accounts_that_have_left() -> None:
    """A cancelled request leaves its slot to the next one and no trace."""
    slots = FairSlots(1)
    async with slots.slot(AccountId(1)):
        waiting = asyncio.create_task(slots.slot(AccountId(2)).__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
    async with asyncio.timeout(30), slots.slot(AccountId(3)):
        pass
    del waiting
    assert len(slots._turns) == 0
