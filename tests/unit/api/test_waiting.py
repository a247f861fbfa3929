"""Requests that last until a task reaches a state."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from fastapi import Request

from bodydouble.api import waiting
from bodydouble.api.event_streams import EventStreams
from bodydouble.api.fair_share import PLACE, FairShare
from bodydouble.api.waiting import wait_for
from bodydouble.tasks.task import TaskId

pytestmark = pytest.mark.anyio


async def test_a_wait_leaves_its_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's next request starts while this one waits for a task."""
    share, waits, waiting_request, next_request = FairShare(1), asyncio.Event(), object(), object()

    class Changes:
        async def wait(self, seconds: float) -> bool:
            waits.set()
            await asyncio.Event().wait()
            return False

    @asynccontextmanager
    async def changes(task: object) -> AsyncGenerator[Changes]:
        yield Changes()

    async def read(*_: object) -> Any:
        return SimpleNamespace(task=SimpleNamespace(account="a"))

    async def receive() -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(waiting, "read_task", read)
    services = SimpleNamespace(tasks=SimpleNamespace(changes=changes))
    state = SimpleNamespace(streams=EventStreams(1), services=services)
    scope = {"type": "http", "app": SimpleNamespace(state=state), PLACE: (share, waiting_request)}
    assert share.begin(waiting_request)
    wait = asyncio.create_task(wait_for(Request(scope, receive), None, TaskId(uuid4()), lambda task: False))
    await asyncio.wait({wait, asyncio.create_task(waits.wait())}, return_when=asyncio.FIRST_COMPLETED)
    assert waits.is_set()
    assert share.begin(next_request)
    wait.cancel()
