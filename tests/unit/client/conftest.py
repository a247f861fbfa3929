"""Both kinds of client against a scripted service."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from fake_service import Clock, Face, FakeService


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that the clients of this test live by."""
    clock = Clock()

    async def sleep(seconds: float) -> None:
        clock.sleep(seconds)

    monkeypatch.setattr("bodydouble.client.asynchronous.waiting.sleep", sleep)
    monkeypatch.setattr("bodydouble.client.blocking.waiting.sleep", clock.sleep)
    for module in ("retries", "asynchronous.task_follower", "blocking.task_follower"):
        monkeypatch.setattr(f"bodydouble.client.{module}.time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


@pytest.fixture
def service() -> FakeService:
    """A service without a script."""
    return FakeService()


@pytest.fixture(params=["blocking", "asyncio"])
def make(request: pytest.FixtureRequest, service: FakeService, clock: Clock) -> Callable[..., Face]:
    """Makes a client of either kind; every test that asks for it runs with both."""
    return lambda **arguments: Face(request.param, service, **arguments)


@pytest.fixture
def face(make: Callable[..., Face]) -> Face:
    """A client of either kind with a client's defaults."""
    return make()
