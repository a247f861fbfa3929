"""Fair shares of the event loop."""

import asyncio
from typing import Any

import pytest

from bodydouble.api.fair_share import ClientNames, FairShareMiddleware, FairShares, leave_place

pytestmark = pytest.mark.anyio


async def no_message() -> Any:
    """Receive nothing."""


async def no_response(message: Any) -> None:
    """Send nothing."""


class Work:
    """Requests that are in work until they are told to end."""

    def __init__(self, shares: FairShares) -> None:
        self._middleware = FairShareMiddleware(self._work, shares, lambda scope: scope["client"])
        self.ends = dict[str, asyncio.Event]()
        self.started: list[str] = []
        self.leaving: set[str] = set()  # requests that leave their place before their end
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def request(self, client: str, name: str) -> None:
        """Send a request, and let the event loop run until nothing moves."""
        self.ends[name] = asyncio.Event()
        scope = {"type": "http", "path": name, "client": client}
        self.tasks[name] = asyncio.create_task(self._middleware(scope, no_message, no_response))
        await self.settle()

    async def end(self, name: str) -> None:
        """End a request that is in work."""
        self.ends[name].set()
        await self.settle()

    async def settle(self) -> None:
        """Run what is ready."""
        for _ in range(10):
            await asyncio.sleep(0)

    async def _work(self, scope: Any, receive: Any, send: Any) -> None:
        self.started.append(scope["path"])
        if scope["path"] in self.leaving:
            leave_place(scope)
        await self.ends[scope["path"]].wait()


async def test_a_client_has_few_requests_in_work_and_others_do_not_wait() -> None:
    """The third of one client waits, the first of another starts; places go to those that came first."""
    shares = FairShares(requests_max=2, work_seconds=1000)
    work = Work(shares)
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
    assert len(shares) == 0, "clients without requests are forgotten"


async def test_a_request_that_waits_for_something_else_holds_up_nobody() -> None:
    """After the time that work may take its place is free; its own end then frees no second one."""
    work = Work(FairShares(requests_max=1, work_seconds=0.01))
    for name in ("a1", "a2"):
        await work.request("a", name)
    while "a2" not in work.started:
        await asyncio.sleep(0.01)
    while len(work.tasks) < 4:
        await work.request("a", f"a{len(work.tasks) + 1}")
    await work.end("a1")
    while len(work.started) < 4:
        await asyncio.sleep(0.01)
    assert work.started == ["a1", "a2", "a3", "a4"]
    for name in ("a2", "a3", "a4"):
        await work.end(name)


async def test_a_request_may_leave_its_place_before_its_end() -> None:
    """The next one starts then, and only that one."""
    work = Work(FairShares(requests_max=1, work_seconds=1000))
    work.leaving = {"a1"}
    for name in ("a1", "a2", "a3"):
        await work.request("a", name)
    await work.end("a1")
    assert work.started == ["a1", "a2"]
    for name in ("a2", "a3"):
        await work.end(name)


async def test_a_cancelled_request_takes_no_place() -> None:
    """Neither while it waits, nor when it is cancelled at the moment of its turn."""
    shares = FairShares(requests_max=1, work_seconds=1000)
    work = Work(shares)
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
    assert len(shares) == 0


def scope(path: str = "/", **headers: str) -> Any:
    """An ASGI scope."""
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "path": path, "headers": sent, "client": ("10.0.0.1", 1)}


def test_clients_are_named_by_valid_keys_else_by_address() -> None:
    """A key counts in every scheme; unknown keys share their address; monitoring never waits."""
    names = ClientNames(lambda secret: secret == "ak_good")
    assert names(scope(x_api_key="ak_good")) == names(scope(authorization="Key ak_good")) == b"ak_good"
    assert names(scope(x_api_key="ak_invented")) == names(scope(authorization="Bearer")) == names(scope()) == "10.0.0.1"
    assert names(scope("/healthz", x_api_key="ak_good")) is None
