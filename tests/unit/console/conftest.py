"""The pages over a real database, called in this process by somebody who is signed in."""

import re
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from bodydouble.bootstrap.application import build_app
from bodydouble.console import Console
from bodydouble.settings import Settings
from bodydouble.tasks.account import Account
from bodydouble.tasks.session import Role

URL = "http://127.0.0.1:8000"
COOKIE = "bodydouble_session"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def app(tmp_path: Path, fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FastAPI]:
    """The application, started with the defaults."""
    monkeypatch.chdir(tmp_path)
    for name in ("DATABASE_URL", "BODYDOUBLE_PUBLIC_URL", "BODYDOUBLE_DATA", "BODYDOUBLE_PORT"):
        monkeypatch.delenv(name, raising=False)
    app = build_app(Settings(data=tmp_path / "data", models=tmp_path / "no-models"), fresh_database)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
def console(app: FastAPI) -> Console:
    """What the pages were given."""
    console: Console = app.state.console
    return console


@pytest.fixture
async def account(console: Console) -> Account:
    """An account with 100 credits."""
    return await console.accounts.open_account("studio", Decimal(100), "for the test")


class FormBrowser:
    """A browser without JavaScript: keeps cookies, follows nothing, posts forms with the page's token."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """A page."""
        return await self.client.get(path, headers={"accept": "text/html"} | headers)

    async def post(self, path: str, **fields: str) -> httpx.Response:
        """A form of the page for keys, whose token is that of every page."""
        token = re.search(r'name="csrf" content="([0-9a-f]+)"', (await self.get("/keys")).text)
        assert token is not None
        return await self.client.post(path, data={"csrf": token[1]} | fields, headers={"referer": f"{URL}/keys"})


@pytest.fixture
async def anonymous(app: FastAPI) -> AsyncIterator[FormBrowser]:
    """Nobody signed in."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        yield FormBrowser(client)


@pytest.fixture
async def user(anonymous: FormBrowser, console: Console, account: Account) -> FormBrowser:
    """Signed in for the account."""
    anonymous.client.cookies.set(COOKIE, await console.sessions.sign_in_as(account.name, Role.USER))
    return anonymous


@pytest.fixture
async def operator(anonymous: FormBrowser, console: Console, account: Account) -> FormBrowser:
    """Signed in for the account, as operator."""
    anonymous.client.cookies.set(COOKIE, await console.sessions.sign_in_as(account.name, Role.OPERATOR))
    return anonymous
