"""Content and access of /metrics, and the log line of a request."""

from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest
import structlog
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from api_calls import API, body, create
from bodydouble.bootstrap.application import build_app
from bodydouble.settings import Settings
from bodydouble.store import PostgresTaskStore
from bodydouble.tasks.stages import Stage
from bodydouble.tasks.task import ResultCode, StageTime, TaskId, TaskResult, TaskStatus

pytestmark = pytest.mark.anyio
SUCCESS = TaskResult(code=ResultCode.SUCCESS, message="success", media_keys=("results/1/x.mp4",))
FAILURE = TaskResult(code=ResultCode.GENERATION_FAILED, message="no")


async def samples(client: httpx.AsyncClient) -> dict[tuple[str, ...], float]:
    """All samples by name and label values."""
    answer = await client.get("/metrics")
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def new_task(client: httpx.AsyncClient) -> TaskId:
    """A pending task of 30 credits."""
    return TaskId(UUID((await create(client, body())).json()["data"]["task_id"]))


async def test_tasks_stages_and_credits_are_counted(client: httpx.AsyncClient, store: PostgresTaskStore) -> None:
    """The metrics contain queue, results, stages, and every kind of transfer including reservations."""
    won, lost, waiting = await new_task(client), await new_task(client), await new_task(client)
    await store.start_task(won, "one:/work")
    await store.add_stage_time(won, StageTime(stage=Stage.RENDER, started_at=datetime.now(UTC), seconds=2.5))
    await store.settle(won, TaskStatus.SUCCESS, SUCCESS, "one:/work")
    await store.settle(lost, TaskStatus.FAILED, FAILURE, None)
    await store.start_task(waiting, "one:/work")
    await new_task(client)
    seen = await samples(client)
    assert seen["bodydouble_queue_tasks",] == 1
    assert seen["bodydouble_running_tasks",] == 1
    assert seen["bodydouble_queue_oldest_seconds",] > 0
    assert seen["bodydouble_task_seconds_count", "200"] == 1
    assert seen["bodydouble_task_seconds_count", "501"] == 1
    assert seen["bodydouble_stage_seconds_sum", "render"] == 2.5
    moved = {kind: seen["bodydouble_credits_total", kind] for kind in ("grant", "reserve", "charge", "release")}
    assert moved == {"grant": 100, "reserve": 4 * 24, "charge": 24, "release": 24} or moved == {
        "grant": 100, "reserve": 120, "charge": 30, "release": 30,
    }  # fmt: skip


async def test_seconds_are_spread_over_buckets(client: httpx.AsyncClient, store: PostgresTaskStore) -> None:
    """Buckets are cumulative; all bounds are listed, and the last bucket contains all values."""
    task = await new_task(client)
    await store.start_task(task, "one:/work")
    for seconds in (0.05, 2.5, 3.0, 90_000.0):
        await store.add_stage_time(task, StageTime(stage=Stage.RENDER, started_at=datetime.now(UTC), seconds=seconds))
    seen = await samples(client)
    name = "bodydouble_stage_seconds_bucket"
    buckets = {labels[1]: n for labels, n in seen.items() if labels[0] == name and labels[2] == "render"}
    assert (buckets["0.1"], buckets["1.0"], buckets["2.5"], buckets["5.0"]) == (1, 1, 2, 3)
    assert (buckets["14400.0"], buckets["+Inf"]) == (3, 4)
    assert list(buckets.values()) == sorted(buckets.values())
    assert seen["bodydouble_stage_seconds_count", "render"] == 4
    assert seen[name, "+Inf", "queued"] == 1
    request = "POST", f"{API}/job/CreateTask", "200"
    assert seen["bodydouble_http_request_seconds_bucket", "60.0", *request] == 1
    assert seen["bodydouble_http_request_seconds_bucket", "0.0025", *request] in (0, 1)


async def test_requests_are_counted_by_route_and_status(client: httpx.AsyncClient) -> None:
    """The label is the template of the route, never text from the URL."""
    await new_task(client)
    await client.get(f"{API}/job/Models/wan/2-2-animate-replace")
    await client.get(f"{API}/job/Models/no-such-model")
    await client.get("/no/such/route?secret=1")
    seen = await samples(client)
    name = "bodydouble_http_request_seconds_count"
    assert seen[name, "POST", f"{API}/job/CreateTask", "200"] == 1
    assert seen[name, "GET", f"{API}/job/Models/{{model:path}}", "200"] == 1
    assert seen[name, "GET", f"{API}/job/Models/{{model:path}}", "404"] == 1
    assert seen[name, "GET", "unknown", "404"] == 1
    assert not [labels for labels in seen if "secret" in "".join(labels)]


async def test_several_processes_are_one_installation(
    client: httpx.AsyncClient, settings: Settings, empty_database: str
) -> None:
    """Counts of two applications with one database add up; each application has its own connection gauge."""
    other = build_app(settings, empty_database)
    async with other.router.lifespan_context(other):
        other.state.metrics._process = "elsewhere:1"
        transport = httpx.ASGITransport(other)
        async with httpx.AsyncClient(transport=transport, base_url="http://x", headers=client.headers) as second:
            for _ in range(2):
                await client.get(f"{API}/account/balance")
                await second.get(f"{API}/account/balance")
            await samples(second)
            seen = await samples(client)
    assert seen["bodydouble_http_request_seconds_count", "GET", f"{API}/account/balance", "200"] == 4
    pools = {labels[1] for labels in seen if labels[0] == "bodydouble_database_connections"}
    assert len(pools) == 2
    assert "elsewhere:1" in pools


async def test_without_a_token_only_this_machine_may_look(app: FastAPI) -> None:
    """Requests from other machines and forwarded requests are rejected."""
    for client, headers, status in (
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("203.0.113.7", {}, 401),
        ("127.0.0.1", {"x-forwarded-for": "203.0.113.7"}, 401),
    ):
        transport = httpx.ASGITransport(app, client=(client, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as caller:
            assert (await caller.get("/metrics", headers=headers)).status_code == status


async def test_an_installation_with_a_public_url_shows_metrics_to_nobody_without_a_token(
    settings: Settings, empty_database: str
) -> None:
    """A proxy on this machine may forward requests without any header, so they look local."""
    for url, status in (("https://video.example.com", 401), ("http://127.0.0.1:8000", 200), ("http://localhost", 200)):
        app = build_app(settings.model_copy(update={"public_url": url}), empty_database)
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://x") as caller,
        ):
            assert (await caller.get("/metrics")).status_code == status, url


async def test_with_a_token_it_is_asked_of_everybody(settings: Settings, empty_database: str) -> None:
    """The bearer token works from any address; without it every request is rejected, also from this machine."""
    app = build_app(settings.model_copy(update={"metrics_token": "open-sesame"}), empty_database)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, client=("203.0.113.7", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as caller:
            good = {"authorization": "Bearer open-sesame"}
            assert (await caller.get("/metrics", headers=good)).status_code == 200
            assert (await caller.get("/metrics", headers={"authorization": "Bearer x"})).status_code == 401
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as caller:
            assert (await caller.get("/metrics")).status_code == 401


async def test_a_request_is_logged_once_without_secrets(client: httpx.AsyncClient, key: str) -> None:
    """The line has method, route, status, milliseconds, account, task and request id, but no key and no query."""
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs:
        made = await client.post(f"{API}/job/CreateTask?token=hidden", json=body(), headers={"x-request-id": "r-1"})
    (line,) = [log for log in logs if log["event"] == "request"]
    assert line["request_id"] == "r-1"
    assert (line["method"], line["route"], line["status"]) == ("POST", f"{API}/job/CreateTask", 200)
    assert line["task_id"] == made.json()["data"]["task_id"]
    assert line["account"] == "1"
    assert line["milliseconds"] > 0
    assert "hidden" not in str(logs)
    assert key not in str(logs)
