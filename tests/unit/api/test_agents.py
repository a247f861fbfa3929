"""The MCP server over the API: in process for its tools, and at ``/mcp``."""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import httpx
import pytest
import structlog
from fastapi import FastAPI
from mcp import Client
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim
from mcp.server.mcpserver import MCPServer
from mcp_types import CallToolResult, ImageContent, ResourceLink, Result, TextContent
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from bodydouble.agents.connections import Connect, ServiceConnection
from bodydouble.agents.endpoint import with_callers_key
from bodydouble.agents.server import build_server
from bodydouble.agents.tasks_extension import IDENTIFIER
from bodydouble.service import PeopleSeen, PersonSeen, Services
from bodydouble.settings import Settings
from bodydouble.store import LocalFileStore, PostgresTaskStore
from bodydouble.tasks.account import Account
from bodydouble.tasks.errors import StorageUnavailable
from bodydouble.tasks.task import ResultCode, TaskId, TaskResult, TaskStatus
from bodydouble_client import AsyncClient
from material import astronaut, landscape, write_image, write_video

pytestmark = pytest.mark.anyio
URL = "http://127.0.0.1:8000"


@pytest.fixture
def connect(app: FastAPI, key: str) -> Connect:
    """Connections to the application in process, with the account's key."""

    @asynccontextmanager
    async def connect(request: Any) -> AsyncGenerator[ServiceConnection]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http:
            yield ServiceConnection(client=AsyncClient(key, URL, http_client=http, max_retries=0), http=http, key=key)

    return connect


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that the server may use, with a picture and a video."""
    folder = tmp_path / "allowed"
    folder.mkdir()
    write_image(folder / "elf.png", astronaut())
    write_video(folder / "street.mp4", landscape(26, (264, 216)))
    return folder


@pytest.fixture
def server(connect: Connect, folder: Path) -> MCPServer[Any]:
    """The server of a local agent."""
    return build_server(connect, [folder])


@pytest.fixture
async def agent(server: MCPServer[Any]) -> AsyncIterator[Client]:
    """An agent without extensions."""
    async with Client(server) as client:
        yield client


def text(result: CallToolResult) -> str:
    """The sentences of an answer."""
    return "\n".join(part.text for part in result.content if isinstance(part, TextContent))


def fields(result: CallToolResult) -> dict[str, Any]:
    """The answer for programs."""
    assert not result.is_error, text(result)
    assert result.structured_content is not None
    return result.structured_content


MAKE = {"picture": "elf.png", "video": "street.mp4", "resolution": "480P", "wait_seconds": 0}


async def test_every_tool_explains_itself(agent: Client, connect: Connect) -> None:
    """Each has a title, a description, hints, and a text for every parameter; only a remote server takes uploads."""
    tools = (await agent.list_tools()).tools
    names = ["replace_person", "move_character", "find_people", "estimate", "task", "cancel", "download"]
    assert [tool.name for tool in tools] == names
    for tool in tools:
        assert tool.title
        assert tool.description
        assert tool.annotations is not None
        assert all(schema["description"] for schema in tool.input_schema["properties"].values()), tool.name
        assert "ctx" not in tool.input_schema["properties"]
    async with Client(build_server(connect)) as remote:
        assert [tool.name for tool in (await remote.list_tools()).tools] == [*names, "upload_address"]


async def test_a_task_is_created_followed_cancelled(agent: Client) -> None:
    """Local files are uploaded; the task is known to a later call by its id; a cancel returns the credits."""
    price = fields(await agent.call_tool("estimate", {name: MAKE[name] for name in ("picture", "video", "resolution")}))
    assert (price["credits"], price["balance"]) == (12, 100)
    seen: list[float] = []

    async def report(progress: float, total: float | None, message: str | None) -> None:
        seen.append(progress)

    made = fields(await agent.call_tool("replace_person", MAKE, progress_callback=report))
    assert (made["status"], made["credits"], seen) == ("pending", 12, [0.0])
    again = await agent.call_tool("task", {"task_id": made["task_id"], "wait_seconds": 0})
    assert fields(again)["status"] == "pending"
    assert fields(await agent.call_tool("cancel", {"task_id": made["task_id"]}))["cancelled"]
    assert fields(await agent.call_tool("task", {"task_id": made["task_id"]}))["status"] == "cancelled"


async def finish(store: PostgresTaskStore, files: LocalFileStore, task_id: str) -> None:
    """Give a task a result."""
    identifier = TaskId(UUID(task_id))
    started = await store.start_task(identifier, "worker-1")
    assert started is not None
    key = f"results/{started.account}/{task_id}.mp4"
    (files.folder / key).parent.mkdir(parents=True, exist_ok=True)
    (files.folder / key).write_bytes(b"a video")
    result = TaskResult(
        code=ResultCode.SUCCESS, message="success", media_keys=(key,), media_info={"renderer": "puppet"}
    )
    assert await store.settle(identifier, TaskStatus.SUCCESS, result, "worker-1")


async def test_a_finished_video_is_linked_and_saved(
    agent: Client, store: PostgresTaskStore, files: LocalFileStore, folder: Path
) -> None:
    """The answer links the video; download writes it into the allowed folder and nowhere else."""
    task_id = fields(await agent.call_tool("replace_person", MAKE))["task_id"]
    await finish(store, files, task_id)
    ready = await agent.call_tool("task", {"task_id": task_id})
    (link,) = [part for part in ready.content if isinstance(part, ResourceLink)]
    assert link.mime_type == "video/mp4"
    assert str(link.uri) == fields(ready)["video_url"]
    saved = fields(await agent.call_tool("download", {"task_id": task_id, "path": "out.mp4"}))
    assert Path(saved["path"]).read_bytes() == b"a video"
    assert saved["path"] == str(folder / "out.mp4")
    for path, word in (("../out.mp4", "none of the folders"), ("out.mp4", "exists already")):
        refused = await agent.call_tool("download", {"task_id": task_id, "path": path})
        assert (refused.is_error, word in text(refused)) == (True, True)


async def test_only_allowed_files_are_read(agent: Client, folder: Path, tmp_path: Path, connect: Connect) -> None:
    """Neither a path outside, nor a link out of the folder; a remote server reads none."""
    write_image(tmp_path / "secret.png", astronaut())
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    for path in (str(tmp_path / "secret.png"), "../secret.png", "link.png", "/etc/passwd"):
        refused = await agent.call_tool("replace_person", MAKE | {"picture": path})
        assert refused.is_error
        assert "none of the folders" in text(refused)
    async with Client(build_server(connect)) as remote:
        refused = await remote.call_tool("replace_person", MAKE)
        assert "reads no local files" in text(refused)
        place = fields(await remote.call_tool("upload_address", {"file_name": "a.mp4"}))
        assert {"put_url", "content_type", "file_url"} == place.keys()


async def test_people_are_shown_with_numbers(
    agent: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer has a picture and the boxes, and the address of the uploaded video."""
    seen = PeopleSeen(people=[PersonSeen(x=0.1, y=0.2, width=0.3, height=0.6)], picture=b"jpeg")

    async def at_the_start(caller: object, video_url: str) -> PeopleSeen:
        return seen

    monkeypatch.setattr(services.people, "at_the_start", at_the_start)
    found = await agent.call_tool("find_people", {"video": "street.mp4"})
    assert fields(found)["people"] == [{"x": 0.1, "y": 0.2, "width": 0.3, "height": 0.6}]
    assert [part.mime_type for part in found.content if isinstance(part, ImageContent)] == ["image/jpeg"]
    assert "0: 30% wide" in text(found)


async def test_errors_are_sentences_for_the_agent(agent: Client) -> None:
    """An unknown task, a missing file and a wrong value each end in an error that says what is wrong."""
    for tool, arguments, word in (
        ("task", {"task_id": "nothing"}, "not found"),
        ("replace_person", MAKE | {"video": "missing.mp4"}, "no file"),
        ("replace_person", MAKE | {"person": 99}, "person"),
    ):
        answer = await agent.call_tool(tool, arguments)
        assert answer.is_error
        assert word in text(answer).lower()


class TaskHandle(Result):
    """The extension's answer to a call."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)
    result_type: Literal["task"] = Field(alias="resultType")
    task_id: str = Field(alias="taskId")
    status: str


class FollowsTasks(ClientExtension):
    """A client's side of the tasks extension, which only keeps the handles."""

    identifier = IDENTIFIER

    def __init__(self) -> None:
        self.handles: list[TaskHandle] = []

    def claims(self) -> list[ResultClaim[Any]]:
        async def resolve(handle: TaskHandle, context: ClaimContext) -> CallToolResult:
            self.handles.append(handle)
            return CallToolResult(content=[])

        return [ResultClaim(result_type="task", model=TaskHandle, resolve=resolve)]


class TaskState(BaseModel):
    """What ``tasks/get`` answers."""

    model_config = ConfigDict(extra="allow")
    status: str
    result: dict[str, Any] | None = None


async def ask(agent: Client, method: str, task_id: str) -> TaskState:
    """The answer of one of the extension's requests."""
    from mcp_types import Request, RequestParams

    class Params(RequestParams):
        task_id: str = Field(alias="taskId", serialization_alias="taskId")

    class Ask(Request[Params, str]):
        method: str
        params: Params

    class Answer(Result):
        model_config = ConfigDict(extra="allow")

    request = Ask(method=method, params=Params(taskId=task_id))
    answer = await agent.session.send_request(request, Answer)  # pyright: ignore[reportArgumentType]
    return TaskState(status=getattr(answer, "status", ""), result=getattr(answer, "result", None))


async def test_a_client_with_the_tasks_extension_gets_a_task(
    server: MCPServer[Any], store: PostgresTaskStore, files: LocalFileStore
) -> None:
    """The call returns at once; the state comes from our own row, also in another session."""
    follows = FollowsTasks()
    async with Client(server, extensions=[follows]) as agent:
        await agent.call_tool("replace_person", {name: MAKE[name] for name in ("picture", "video", "resolution")})
        (handle,) = follows.handles
        assert handle.status == "working"
        assert (await ask(agent, "tasks/get", handle.task_id)).status == "working"
        await ask(agent, "tasks/update", handle.task_id)
    await finish(store, files, handle.task_id)
    async with Client(server, extensions=[follows]) as another:
        state = await ask(another, "tasks/get", handle.task_id)
        assert state.status == "completed"
        assert state.result is not None
        assert state.result["structuredContent"]["status"] == "success"
        await another.call_tool("move_character", {"picture": "elf.png", "video": "street.mp4"})
        with pytest.raises(Exception, match="There is no task"):
            await ask(another, "tasks/get", "nothing")


BODY = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/list",
    "params": {
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    },
}
HEADERS = {
    "accept": "application/json, text/event-stream",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "tools/list",
}


async def test_mcp_needs_a_key_and_answers_at_the_apis_address(client: httpx.AsyncClient) -> None:
    """Without a valid key 401; with one, the tools of the current specification are listed without a session."""
    for key in ("", "ak_" + "0" * 32):
        refused = await client.post("/mcp", json=BODY, headers=HEADERS | {"x-api-key": key})
        assert (refused.status_code, "Bearer" in refused.headers["www-authenticate"]) == (401, True)
    listed = await client.post("/mcp", json=BODY, headers=HEADERS)
    assert listed.status_code == 200, listed.text
    assert "replace_person" in listed.text


async def test_mcp_opens_no_streams_without_a_request(client: httpx.AsyncClient) -> None:
    """GET would hold a connection for nothing, as there are no sessions."""
    refused = await client.get("/mcp", headers=HEADERS)
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


async def test_requests_to_mcp_count_as_event_streams(
    app: FastAPI, client: httpx.AsyncClient, settings: Settings, account: Account
) -> None:
    """An account with its maximum of open streams gets 429 at /mcp too."""
    with ExitStack() as opened:
        for _ in range(settings.event_streams_max):
            opened.enter_context(app.state.streams.opened(account.id))
        assert (await client.post("/mcp", json=BODY, headers=HEADERS)).status_code == 429
    assert (await client.post("/mcp", json=BODY, headers=HEADERS)).status_code == 200


async def test_links_of_mcp_name_the_host_of_the_request(app: FastAPI, key: str) -> None:
    """An agent on another machine gets an upload address with the host and the scheme that it used itself."""
    connect = with_callers_key(app, URL)
    for scheme, host, start in (
        ("https", b"localhost:8123", "https://localhost:8123/"),
        ("http", b"elsewhere.example", f"{URL}/"),
    ):
        headers = [(b"host", host), (b"x-api-key", key.encode())]
        async with connect(Request({"type": "http", "scheme": scheme, "headers": headers})) as service:
            place = await service.upload_address("image/png", ".png")
        assert place["file_url"].startswith(start)
        assert place["presigned_url"].startswith(start)


async def test_an_outage_at_mcp_is_told_as_in_the_api(
    client: httpx.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that is away makes 500 with the time to wait, and the log names the route."""

    async def authenticate(secret: str | None) -> None:
        raise StorageUnavailable("The database is away")

    monkeypatch.setattr(services.tasks, "authenticate", authenticate)
    with structlog.testing.capture_logs() as logs:
        answer = await client.post("/mcp", json=BODY, headers=HEADERS)
    assert (answer.status_code, "retry-after" in answer.headers) == (500, True)
    assert [entry["route"] for entry in logs if entry["event"] == "request"] == ["/mcp"]


async def test_llms_txt_names_the_ways_in(anonymous: httpx.AsyncClient) -> None:
    """A text for language models, whose links this service answers."""
    told = await anonymous.get("/llms.txt")
    assert told.headers["content-type"].startswith("text/plain")
    for path in re.findall(r"\]\((/[a-z.]+)\)", told.text):
        assert (await anonymous.get(path)).status_code != 404, path


async def test_a_request_to_mcp_beyond_the_limit_says_where_to_upload(client: httpx.AsyncClient) -> None:
    """Clients of MCP show the message of an error in JSON-RPC's format; it names the tool for larger files."""
    picture = "data:image/png;base64," + "A" * 1_100_000
    refused = await client.post("/mcp", json=BODY | {"params": {"picture": picture}}, headers=HEADERS)
    told = refused.json()
    assert (refused.status_code, told["jsonrpc"], told["id"], told["error"]["code"]) == (413, "2.0", None, -32600)
    assert "larger than 1 MB" in told["error"]["message"]
    assert "upload_address" in told["error"]["message"]
