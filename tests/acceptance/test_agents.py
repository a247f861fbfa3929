"""The official MCP client against a real service, over both transports and across kills."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult

from bodydouble.provenance.reading import read_manifest
from live_service import RENDERING, LiveService
from node_programs import install_packages, try_node

pytestmark = [pytest.mark.acceptance, pytest.mark.anyio]


def over_stdio(service: LiveService, folder: Path) -> Client:
    """A client that starts `bodydouble mcp`."""
    environment = dict(os.environ) | {"BODYDOUBLE_BASE_URL": service.url, "BODYDOUBLE_API_KEY": service.key}
    command = ["-m", "bodydouble", "mcp", "--folder", str(folder)]
    return Client(StdioServerParameters(command=sys.executable, args=command, env=environment))


def fields(result: CallToolResult) -> dict[str, Any]:
    """The answer for programs."""
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return result.structured_content


async def test_a_job_survives_its_client_and_its_process(service: LiveService, inputs: Any, tmp_path: Path) -> None:
    """Begun over stdio, followed over HTTP while the video's process is killed, saved over stdio again."""
    folder = inputs.image.parent
    async with over_stdio(service, folder) as first:
        arguments = {"picture": inputs.image.name, "video": inputs.video.name, "resolution": "480P", "wait_seconds": 0}
        task_id = fields(await first.call_tool("replace_person", arguments))["task_id"]
    child = service.hold(task_id, RENDERING)
    seen: list[float] = []

    async def report(progress: float, total: float | None, message: str | None) -> None:
        if not seen:
            child.kill()
        seen.append(progress)

    async with httpx2.AsyncClient(headers={"x-api-key": service.key}, timeout=600) as http:
        transport = streamable_http_client(f"{service.url}/mcp", http_client=http)
        async with Client(transport) as second:
            arguments = {"task_id": task_id, "wait_seconds": 600}
            ready = fields(await second.call_tool("task", arguments, progress_callback=report))
    assert (ready["status"], ready["message"]) == ("success", "success")
    assert seen == sorted(seen)
    assert len(seen) > 1
    async with over_stdio(service, tmp_path) as third:
        saved = fields(await third.call_tool("download", {"task_id": task_id, "path": "double.mp4"}))
    manifest = read_manifest(Path(saved["path"]))
    assert manifest is not None
    assert manifest.production["task"] == task_id


def test_the_inspectors_command_line_lists_the_tools_without_warnings(service: LiveService, tmp_path: Path) -> None:
    """Over both transports it prints the tools, says nothing on its error output, and finds no fault in schemas."""
    folder = install_packages(Path(__file__).parents[1] / "mcp_inspector", tmp_path / "inspector")
    launcher = str(next(folder.glob("node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js")))
    own = ["-e", f"BODYDOUBLE_BASE_URL={service.url}", "-e", f"BODYDOUBLE_API_KEY={service.key}"]
    ways = {
        "stdio": [*own, str(Path(sys.executable).with_name("bodydouble")), "mcp", "--folder", str(tmp_path)],
        "http": [f"{service.url}/mcp", "--header", f"x-api-key: {service.key}"],
    }
    for way, server in ways.items():
        # `--strict` tells each schema that some clients cannot use, and makes errors of it. 0: no time limit.
        words = ["--cli", "--method", "tools/list", "--strict", "--connect-timeout", "0", *server]
        done = try_node(folder, launcher, *words)
        assert (done.returncode, done.stderr) == (0, ""), f"{way}: {done.stderr}"
        names = {tool["name"] for tool in json.loads(done.stdout)["tools"]}
        assert {"replace_person", "find_people", "task"} <= names
