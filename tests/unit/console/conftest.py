"""Fixtures of the console tests: the pages with a real database, called in process by a signed-in user."""

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
from bodydouble.tasks.session import SessionRole

URL = "http://127.0.0.1:8000"
COOKIE = "bodydouble_session"


@pytest.fixture
async def app(tmp_path: Path, empty_database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FastAPI]:
    """The started application with default settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("DATABASE_URL", "BODYDOUBLE_PUBLIC_URL", "BODYDOUBLE_DATA", "BODYDOUBLE_PORT"):
        monkeypatch.delenv(name, raising=False)
    app = build_app(Settings(data=tmp_path / "data", models=tmp_path / "no-models"), empty_database)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
def console(app: FastAPI) -> Console:
    """The services of the pages."""
    console: Console = app.state.console
    return console


@pytest.fixture
async def account(console: Console) -> Account:
    """An account with 100 credits."""
    return await console.accounts.open_account("studio", Decimal(100), "for the test")


class FormBrowser:
    """A browser without JavaScript: keeps cookies, follows no redirects, posts forms with the CSRF token."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Get a page."""
        return await self.client.get(path, headers={"accept": "text/html"} | headers)

    async def post(self, path: str, **fields: str) -> httpx.Response:
        """Post a form with the CSRF token of the session."""
        token = re.search(r'name="csrf" content="([0-9a-f]+)"', (await self.get("/keys")).text)
        assert token is not None
        return await self.client.post(path, data={"csrf": token[1]} | fields, headers={"referer": f"{URL}/keys"})


@pytest.fixture
async def anonymous(app: FastAPI) -> AsyncIterator[FormBrowser]:
    """A browser without session."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        yield FormBrowser(client)


@pytest.fixture
async def user(anonymous: FormBrowser, console: Console, account: Account) -> FormBrowser:
    """A signed-in user of the account."""
    anonymous.client.cookies.set(COOKIE, await console.sessions.sign_in_as(account.name, SessionRole.USER))
    return anonymous


@pytest.fixture
async def operator(anonymous: FormBrowser, console: Console, account: Account) -> FormBrowser:
    """A signed-in operator of the account."""
    anonymous.client.cookies.set(COOKIE, await console.sessions.sign_in_as(account.name, SessionRole.OPERATOR))
    return anonymous
