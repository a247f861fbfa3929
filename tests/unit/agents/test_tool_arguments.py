"""What tools make of arguments that nobody sends by mistake."""

import shlex
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from mcp import Client

from bodydouble.agents.server import build_server

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def connect(request: Any) -> AsyncGenerator[Any]:
    """A service that only gives addresses for uploads."""

    async def upload_address(content_type: str, extension: str) -> dict[str, str]:
        return {"presigned_url": "http://service.example/put?a=1&b=2", "file_url": "http://service.example/files/a"}

    yield SimpleNamespace(upload_address=upload_address)


async def test_the_upload_command_runs_nothing_of_the_file_name() -> None:
    """A shell sees the name as one argument, whatever quotes and commands it has."""
    name = "a'$(touch /tmp/made)'.mp4"
    async with Client(build_server(connect)) as agent:
        answer = await agent.call_tool("upload_address", {"file_name": name})
    told: Any = answer.content[0]
    assert f"curl -T {shlex.quote(name)} -H" in told.text


async def test_the_limit_of_data_urls_is_told() -> None:
    """Each parameter that takes one names it, and so does the tool to use instead."""
    async with Client(build_server(connect)) as agent:
        tools = {tool.name: tool for tool in (await agent.list_tools()).tools}
    taking = [
        schema["description"]
        for tool in tools.values()
        for name, schema in tool.input_schema["properties"].items()
        if name in ("picture", "video")
    ]
    assert [text for text in taking if "700 kB" not in text] == []
    assert "700 kB" in (tools["upload_address"].description or "")
