"""``/mcp`` while the process stops."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from bodydouble.agents import endpoint
from bodydouble.agents.connections import ServiceConnection
from bodydouble.agents.endpoint import AgentsEndpoint

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def connect(request: Any) -> AsyncGenerator[ServiceConnection]:
    raise AssertionError("no tool is called")
    yield


@asynccontextmanager
async def admit(request: Request) -> AsyncGenerator[None]:
    yield


class Endless:
    """The MCP library's side of a request that has sent ``messages`` and does not end."""

    def __init__(self, messages: list[Message]) -> None:
        self._messages, self.sent = messages, asyncio.Event()

    async def handle_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        for message in self._messages:
            await send(message)
        self.sent.set()
        await asyncio.Event().wait()


START: Message = {"type": "http.response.start", "status": 200, "headers": []}
PART: Message = {"type": "http.response.body", "body": b"part", "more_body": True}


@pytest.mark.parametrize(("messages", "status"), [([], 503), ([START], 200), ([START, PART], 200)])
async def test_open_responses_are_completed_at_the_stop(
    messages: list[Message], status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream gets its last part, and a request without a response is to be repeated; none of them is cut."""
    monkeypatch.setattr(endpoint, "END_SECONDS", 0)
    agents, manager, sent = AgentsEndpoint(connect, admit), Endless(messages), list[Message]()
    monkeypatch.setattr(agents, "_build", lambda: None)
    monkeypatch.setattr(agents, "_start_once", lambda: asyncio.sleep(0))
    monkeypatch.setattr(agents, "_manager", manager)

    async def send(message: Message) -> None:
        sent.append(message)

    answering = asyncio.ensure_future(agents({"type": "http", "headers": []}, asyncio.Event().wait, send))  # type: ignore[arg-type]
    await manager.sent.wait()
    agents.stop()
    await answering
    assert (sent[0]["status"], sent[-1].get("more_body", False)) == (status, False)
    assert sent[-1]["type"] == "http.response.body"
