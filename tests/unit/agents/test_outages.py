"""Waiting for a task while the service is away."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from mcp import Client
from mcp.server.mcpserver.exceptions import ToolError

import bodydouble.agents.tools as tools
from bodydouble.agents.local_files import LocalFolders
from bodydouble.agents.server import build_server
from bodydouble_client import ClientError, ConnectionFailed, RateLimited, ServerError, TaskInfo, TaskStatus

pytestmark = pytest.mark.anyio


class Handle:
    """A task that is read with these outcomes, one after the other; then the last one stays."""

    id = "t-1"

    def __init__(self, *outcomes: TaskInfo | Exception) -> None:
        self._outcomes = list(outcomes)

    async def status(self) -> TaskInfo:
        outcome = self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


async def wait_for(handle: Handle, seconds: int, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The answer of the tool ``task``."""
    monkeypatch.setattr(tools, "POLL_SECONDS", 0)

    @asynccontextmanager
    async def connect(request: Any) -> AsyncGenerator[Any]:
        yield SimpleNamespace(client=SimpleNamespace(task=lambda task_id: handle))

    async with Client(build_server(connect)) as agent:
        return await agent.call_tool("task", {"task_id": "t-1", "wait_seconds": seconds})


RUNNING = TaskInfo(id="t-1", status=TaskStatus.RUNNING, progress=0.5)
DONE = TaskInfo(id="t-1", status=TaskStatus.SUCCESS, media_urls=("https://service.example/t-1.mp4",))


async def test_an_outage_only_delays_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service is away and answers with an error while it starts; the wait goes on to the video."""
    handle = Handle(RUNNING, ConnectionFailed("away"), ServerError("starting"), DONE)
    answer = await wait_for(handle, 600, monkeypatch)
    assert answer.structured_content["video_url"] == "https://service.example/t-1.mp4"


async def test_the_answer_after_the_wait_is_the_last_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any answer of the service, the agent is told that it is away."""
    answer = await wait_for(Handle(RUNNING), 0, monkeypatch)
    assert (answer.structured_content["status"], answer.is_error) == ("running", False)
    away = await wait_for(Handle(ConnectionFailed("away")), 0, monkeypatch)
    assert (away.is_error, "away" in away.content[0].text) == (True, True)


@pytest.mark.parametrize("error", [ConnectionFailed("away"), RateLimited("too many requests")])
async def test_an_error_after_the_create_names_the_task(error: ClientError) -> None:
    """Whether the tool waits or answers with a task: an agent without the id would pay for a second video."""

    async def submit(*sources: Any, **options: Any) -> Handle:
        return Handle(error)

    @asynccontextmanager
    async def connect(request: Any) -> AsyncGenerator[Any]:
        yield SimpleNamespace(client=SimpleNamespace(submit=submit))

    inputs = {"picture": "https://example.com/a.png", "video": "https://example.com/b.mp4"}
    async with Client(build_server(connect)) as agent:
        answer = await agent.call_tool("replace_person", {**inputs, "wait_seconds": 0})
    assert answer.is_error
    assert "The task t-1 was created" in str(answer.content)
    with pytest.raises(ToolError, match="The task t-1 was created"):
        await tools.Tools(connect, LocalFolders([]), lambda: False).create("replace_person", inputs, None)
