"""The application over a real database and a real folder, called in this process."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
import structlog
from fastapi import FastAPI

from bodydouble.bootstrap import build_app
from bodydouble.service import Service
from bodydouble.settings import Settings

# The default would draw every local variable of a traceback, the whole application among them.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.format_exc_info,
        structlog.processors.KeyValueRenderer(),
    ]
)
URL = "http://127.0.0.1:8000"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Defaults, whatever the environment says."""
    monkeypatch.chdir(tmp_path)
    for name in ("DATABASE_URL", "BODYDOUBLE_PUBLIC_URL", "BODYDOUBLE_DATA", "BODYDOUBLE_PORT"):
        monkeypatch.delenv(name, raising=False)
    return Settings(data=tmp_path / "data", models=tmp_path / "no-models")


@pytest.fixture
async def app(settings: Settings, fresh_database: str) -> AsyncIterator[FastAPI]:
    """The application, started."""
    app = build_app(settings, fresh_database)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def service(app: FastAPI) -> Service:
    """The use cases behind the application."""
    service: Service = app.state.service
    return service


@pytest.fixture
async def key(service: Service) -> str:
    """A key of an account with 100 credits."""
    return await service.create_key("tester", Decimal(100))


@pytest.fixture
async def anonymous(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a key."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        yield client


@pytest.fixture
async def client(anonymous: httpx.AsyncClient, key: str) -> httpx.AsyncClient:
    """A client with the key."""
    anonymous.headers["x-api-key"] = key
    return anonymous
