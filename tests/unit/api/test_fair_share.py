"""Fair shares of the event loop."""

import asyncio
from typing import Any

import pytest

from bodydouble.api.fair_share import (
    PLACE,
    TICK_SECONDS,
    VALID_KEY,
    ClientNames,
    FairShare,
    FairShares,
    leave_place,
)

pytestmark = pytest.mark.anyio


CALM, LATE = 0.0, 1.0
"""Seconds by which a step of the event loop is late."""
WORK_SECONDS, WORK_SECONDS_MAX = 1000.0, 5000.0


class Work:
    """Requests that are in work until they are told to end. Their time does not pass by itself."""

    def __init__(self, places: int, clients_remembered: int = 1000) -> None:
        def share() -> FairShare:
            return FairShare(places, WORK_SECONDS, WORK_SECONDS_MAX)

        self.shares = FairShares(lambda scope: scope["client"], share, clients_remembered)
        self.ends = dict[str, asyncio.Event]()
        self.started: list[str] = []
        self.leaving: set[str] = set()  # requests that leave their place before their end
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def request(self, client: str, name: str, places: int = 1) -> None:
        """Send a request, and let the event loop run until nothing moves."""
        self.ends[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._work({"path": name, "client": client}, places))
        await self.settle()

    async def end(self, name: str) -> None:
        """End a request that is in work."""
        self.ends[name].set()
        await self.settle()

    async def settle(self) -> None:
        """Run what is ready."""
        for _ in range(10):
            await asyncio.sleep(0)

    async def pass_time(self, client: str, work_seconds: float, late: float = CALM) -> None:
        """Let steps of the event loop pass, each later than it should be by ``late``."""
        share, now = self.shares.of({"client": client}), asyncio.get_running_loop().time()
        for _ in range(int(work_seconds / TICK_SECONDS) + 1):
            share.pass_step(now, late)
        await self.settle()

    async def _work(self, scope: Any, places: int) -> None:
        share, request = self.shares.of(scope), object()
        scope[PLACE] = share, request
        try:
            if not share.begin(request, places):
                await share.turn(request, places)
            self.started.append(scope["path"])
            if scope["path"] in self.leaving:
                leave_place(scope)
            await self.ends[scope["path"]].wait()
        finally:
            share.end(request)


async def test_a_client_has_few_requests_in_work_and_others_do_not_wait() -> None:
    """The third of one client waits, the first of another starts; places go to those that came first."""
    work = Work(2)
    for name in ("a1", "a2", "a3", "a4"):
        await work.request("a", name)
    await work.request("b", "b1")
    assert work.started == ["a1", "a2", "b1"]
    await work.end("a2")
    await work.request("a", "a5")
    assert work.started == ["a1", "a2", "b1", "a3"]
    for name in ("a1", "a3", "a4", "a5", "b1"):
        await work.end(name)
    assert work.started == ["a1", "a2", "b1", "a3", "a4", "a5"]


async def test_a_request_takes_as_many_places_as_it_needs() -> None:
    """Two of two places are all of four. Nobody overtakes one that waits for two, even if one place is free."""
    work = Work(4)
    await work.request("a", "small")
    for name in ("large1", "large2"):
        await work.request("a", name, 2)
    await work.request("a", "small2")
    assert work.started == ["small", "large1"]
    await work.end("small")
    assert work.started == ["small", "large1", "large2"]
    await work.end("large1")
    assert work.started == ["small", "large1", "large2", "small2"]
    for name in ("large2", "small2"):
        await work.end(name)


async def test_a_request_that_waits_for_something_else_holds_up_nobody() -> None:
    """After the time that work may take its place is free; its own end then frees no second one."""
    work = Work(1)
    for name in ("a1", "a2", "a3"):
        await work.request("a", name)
    await work.pass_time("a", WORK_SECONDS)
    assert work.started == ["a1", "a2"]
    await work.end("a1")
    assert work.started == ["a1", "a2"]
    await work.pass_time("a", WORK_SECONDS)
    assert work.started == ["a1", "a2", "a3"]
    for name in ("a2", "a3"):
        await work.end(name)


async def test_a_request_keeps_its_place_while_the_event_loop_is_busy() -> None:
    """It takes longer because of the others then. It leaves after the longest time, so that nobody waits forever."""
    work = Work(1)
    for name in ("a1", "a2"):
        await work.request("a", name)
    await work.pass_time("a", 2 * WORK_SECONDS, LATE)
    assert work.started == ["a1"]
    share = work.shares.of({"client": "a"})
    share.pass_step(asyncio.get_running_loop().time() + WORK_SECONDS_MAX + 1, LATE)
    await work.settle()
    assert work.started == ["a1", "a2"]
    for name in ("a1", "a2"):
        await work.end(name)


async def test_a_cancelled_request_holds_up_nobody_behind_it() -> None:
    """One that waits for two places leaves the line; the one behind it fits into the free place at once."""
    work = Work(2)
    await work.request("a", "a1")
    await work.request("a", "large", 2)
    await work.request("a", "a2")
    work.tasks["large"].cancel()
    await work.settle()
    assert work.started == ["a1", "a2"]
    for name in ("a1", "a2"):
        await work.end(name)


async def test_a_request_may_leave_its_place_before_its_end() -> None:
    """The next one starts then, and only that one."""
    work = Work(1)
    work.leaving = {"a1"}
    for name in ("a1", "a2", "a3"):
        await work.request("a", name)
    await work.end("a1")
    assert work.started == ["a1", "a2"]
    for name in ("a2", "a3"):
        await work.end(name)


async def test_a_cancelled_request_takes_no_place() -> None:
    """Neither while it waits, nor when it is cancelled at the moment of its turn."""
    work = Work(1)
    for name in ("a1", "a2", "a3", "a4"):
        await work.request("a", name)
    work.tasks["a2"].cancel()
    await work.settle()
    work.ends["a1"].set()
    while not work.tasks["a1"].done():
        await asyncio.sleep(0)
    work.tasks["a3"].cancel()  # its turn has come, but it has not run yet
    await work.settle()
    assert work.started == ["a1", "a4"]
    await work.end("a4")


async def test_clients_without_requests_are_forgotten() -> None:
    """At the latest when twice as many clients came as had requests."""
    work = Work(1, clients_remembered=3)
    await work.request("busy", "b1")
    for number in range(20):
        await work.request(f"a{number}", f"a{number}")
        await work.end(f"a{number}")
        assert len(work.shares) <= 3
    await work.request("busy", "b2")
    assert "b2" not in work.started, "the busy client still has its share"
    for name in ("b1", "b2"):
        await work.end(name)


def scope(**headers: str) -> Any:
    """An ASGI scope."""
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "path": "/", "headers": sent, "client": ("10.0.0.1", 1)}


def test_clients_are_named_by_valid_keys_else_by_address() -> None:
    """A key counts in every scheme, and is noted as valid; unknown keys share their address."""
    names = ClientNames(lambda secret: secret == "ak_good")
    assert names(scope(x_api_key="ak_good")) == names(scope(authorization="Key ak_good")) == b"ak_good"
    assert names(scope(x_api_key="ak_invented")) == names(scope(authorization="Bearer")) == names(scope()) == "10.0.0.1"
    seen = scope(x_api_key="ak_good")
    names(seen)
    assert seen[VALID_KEY] == "ak_good"
