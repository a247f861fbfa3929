"""Both kinds of client against a scripted service."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from fake_service import Clock, Face, FakeService


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that replaces time in both kinds of client."""
    clock = Clock()

    async def sleep(seconds: float) -> None:
        clock.sleep(seconds)

    monkeypatch.setattr("bodydouble_client.asynchronous.waiting.sleep", sleep)
    monkeypatch.setattr("bodydouble_client.blocking.waiting.sleep", clock.sleep)
    for module in ("retries", "asynchronous.task_follower", "blocking.task_follower"):
        monkeypatch.setattr(f"bodydouble_client.{module}.time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


@pytest.fixture
def service() -> FakeService:
    """A service without scripted answers."""
    return FakeService()


@pytest.fixture(params=["blocking", "asyncio"])
def make(request: pytest.FixtureRequest, service: FakeService, clock: Clock) -> Callable[..., Face]:
    """Creates a client of either kind; each test that uses it runs with both."""
    return lambda **arguments: Face(request.param, service, **arguments)


@pytest.fixture
def face(make: Callable[..., Face]) -> Face:
    """A client of either kind with default arguments."""
    return make()
