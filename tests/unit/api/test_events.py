"""Server-sent events of a task from a real server; an application called in process would buffer them."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Generator
from typing import Any
from uuid import UUID

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from api_calls import API, BODY, WORKER, create
from bodydouble.api.event_streams import TaskEventStream
from bodydouble.service import Services
from bodydouble.store import PostgresTaskStore
from bodydouble.tasks.account import Account
from bodydouble.tasks.stages import Stage
from bodydouble.tasks.task import ResultCode, TaskId, TaskProgress, TaskResult, TaskStatus
from bodydouble_client.event_stream import EventParser, ServerEvent

pytestmark = pytest.mark.anyio

EVENTS = f"{API}/job/TaskEvents"
OVER = TaskResult(code=ResultCode.GENERATION_FAILED, message="over")


class Server(uvicorn.Server):
    """A server that does not handle signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@pytest.fixture
async def served(app: FastAPI, key: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a key, connected to the application over a socket."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=2))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=url, headers={"x-api-key": key}, timeout=30) as client:
            yield client
        server.should_exit = True
        await serving


async def told(response: httpx.Response) -> AsyncIterator[ServerEvent]:
    parser = EventParser()
    async for chunk in response.aiter_bytes():
        for event in parser.feed(chunk):
            yield event


async def stream(client: httpx.AsyncClient, task_id: str, **headers: str) -> list[ServerEvent]:
    """All events until the stream ends."""
    async with client.stream("GET", EVENTS, params={"task_id": task_id}, headers=headers) as response:
        assert response.status_code == 200
        return [event async for event in told(response)]


async def test_a_stream_tells_each_change_and_ends_with_the_task(
    served: httpx.AsyncClient, store: PostgresTaskStore
) -> None:
    """Each change is an event with the data of TaskInfo and an increasing id; after the last one the stream ends."""
    task_id = (await create(served, BODY)).json()["data"]["task_id"]
    known = TaskId(UUID(task_id))
    seen: list[tuple[str, dict[str, Any], int]] = []
    async with served.stream("GET", EVENTS, params={"task_id": task_id}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        async for event in told(response):
            seen.append((event.name, json.loads(event.data), int(event.id or "")))
            match len(seen):
                case 1:
                    await store.start_task(known, WORKER)
                case 2:
                    await store.set_progress(known, WORKER, TaskProgress(fraction=0.5, stage=Stage.RENDER))
                case 3:
                    await store.settle(known, TaskStatus.FAILED, OVER, WORKER)
                case _:
                    pass
    assert [name for name, _, _ in seen] == ["progress", "progress", "progress", "done"]
    assert [data["status"] for _, data, _ in seen] == ["pending", "running", "running", "failed"]
    assert [data["progress"] for _, data, _ in seen] == [0, 0, 0.5, 0.5]
    assert seen[0][1]["queue_position"] == 0
    versions = [version for _, _, version in seen]
    assert versions == sorted(set(versions))
    info = (await served.get(f"{API}/job/TaskInfo", params={"task_id": task_id})).json()["data"]
    assert seen[-1][1] == {name: value for name, value in info.items() if name in seen[-1][1]}


async def test_who_comes_back_gets_only_what_is_new(served: httpx.AsyncClient, store: PostgresTaskStore) -> None:
    """With the id of the last event the stream continues after it; after the final event the response is 204."""
    task_id = (await create(served, BODY)).json()["data"]["task_id"]
    known = TaskId(UUID(task_id))
    await store.start_task(known, WORKER)
    running = await store.get_task(known)
    assert running is not None
    following = asyncio.create_task(stream(served, task_id, **{"last-event-id": str(running.version)}))
    await store.settle(known, TaskStatus.FAILED, OVER, WORKER)
    (last,) = await following
    assert last.name == "done"
    after = {"last-event-id": last.id or ""}
    again = await served.get(EVENTS, params={"task_id": task_id}, headers=after)
    assert (again.status_code, again.content) == (204, b"")
    assert [event.name for event in await stream(served, task_id)] == ["done"]


async def test_silence_is_broken_by_comments(
    served: httpx.AsyncClient, store: PostgresTaskStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without changes, comments keep the connection alive for proxies."""
    monkeypatch.setattr("bodydouble.api.event_streams.KEEP_ALIVE_SECONDS", 1)
    task_id = (await create(served, BODY)).json()["data"]["task_id"]
    await store.start_task(TaskId(UUID(task_id)), WORKER)
    async with served.stream("GET", EVENTS, params={"task_id": task_id}) as response:
        content = b""
        async for chunk in response.aiter_bytes():
            content += chunk
            if b"keep-alive" in content:
                break
    assert content.startswith(b"retry: 2000\n\n")
    assert content.endswith(b": keep-alive\n\n")


async def test_streams_are_bounded_and_given_back(served: httpx.AsyncClient, app: FastAPI) -> None:
    """A stream above the limit of an account is 429; a closed stream no longer counts."""
    app.state.streams._per_account_max = 1
    task_id = (await create(served, BODY)).json()["data"]["task_id"]
    async with served.stream("GET", EVENTS, params={"task_id": task_id}) as response:
        chunks = response.aiter_bytes()  # kept: a forgotten one would close the answer
        await anext(chunks)
        refused = await served.get(EVENTS, params={"task_id": task_id})
        assert (refused.status_code, refused.json()["code"]) == (429, 429)
        assert refused.headers["retry-after"] == "15"
    while app.state.streams._open:
        await asyncio.sleep(0.1)
    async with served.stream("GET", EVENTS, params={"task_id": task_id}) as response:
        assert response.status_code == 200


async def test_streams_that_come_at_one_moment_are_bounded_too(
    served: httpx.AsyncClient, app: FastAPI, services: Services, key: str
) -> None:
    """Concurrent requests that all pass the check are limited when they open: excess streams end at once."""
    task_id = (await create(served, BODY)).json()["data"]["task_id"]
    account = (await services.tasks.authenticate(key)).id
    app.state.streams._per_account_max = 1
    known = TaskId(UUID(task_id))
    many = [
        TaskEventStream(app.state.streams, services.tasks, account, key, known, lambda view: b"event") for _ in range(3)
    ]
    streams = [following.events(None) for following in many]
    for events in streams:
        assert (await anext(events)).startswith(b"retry:")
    assert [await anext(events, None) is not None for events in streams] == [True, False, False]
    await streams[0].aclose()


async def test_a_process_that_stops_ends_its_streams(served: httpx.AsyncClient, app: FastAPI) -> None:
    """The stream ends without a final event, so that the client reconnects."""
    task_id = (await create(served, BODY)).json()["data"]["task_id"]
    async with served.stream("GET", EVENTS, params={"task_id": task_id}) as response:
        events = told(response)
        assert (await anext(events)).name == "progress"
        app.state.streams.close()
        assert [event async for event in events] == []


async def test_a_key_that_is_switched_off_ends_its_streams(
    served: httpx.AsyncClient, services: Services, account: Account, store: PostgresTaskStore
) -> None:
    """The stream ends before the next change is sent."""
    task_id = (await create(served, BODY)).json()["data"]["task_id"]
    async with served.stream("GET", EVENTS, params={"task_id": task_id}) as response:
        events = told(response)
        assert (await anext(events)).name == "progress"
        await services.accounts._accounts.set_limits(account.id, None, None, disabled=True)
        await store.start_task(TaskId(UUID(task_id)), WORKER)
        assert [event async for event in events] == []


@pytest.mark.parametrize("task_id", ["nonsense", "0198d6b7-0000-7000-8000-000000000000"])
async def test_an_unknown_task_has_no_stream(client: httpx.AsyncClient, task_id: str) -> None:
    """The response is 404 in an envelope."""
    answer = await client.get(EVENTS, params={"task_id": task_id})
    assert (answer.status_code, answer.json()["message"]) == (404, "Task not found")
