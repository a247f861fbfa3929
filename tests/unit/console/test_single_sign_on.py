"""Signing in at the console through an identity provider."""

from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from typer.testing import CliRunner

from bodydouble.bootstrap.application import build_app
from bodydouble.cli import app as command
from bodydouble.settings import Settings
from oidc_provider import CLIENT_ID, CLIENT_SECRET, Provider, standing_provider

pytestmark = pytest.mark.anyio
URL = "http://127.0.0.1:8000"


@pytest.fixture
def there() -> Iterator[Provider]:
    with standing_provider() as provider:
        yield provider


@pytest.fixture
async def browser(
    there: Provider, tmp_path: Path, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of an installation with the identity provider."""
    monkeypatch.chdir(tmp_path)
    settings = Settings(
        data=tmp_path / "data",
        models=tmp_path / "none",
        oidc_issuer=there.url,
        oidc_client_id=CLIENT_ID,
        oidc_client_secret=CLIENT_SECRET,
        oidc_name="the studio",
        oidc_role_claim="groups",
        oidc_allow="127.0.0.0/8",
        oidc_credits=Decimal(25),
    )
    app = build_app(settings, empty_database)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL, headers={"accept": "text/html"}) as browser,
    ):
        yield browser


async def visit_provider(browser: httpx.AsyncClient, path: str = "/sign-in/begin") -> str:
    """Follow the redirect to the provider; returns the URL of its redirect back."""
    leaves = await browser.get(path)
    assert leaves.status_code == 303
    async with httpx.AsyncClient() as elsewhere:
        back = await elsewhere.get(leaves.headers["location"].replace("/authorize?", "/grant?"))
    address = urlsplit(back.headers["location"])
    assert f"{address.scheme}://{address.netloc}" == URL
    return f"{address.path}?{address.query}"


async def test_somebody_signs_in_and_lands_where_they_wanted(browser: httpx.AsyncClient, there: Provider) -> None:
    """The sign-in opens a new account with credits; the role claim makes the user an operator."""
    there.claims = {"email": "ada@studio.example", "groups": ["operator"]}
    page = (await browser.get("/sign-in?next=/keys")).text
    assert "Sign in with the studio" in page
    assert "/sign-in/begin?next=/keys" in page
    back = await visit_provider(browser, "/sign-in/begin?next=/keys")
    answer = await browser.get(back, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 200
    assert 'content="0;url=/keys"' in answer.text
    cookies = answer.headers.get_list("set-cookie")
    assert any("bodydouble_session=" in c and "HttpOnly" in c and "samesite=strict" in c.lower() for c in cookies)
    keys = (await browser.get("/keys")).text
    assert "ada@studio.example" in keys
    assert "<strong data-balance>25</strong>" in keys
    assert (await browser.get("/operator")).status_code == 200


async def test_a_way_back_works_once_and_in_one_browser(browser: httpx.AsyncClient, there: Provider) -> None:
    """A missing, foreign, forged or reused ticket signs nobody in."""
    back = await visit_provider(browser)
    ticket = browser.cookies["bodydouble_sign_in"]
    for wrong in ("", "nonsense", ticket[:-8] + "AAAAAAAA"):
        browser.cookies.clear()
        browser.cookies.set("bodydouble_sign_in", wrong)
        refused = await browser.get(back)
        assert (refused.status_code, "started in another browser" in refused.text) == (403, True)
    browser.cookies.clear()
    await visit_provider(browser)
    assert "started in another browser" in (await browser.get(back)).text
    browser.cookies.clear()
    browser.cookies.set("bodydouble_sign_in", ticket)
    assert (await browser.get(back)).status_code == 200
    browser.cookies.set("bodydouble_sign_in", ticket)
    assert "Start again" in (await browser.get(back)).text


async def test_who_cancels_or_is_not_known_is_told_so(browser: httpx.AsyncClient, there: Provider) -> None:
    """The sign-in page shows the error and allows another attempt."""
    there.refuses = "access_denied"
    cancelled = await browser.get(await visit_provider(browser))
    assert "The sign-in at the studio was cancelled." in cancelled.text
    assert "Sign in with the studio" in cancelled.text
    there.refuses = "<script>"
    assert "failed (&lt;script&gt;)" in (await browser.get(await visit_provider(browser))).text
    there.refuses, there.claims = "", {"nonce": "another"}
    assert "could not be verified" in (await browser.get(await visit_provider(browser))).text
    assert (await browser.get("/keys")).status_code == 303


async def test_a_disabled_account_stays_out(browser: httpx.AsyncClient, there: Provider) -> None:
    """A disabled account stays locked out, whatever the provider says."""
    there.claims = {"email": "ada@studio.example"}
    await browser.get(await visit_provider(browser))
    console = browser._transport.app.state.console  # type: ignore[attr-defined]
    (account,) = await console.operation.accounts()
    await console.operation.set_limits(account.name, creates_per_minute=None, active_max=None, disabled=True)
    browser.cookies.clear()
    refused = await browser.get(await visit_provider(browser))
    assert (refused.status_code, "is disabled" in refused.text) == (403, True)


async def test_a_target_elsewhere_leads_to_the_first_page(browser: httpx.AsyncClient) -> None:
    """The target of the sign-in is never another site."""
    answer = await browser.get(await visit_provider(browser, "/sign-in/begin?next=https://elsewhere.example"))
    assert 'content="0;url=/"' in answer.text


async def test_without_a_provider_there_is_no_such_way(anonymous: Any) -> None:
    """By default there is neither button nor route."""
    assert "Sign in with" not in (await anonymous.get("/sign-in")).text
    assert (await anonymous.get("/sign-in/begin")).status_code == 404
    assert (await anonymous.get("/sign-in/callback?code=x&state=y")).status_code == 404


@pytest.mark.parametrize(
    ("setting", "value"), [("OIDC_ISSUER", "http://sign-in.example"), ("OIDC_ALLOW", "not a network")]
)
def test_serve_names_a_setting_that_cannot_work(
    setting: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """serve ends before it creates a database or prints an address."""
    monkeypatch.chdir(tmp_path)
    for name, text in {"OIDC_ISSUER": "https://a.example", "OIDC_CLIENT_ID": "x", setting: value}.items():
        monkeypatch.setenv(f"BODYDOUBLE_{name}", text)
    ended = CliRunner().invoke(command, ["serve", "--port", "0"])
    assert ended.exit_code != 0
    assert f"BODYDOUBLE_{setting}" in ended.output
    assert list(tmp_path.iterdir()) == []
