"""The fast path compared with the framework's routing."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api_calls import API, BODY, body, create
from bodydouble.api.fast_path import FastRoutes
from bodydouble.bootstrap.application import build_app
from bodydouble.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.fixture
async def long_way(
    settings: Settings, empty_database: str, client: httpx.AsyncClient
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application with the same database and without fast path."""
    app = build_app(settings, empty_database)
    app.fast_routes = FastRoutes([])
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=client.base_url, headers=client.headers) as routed:
            yield routed


async def test_the_short_way_answers_as_the_long_one(
    client: httpx.AsyncClient, long_way: httpx.AsyncClient, app: FastAPI
) -> None:
    """Status, body and header names are equal, for valid and invalid requests."""
    made = (await create(client, BODY)).json()["data"]["task_id"]
    info, new = f"{API}/job/TaskInfo", f"{API}/job/CreateTask"
    once = {"idempotency-key": "once"}
    await client.post(new, json=BODY, headers=once)
    requests: list[dict[str, Any]] = [
        {"method": "GET", "url": info, "params": {"task_id": made}},
        {"method": "GET", "url": info, "params": {"task_id": made, "more": "1"}, "headers": {"accept": "text/html"}},
        {"method": "GET", "url": info, "params": {"task_id": "nonsense"}},
        {"method": "GET", "url": info},
        {"method": "GET", "url": info, "headers": {"x-api-key": "wrong"}},
        {"method": "GET", "url": info, "headers": {"accept": "application/problem+json"}},
        {"method": "POST", "url": new, "json": BODY, "headers": once},
        {"method": "POST", "url": new, "json": body(seed=1), "headers": once},
        {"method": "POST", "url": new, "json": body(colour="blue")},
        {"method": "POST", "url": new, "content": b"{"},
        {"method": "POST", "url": new, "content": b"x" * 15_000_000},
        {"method": "POST", "url": new, "json": BODY, "headers": {"idempotency-key": "a b"}},
        {"method": "GET", "url": new},
    ]
    for request in requests:
        short, routed = await client.request(**request), await long_way.request(**request)
        assert (short.status_code, short.json()) == (routed.status_code, routed.json()), request
        assert short.headers.keys() == routed.headers.keys(), request
