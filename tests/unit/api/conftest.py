"""Fixtures of the API tests: the application with a real database and a real folder, called in process."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
import structlog
from fastapi import FastAPI

from bodydouble.bootstrap.application import build_app
from bodydouble.service import Services
from bodydouble.settings import Settings
from bodydouble.store import Database, LocalFileStore, PostgresTaskStore
from bodydouble.tasks.account import Account

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
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The default settings, independent of the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("DATABASE_URL", "BODYDOUBLE_PUBLIC_URL", "BODYDOUBLE_DATA", "BODYDOUBLE_PORT"):
        monkeypatch.delenv(name, raising=False)
    return Settings(data=tmp_path / "data", models=tmp_path / "no-models")


@pytest.fixture
async def app(settings: Settings, empty_database: str) -> AsyncIterator[FastAPI]:
    """The started application."""
    app = build_app(settings, empty_database)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
def services(app: FastAPI) -> Services:
    """The services of the application."""
    services: Services = app.state.services
    return services


@pytest.fixture
async def store(app: FastAPI, empty_database: str) -> AsyncIterator[PostgresTaskStore]:
    """The task store of a worker, with its own database connections."""
    database = await Database.connect(empty_database, 2)
    store = PostgresTaskStore(database)
    yield store
    await store.close()
    await database.close()


@pytest.fixture
def files(app: FastAPI) -> LocalFileStore:
    """The application's uploads and results."""
    files: LocalFileStore = app.state.files
    return files


@pytest.fixture
async def account(services: Services) -> Account:
    """An account with 100 credits."""
    return await services.accounts.open_account("tester", Decimal(100), "for the test")


@pytest.fixture
async def key(services: Services, account: Account) -> str:
    """A key of the account."""
    return (await services.accounts.create_key(account.id)).secret


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
