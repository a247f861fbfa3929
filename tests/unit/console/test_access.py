"""Sign-in, permissions, and protection against hostile requests."""

import re
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bodydouble.console import Console, assets, credits, keys, models, operation, playground, sign_in, tasks
from bodydouble.console.authentication import SignInLimit
from bodydouble.service import Caller, sign_in_url
from bodydouble.tasks.account import Account
from bodydouble.tasks.errors import RateLimited
from bodydouble.tasks.session import SessionRole

pytestmark = pytest.mark.anyio
PAGES = (
    "/", "/tasks", "/keys", "/webhooks", "/credits", "/credits.csv", "/models", "/models/wan/2-2-animate-replace",
    "/operator",
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
async def test_strangers_are_led_to_the_sign_in(anonymous: Any, path: str) -> None:
    """Without session every page redirects to the sign-in page, which leads back to it."""
    answer = await anonymous.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")
    assert (path == "/") or answer.headers["location"].endswith(path)


async def test_link_signs_in_with_a_cookie_that_scripts_and_other_sites_cannot_use(
    anonymous: Any, console: Console, account: Account
) -> None:
    """Opening a link does not consume it; its button does, sets the cookie, and redirects to the target."""
    link = sign_in_url("", await console.sessions.make_link_token(account.name, SessionRole.USER))
    assert "Sign in" in (await anonymous.get(link)).text
    form = {"link": link.partition("=")[2], "next": "/credits"}
    answer = await anonymous.client.post("/sign-in", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/credits")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert (await anonymous.get("/credits")).status_code == 200
    anonymous.client.cookies.clear()
    assert (await anonymous.client.post("/sign-in", data=form)).status_code == 401


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "/sign-out", "x"])
async def test_sign_in_leads_nowhere_else(anonymous: Any, console: Console, account: Account, target: str) -> None:
    """The sign-in redirects only to pages of this site."""
    token = await console.sessions.make_link_token(account.name, SessionRole.USER)
    answer = await anonymous.client.post("/sign-in", data={"link": token, "next": target})
    assert answer.headers["location"] == "/"


async def test_sign_out_ends_the_session_for_everybody_who_has_the_cookie(user: Any) -> None:
    """A copied cookie is invalid after the sign-out."""
    copied = user.client.cookies["bodydouble_session"]
    assert (await user.post("/sign-out")).headers["location"] == "/sign-in"
    user.client.cookies.set("bodydouble_session", copied)
    assert (await user.get("/tasks")).status_code == 303


async def test_forms_need_the_token_of_their_session(user: Any, console: Console, account: Account) -> None:
    """A post without valid CSRF token or from another site has no effect."""
    for fields in ({}, {"csrf": "0" * 64}, {"csrf": "é"}):
        await user.client.post("/keys", data=fields | {"name": "stolen"})
    good = (await user.get("/keys")).text.split('name="csrf" content="')[1][:64]
    elsewhere = {"sec-fetch-site": "cross-site"}
    await user.client.post("/keys", data={"csrf": good, "name": "stolen"}, headers=elsewhere)
    assert await console.accounts.keys(Caller(account=account)) == []
    await user.client.post("/keys", data={"csrf": good, "name": "mine"})
    assert [key.name for key in await console.accounts.keys(Caller(account=account))] == ["mine"]


async def test_users_see_nothing_of_the_operator(user: Any) -> None:
    """Users can neither open the operator page nor use its forms, and their menu does not list it."""
    assert (await user.get("/operator")).status_code == 403
    assert 'href="/operator"' not in (await user.get("/keys")).text
    await user.post("/operator/switch", name="maintenance", to="off")
    assert "Under maintenance" not in (await user.get("/models")).text


async def test_a_link_from_another_site_asks_once_more(anonymous: Any) -> None:
    """A request from another site comes without the strict cookie, so the page reloads itself first."""
    answer = await anonymous.get("/tasks", **{"sec-fetch-site": "cross-site"})
    assert answer.status_code == 200
    assert 'http-equiv="refresh"' in answer.text


@pytest.mark.parametrize("path", ["/", "/sign-in", "/tasks/nothing", "/no/such/page", "/keys"])
async def test_every_page_says_what_it_may_load(user: Any, path: str) -> None:
    """Pages allow only scripts and styles of this site, none inline, no frames, and are not cached."""
    answer = await user.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'; style-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert " style=" not in answer.text
    assert "<script>" not in answer.text
    assert "onclick" not in answer.text


async def test_what_is_not_there_is_a_page_for_people_and_an_envelope_for_programs(user: Any) -> None:
    """Browsers get a page for status 404, programs below /api an envelope."""
    page = await user.get("/no/such/page")
    assert (page.status_code, page.headers["content-type"].split(";")[0]) == (404, "text/html")
    answer = await user.get("/api/v1/client/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, 404)


async def test_another_accounts_task_and_key_are_not_found(user: Any, console: Console) -> None:
    """Tasks and keys of other accounts are not found."""
    other = await console.accounts.open_account("somebody else")
    key = (await console.accounts.create_key(other.id)).key
    answer = await user.post(f"/keys/{key.id}/disable")
    assert "There is no key" in (await user.get(answer.headers["location"])).text
    assert not (await console.accounts.keys(Caller(account=other)))[0].disabled


async def test_a_link_needs_a_press(anonymous: Any) -> None:
    """Opening a link signs nobody in: the page has a button, and no script presses it."""
    page = (await anonymous.get("/sign-in?link=any")).text
    assert "Continue only if you requested it" in page
    assert "data-submit-now" not in page


HOSTILE_BODIES = [b"[" * 5000, rb'{"input": {"prompt": "\u0000"}}', rb'{"model": "\ud800", "input": {}}']
HOSTILE_TEXTS = st.one_of(
    st.sampled_from(["%00", "a%00b", "%ED%A0%80", "%FF", "9" * 20, "-1", "1e9", "..", "%2e%2e%2f", "[[[[", "%0a"]),
    st.text(max_size=30).map(lambda text: quote(text, safe="", errors="replace")),
)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_no_input_of_a_console_route_is_a_fault(operator: Any, app: FastAPI, method: str) -> None:
    """Hostile paths, queries, forms and JSON never cause status 500."""
    token = re.search(r'name="csrf" content="([0-9a-f]+)"', (await operator.get("/keys")).text)
    assert token is not None
    modules = (assets, sign_in, playground, tasks, keys, credits, models, operation)
    routes = [r for m in modules for r in m.router.routes if isinstance(r, APIRoute) and method in (r.methods or ())]
    routes = [route for route in routes if route.path != "/sign-out"]
    assert routes
    bodies = [*HOSTILE_BODIES, b'{"input": ' * 900]
    json_headers = {"accept": "application/json", "content-type": "application/json", "x-csrf-token": token[1]}

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))  # pyright: ignore[reportArgumentType]
    @given(data=st.data())
    def draw(data: st.DataObject) -> None:
        route = data.draw(st.sampled_from(routes))
        names = [p.alias for p in route.dependant.query_params]
        path = re.sub(r"\{[^}]+\}", lambda _: data.draw(HOSTILE_TEXTS), route.path)
        query = "&".join(f"{name}={data.draw(HOSTILE_TEXTS)}" for name in names)
        body = data.draw(st.one_of(st.sampled_from(bodies), HOSTILE_TEXTS.map(lambda text: f"name={text}".encode())))
        requests.append((f"{path}?{query}", body))

    requests: list[tuple[str, bytes]] = []
    draw()
    for url, body in requests:
        as_json = body[:1] in b"[{"
        headers = json_headers if as_json else {"content-type": "application/x-www-form-urlencoded"}
        content = body if as_json else body + f"&csrf={token[1]}".encode()
        if url.endswith("/events?"):
            continue  # streams until the task ends
        answer = await operator.client.request(
            method, url, content=content if method == "POST" else None, headers=headers
        )
        assert answer.status_code < 500, (url, body, answer.text)


@pytest.mark.parametrize(
    "path", ["/tasks?model=%00", "/keys/99999999999999999999/rotate", "/console/price", "/console/tasks"]
)
async def test_inputs_that_were_faults_are_refused(user: Any, path: str) -> None:
    """NUL in a query, an id beyond the database's, deep nesting and lone surrogates are 404 or 422."""
    page = (await user.get("/keys")).text
    headers = {"accept": "application/json", "x-csrf-token": page.split('name="csrf" content="')[1][:64]}
    for body in HOSTILE_BODIES:
        method = "GET" if path.startswith("/tasks") else "POST"
        answer = await user.client.request(method, path, content=body, headers=headers)
        assert answer.status_code in (404, 422), (path, body, answer.text)


def test_too_many_sign_ins_of_one_address_wait() -> None:
    """The limit applies to each IP address and its error has the time to wait."""
    limit = SignInLimit(per_minute=3)
    for _ in range(3):
        limit.count("10.0.0.1")
    with pytest.raises(RateLimited) as refused:
        limit.count("10.0.0.1")
    assert 0 < refused.value.retry_seconds <= 20
    limit.count("10.0.0.2")


async def test_assets_may_be_kept_for_good(anonymous: Any, app: FastAPI) -> None:
    """Their path contains a hash of the content, and every asset that a page names exists."""
    page = (await anonymous.get("/sign-in")).text
    for part in page.split('"'):
        if part.startswith("/console/assets/"):
            answer = await anonymous.get(part)
            assert answer.status_code == 200
            assert "immutable" in answer.headers["cache-control"]
    assert (await anonymous.get("/console/assets/old/style.css")).headers["cache-control"] == "no-store"
