"""Rate limits, maintenance and feature switches, and the headers that report them."""

import re

import httpx
import pytest

from api_calls import API, BODY, MODEL, body, create
from bodydouble.api.rate_limit import RequestLimiter
from bodydouble.bootstrap.application import build_app
from bodydouble.service import Services
from bodydouble.settings import Settings
from bodydouble.store import Database, PostgresSwitchStore
from bodydouble.tasks.account import Account
from bodydouble.tasks.errors import RateLimited

BALANCE = f"{API}/account/balance"
KEY = b"k" * 32


class Clock:
    """A clock that the test advances."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_reads_fill_up_evenly() -> None:
    """A key can use its whole limit at once, then one request per interval; keys are independent."""
    clock = Clock()
    limit = RequestLimiter(60, clock)
    assert [limit.take(KEY).left for _ in range(60)] == list(range(59, -1, -1))
    with pytest.raises(RateLimited, match=r"60 a minute; try again in 1\.0 s") as caught:
        limit.take(KEY)
    assert caught.value.rate is not None
    assert (caught.value.retry_seconds, caught.value.rate.reset_seconds) == (1, 60)
    assert limit.take(b"another").left == 59
    clock.now += 1
    assert limit.take(KEY).left == 0
    clock.now += 3600
    assert limit.take(KEY).left == 59


def test_keys_that_rest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unused keys are dropped from memory; keys in use are kept."""
    monkeypatch.setattr("bodydouble.api.rate_limit.KEYS_MAX", 10)
    clock = Clock()
    limit = RequestLimiter(60, clock)
    for _ in range(30):
        limit.take(KEY)
    for number in range(100):
        clock.now += 0.2
        limit.take(number.to_bytes(32, "big"))
    assert len(limit._full_at) <= 11
    assert limit.take(KEY).left == 60 - 11


@pytest.mark.anyio
async def test_every_answer_to_a_key_says_how_its_limit_stands(client: httpx.AsyncClient) -> None:
    """Reads and creates have separate policies; a response without valid key has no rate limit headers."""
    for request, name, most in (
        (client.build_request("GET", BALANCE), "reads", 1200),
        (client.build_request("GET", f"{API}/job/TaskInfo", params={"task_id": "none"}), "reads", 1200),
        (client.build_request("POST", f"{API}/job/CreateTask", json=BODY), "creates", 120),
        (client.build_request("POST", f"{API}/job/CreateTask", json=body(seed=-1)), "reads", 1200),
    ):
        answer = await client.send(request)
        assert answer.headers["ratelimit-policy"] == f'"{name}";q={most};w=60'
        state = re.fullmatch(f'"{name}";r=([0-9]+);t=[0-9]+', answer.headers["ratelimit"])
        assert state, answer.headers["ratelimit"]
        assert int(state[1]) < most
    once = {"idempotency-key": "once"}
    _, again = [await client.post(f"{API}/job/CreateTask", json=BODY, headers=once) for _ in range(2)]
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["ratelimit-policy"] == '"creates";q=120;w=60'
    poor = await create(client, body(resolution="720P"))
    assert (poor.status_code, poor.headers["ratelimit-policy"]) == (402, '"creates";q=120;w=60')
    client.headers["x-api-key"] = "ak_" + "0" * 32
    assert "ratelimit" not in (await client.get(BALANCE)).headers


@pytest.mark.anyio
async def test_too_many_reads_are_429_until_some_come_back(
    settings: Settings, empty_database: str, services: Services, account: Account
) -> None:
    """The response has Retry-After; another key of the same account is not limited."""
    keys = [(await services.accounts.create_key(account.id)).secret for _ in range(2)]
    app = build_app(settings.model_copy(update={"reads_per_minute": 2}), empty_database)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            codes = [(await client.get(BALANCE, headers={"x-api-key": keys[0]})).status_code for _ in range(2)]
            refused = await client.get(BALANCE, headers={"x-api-key": keys[0]})
            other = await client.get(BALANCE, headers={"x-api-key": keys[1]})
    assert (codes, refused.status_code, other.status_code) == ([200, 200], 429, 200)
    assert refused.json()["code"] == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 30
    assert refused.headers["ratelimit"].startswith('"reads";r=0;t=')


@pytest.mark.anyio
async def test_too_many_creates_are_429(client: httpx.AsyncClient, services: Services, account: Account) -> None:
    """The account's own limit applies, and the response has Retry-After and the state of the limit."""
    await services.accounts._accounts.set_limits(account.id, 1, None, disabled=False)
    assert (await create(client, BODY)).status_code == 200
    refused = await create(client, BODY)
    assert (refused.status_code, refused.json()["code"]) == (429, 429)
    assert refused.headers["ratelimit-policy"] == '"creates";q=1;w=60'
    assert refused.headers["ratelimit"].startswith('"creates";r=0;t=')
    assert 1 <= int(refused.headers["retry-after"]) <= 60


@pytest.mark.anyio
async def test_what_is_switched_off_is_refused_and_reads_are_served(
    client: httpx.AsyncClient, empty_database: str
) -> None:
    """Maintenance is 455 with Retry-After, a feature 505, both with status 503; Models reports them and reads work."""
    made = (await create(client, BODY)).json()["data"]["task_id"]
    database = await Database.connect(empty_database, 1)
    switches = PostgresSwitchStore(database)
    await switches.switch_off("maintenance", "Back at noon", 90)
    refused = await create(client, BODY)
    assert (refused.status_code, refused.json()["code"], refused.json()["message"]) == (503, 455, "Back at noon")
    assert refused.headers["retry-after"] == "90"
    upload = await client.get(f"{API}/files/upload-url", params={"content_type": "video/mp4", "ext": ".mp4"})
    assert (upload.status_code, upload.json()["code"]) == (503, 455)
    assert (await client.get(f"{API}/job/TaskInfo", params={"task_id": made})).status_code == 200
    await switches.switch_on("maintenance")
    await switches.switch_off("renderer:puppet", "", 90)
    refused = await create(client, body(renderer="puppet"))
    assert (refused.status_code, refused.json()["code"]) == (503, 505)
    assert "renderer:puppet" in refused.json()["message"]
    listed = (await client.get(f"{API}/job/Models/{MODEL}")).json()["data"]
    assert (listed["enabled"], listed["renderers"]) == (False, [])
    await switches.switch_on("renderer:puppet")
    await switches.switch_off(MODEL, "", 90)
    listed = (await client.get(f"{API}/job/Models")).json()["data"]["models"][0]
    assert (listed["enabled"], listed["renderers"]) == (False, ["puppet"])
    await switches.switch_on(MODEL)
    assert (await create(client, BODY)).status_code == 200
    await database.close()
