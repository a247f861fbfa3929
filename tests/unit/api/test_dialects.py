"""What the dialects share: switching off, the fast path, and requests that last."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api_calls import BODY, create
from bodydouble.api.fast_path import FastRoutes
from bodydouble.api.reading import new_task
from bodydouble.api.replicate import predictions
from bodydouble.bootstrap.application import build_app
from bodydouble.service import Services
from bodydouble.settings import Settings

pytestmark = pytest.mark.anyio

FAL = "/fal/queue/fal-ai/wan"
RUN = "/fal/run/fal-ai/wan/v2.2-14b/animate/replace"
PREDICTIONS = "/replicate/v1/predictions"
WAN = "/replicate/v1/models/wan-video/wan-2.2-animate-replace/predictions"
FAL_INPUT = {"video_url": "https://example.com/v.mp4", "image_url": "https://example.com/i.png"}
WAVESPEED = "/wavespeed/api/v3/wavespeed-ai/wan-2.2/animate"
WAVESPEED_INPUT = {"mode": "replace", "image": "https://example.com/i.png", "video": "https://example.com/v.mp4"}
MEDIA = {"video": "https://example.com/v.mp4", "character_image": "https://example.com/i.png", "resolution": "480"}


@pytest.fixture
async def others(settings: Settings, empty_database: str, client: httpx.AsyncClient) -> AsyncIterator[Any]:
    """Clients of two applications with the same database: one without fast path, one without two of the dialects."""
    plain = build_app(settings, empty_database)
    plain.fast_routes = FastRoutes([])
    fewer = build_app(settings.model_copy(update={"dialects_off": "fal, crun"}), empty_database)
    made: list[httpx.AsyncClient] = []
    async with plain.router.lifespan_context(plain), fewer.router.lifespan_context(fewer):
        for app in (plain, fewer):
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            made.append(httpx.AsyncClient(transport=transport, base_url=client.base_url, headers=client.headers))
        yield made


async def test_a_dialect_that_is_off_is_not_there(client: httpx.AsyncClient, others: Any) -> None:
    """Its paths are unknown, its tasks stay, and the other dialects and the files work."""
    task = (await client.post(f"{FAL}/v2.2-14b/animate/replace", json=FAL_INPUT)).json()["request_id"]
    _, fewer = others
    for path in (f"{FAL}/requests/{task}/status", "/api/v1/client/account/balance", "/fal/openapi.json"):
        answer = await fewer.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, 404)
    assert (await fewer.get(f"{PREDICTIONS}/{task}")).json()["status"] == "starting"
    assert (await fewer.get("/files/uploads/1/x.png")).status_code == 403


async def test_the_fast_path_of_a_dialect_answers_as_its_routes(client: httpx.AsyncClient, others: Any) -> None:
    """Status, body and header names are equal, for valid and invalid requests."""
    made = (await create(client, BODY)).json()["data"]["task_id"]
    requests: list[dict[str, Any]] = [
        {"method": "GET", "url": f"{FAL}/requests/{made}/status", "params": {"logs": "1"}},
        {"method": "GET", "url": f"{FAL}/requests/{made}"},
        {"method": "GET", "url": f"{FAL}/requests/nonsense"},
        {"method": "GET", "url": f"{FAL}/requests/{made}/status", "headers": {"x-api-key": "wrong"}},
        {"method": "POST", "url": f"{FAL}/v2.2-14b/animate/replace", "json": {"seed": -1}},
        {"method": "POST", "url": f"{FAL}/v2.2-14b/animate/replace", "content": b"{"},
        {"method": "POST", "url": f"{FAL}/v2.2-14b/animate/replace", "json": FAL_INPUT, "params": {"fal_webhook": "x"}},
        {"method": "GET", "url": f"{PREDICTIONS}/{made}"},
        {"method": "GET", "url": f"{PREDICTIONS}/nonsense"},
        {"method": "POST", "url": WAN, "json": {"input": {"video": 1}}},
        {"method": "POST", "url": WAN, "json": {"input": MEDIA}, "headers": {"prefer": "wait=900"}},
        {"method": "POST", "url": PREDICTIONS, "content": b"x" * 2_000_000},
    ]
    plain, _ = others
    for request in requests:
        short, routed = await client.request(**request), await plain.request(**request)
        assert (short.status_code, short.json()) == (routed.status_code, routed.json()), request
        assert short.headers.keys() == routed.headers.keys(), request


async def test_the_proxy_of_fal_serves_only_addresses_of_fal(client: httpx.AsyncClient) -> None:
    """Another target, or none, is a problem of the header."""
    made = (await create(client, BODY)).json()["data"]["task_id"]
    target = f"https://queue.fal.run/fal-ai/wan/requests/{made}/status?logs=1"
    answer = await client.get("/fal/proxy", headers={"x-fal-target-url": target})
    assert (answer.json()["status"], answer.json()["request_id"]) == ("IN_QUEUE", made)
    for headers in ({}, {"x-fal-target-url": "https://example.com/"}, {"x-fal-target-url": "https://["}):
        refused = await client.get("/fal/proxy", headers=headers)
        assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["body", "x-fal-target-url"])


async def test_a_request_of_fal_that_does_not_start_in_time_is_cancelled(client: httpx.AsyncClient) -> None:
    """In the queue as soon as its state is asked for, and in a synchronous call by itself."""
    late = {"x-fal-request-timeout": "0.05"}
    made = (await client.post(f"{FAL}/v2.2-14b/animate/replace", json=FAL_INPUT, headers=late)).json()["request_id"]
    await asyncio.sleep(0.1)
    status = (await client.get(f"{FAL}/requests/{made}/status")).json()
    assert (status["status"], status["error_type"]) == ("COMPLETED", "startup_timeout")
    for answer in (
        await client.get(f"{FAL}/requests/{made}"),
        await client.post(RUN, json=FAL_INPUT | {"seed": 1}, headers=late),
    ):
        assert (answer.status_code, answer.headers["x-fal-request-timeout-type"]) == (504, "user")


async def test_what_changes_nothing_is_in_the_log_and_lifecycles_are_refused(client: httpx.AsyncClient) -> None:
    """Headers of fal."""
    submit = f"{FAL}/v2.2-14b/animate/replace"
    made = await client.post(submit, json=FAL_INPUT, headers={"x-fal-queue-priority": "low", "x-fal-no-retry": "1"})
    await client.put(f"{FAL}/requests/{made.json()['request_id']}/cancel")
    status = (await client.get(f"{FAL}/requests/{made.json()['request_id']}/status?logs=1")).json()
    assert [line["message"] for line in status["logs"]] == [
        "x-fal-no-retry changes nothing here",
        "x-fal-queue-priority changes nothing here",
    ]
    for name, value in (("x-fal-object-lifecycle-preference", "{}"), ("x-fal-store-io", "0")):
        refused = await client.post(submit, json=FAL_INPUT, headers={name: value})
        assert refused.json()["detail"][0]["loc"] == ["body", name]


@pytest.mark.parametrize("events", [["start"], ["logs"], ["completed"]])
async def test_a_webhook_of_any_event_needs_a_public_address(client: httpx.AsyncClient, events: list[str]) -> None:
    """The address is checked when the prediction is created, whichever events it is called for."""
    body = {"input": MEDIA, "webhook": "http://127.0.0.1/", "webhook_events_filter": events}
    refused = await client.post(WAN, json=body)
    assert (refused.status_code, refused.json()["detail"].split(":")[0]) == (422, "- webhook")


@pytest.mark.parametrize(
    ("url", "body", "headers"),
    [
        (WAN, {"input": MEDIA}, {"prefer": "wait"}),
        (WAVESPEED, WAVESPEED_INPUT | {"enable_sync_mode": True}, {}),
    ],
)
async def test_a_create_that_may_not_wait_tells_of_its_task(
    client: httpx.AsyncClient, app: FastAPI, url: str, body: dict[str, Any], headers: dict[str, str]
) -> None:
    """An error would make the client repeat the request, and pay for a second task."""
    app.state.streams.close()  # the process stops; an account with too many waiting requests is refused the same way
    answer = await client.post(url, json=body, headers=headers)
    made = answer.json().get("data") or answer.json()
    assert answer.status_code in (200, 201)
    assert made["status"] in ("starting", "processing")
    assert [task["id"] for task in (await client.get(PREDICTIONS)).json()["results"]] == [made["id"]]


async def test_a_prediction_that_is_waited_for_answers_at_its_end(client: httpx.AsyncClient) -> None:
    """A wait that ends before the prediction does shows it as starting, which tells the clients to poll."""
    answer = await client.post(WAN, json={"input": MEDIA}, headers={"prefer": "wait=1"})
    assert (answer.status_code, answer.json()["status"]) == (201, "starting")
    waiting = asyncio.create_task(client.post(WAN, json={"input": MEDIA | {"seed": 1}}, headers={"prefer": "wait"}))
    while len(page := (await client.get(PREDICTIONS)).json()["results"]) < 2:
        await asyncio.sleep(0.2)
    await client.post(f"{PREDICTIONS}/{page[0]['id']}/cancel")
    assert (await waiting).json()["status"] == "canceled"


async def test_the_time_of_a_create_is_part_of_the_wait(
    client: httpx.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look at an upload can take longer than the wait that was asked for; the response then comes at once."""
    submit, waits = services.tasks.submit, list[float]()

    async def slow_submit(*arguments: Any, **named: Any) -> Any:
        await asyncio.sleep(1)
        return await submit(*arguments, **named)

    async def note(request: Any, secret: Any, created: Any, submission: Any, seconds: float) -> Any:
        waits.append(seconds)
        return new_task(created, submission)

    monkeypatch.setattr(services.tasks, "submit", slow_submit)
    monkeypatch.setattr(predictions, "wait_for_new", note)
    answer = await client.post(WAN, json={"input": MEDIA}, headers={"prefer": "wait=1"})
    assert (answer.status_code, waits) == (201, [0.0])
