"""Ten requests in everyday language, played by an agent that sees only what MCP lists."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from mcp import Client

from bodydouble.agents.connections import ServiceConnection
from bodydouble.agents.server import build_server
from everyday_requests import REQUESTS, Everyday, choose, fill

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def unused(request: Any) -> AsyncGenerator[ServiceConnection]:
    raise AssertionError("no tool is called")
    yield


@pytest.mark.parametrize("everyday", REQUESTS, ids=lambda everyday: everyday.request[:30])
async def test_each_request_ends_in_the_right_call(everyday: Everyday, tmp_path: Path) -> None:
    """The tool and its arguments are those that the request means, and the arguments fit the tool's schema."""
    async with Client(build_server(unused, [tmp_path])) as agent:
        tools = (await agent.list_tools()).tools
    tool = choose(tools, everyday.request)
    arguments = fill(tool, everyday.request)
    assert (tool.name, arguments) == (everyday.tool, everyday.arguments)
    jsonschema.validate(arguments, tool.input_schema)
