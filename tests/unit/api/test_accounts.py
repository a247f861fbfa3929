"""Credits, usage, keys and the webhook secret over HTTP."""

import time
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from api_calls import API, BODY, MODEL, WORKER, create
from bodydouble.service import Services
from bodydouble.service.accounts import ROTATIONS_MAX
from bodydouble.store import PostgresTaskStore
from bodydouble.tasks.account import Account, Scope
from bodydouble.tasks.task import ResultCode, TaskId, TaskResult, TaskStatus

pytestmark = pytest.mark.anyio

KEYS = f"{API}/account/keys"
SECRET = f"{API}/account/webhook-secret"


async def data(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_a_key_is_made_listed_switched_off_and_on(client: httpx.AsyncClient) -> None:
    """The secret is returned once; the key works immediately, is rejected while disabled, and works when enabled."""
    later = int(time.time()) + 3600
    made = await data(await client.post(KEYS, json={"name": "ci", "scope": "read", "expires_at": later}))
    key, secret = made["key"], made["secret"]
    assert (key["name"], key["scope"], key["expires_at"], key["current"]) == ("ci", "read", later, False)
    assert secret.startswith(key["prefix"])
    listed = await client.get(KEYS)
    assert [k["current"] for k in (await data(listed))["keys"]] == [True, False]
    assert secret not in listed.text
    new = {"x-api-key": secret}
    for action, status in (("disable", 403), ("enable", 200)):
        assert (await data(await client.post(f"{KEYS}/{key['id']}/{action}")))["disabled"] is (action == "disable")
        assert (await client.get(f"{API}/account/balance", headers=new)).status_code == status


async def test_a_rotated_key_ends_and_its_successor_is_as_it_was(client: httpx.AsyncClient) -> None:
    """Name and scope are kept; the old secret expires immediately or after the grace period."""
    made = await data(await client.post(KEYS, json={"name": "ci", "scope": "read"}))
    balance = f"{API}/account/balance"
    graced = await data(await client.post(f"{KEYS}/{made['key']['id']}/rotate", params={"grace_seconds": 60}))
    assert (graced["key"]["name"], graced["key"]["scope"]) == ("ci", "read")
    assert (await client.get(balance, headers={"x-api-key": made["secret"]})).status_code == 200
    ended = await data(await client.post(f"{KEYS}/{graced['key']['id']}/rotate"))
    assert (await client.get(balance, headers={"x-api-key": graced["secret"]})).status_code == 401
    assert (await client.get(balance, headers={"x-api-key": ended["secret"]})).status_code == 200


async def test_keys_that_ended_take_nobodys_room(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, empty_database: str
) -> None:
    """Expired keys do not count towards the limit, cannot be rotated, and are deleted after a day."""
    monkeypatch.setattr("bodydouble.service.accounts.KEYS_MAX", 2)
    monkeypatch.setattr("bodydouble.service.accounts.KEYS_SHOWN_MAX", 4)
    current = (await data(await client.post(KEYS, json={"name": "ci"})))["key"]["id"]
    assert "at most 2" in (await client.post(KEYS, json={})).json()["errors"][0]
    for _ in range(2):
        former, current = current, (await data(await client.post(f"{KEYS}/{current}/rotate")))["key"]["id"]
        assert "has expired" in (await client.post(f"{KEYS}/{former}/rotate")).json()["errors"][0]
    assert "deleted after a day" in (await client.post(f"{KEYS}/{current}/rotate")).json()["errors"][0]
    await data(await client.post(f"{KEYS}/{current}/disable"))
    with psycopg.connect(empty_database) as connection:
        connection.execute("update api_key set expires_at = now() - interval '25 hours' where name = 'ci'")
    await data(await client.post(KEYS, json={"name": "new"}))
    assert [key["name"] for key in (await data(await client.get(KEYS)))["keys"]] == ["", "new"]


async def test_a_read_only_key_changes_nothing(
    client: httpx.AsyncClient, services: Services, account: Account, store: PostgresTaskStore
) -> None:
    """It can read everything except secrets; every change is 403 and has no effect."""
    task_id = (await create(client, BODY)).json()["data"]["task_id"]
    client.headers["x-api-key"] = (await services.accounts.create_key(account.id, scope=Scope.READ)).secret
    of_task: dict[str, Any] = {"params": {"task_id": task_id}}
    upload = {"params": {"content_type": "video/mp4", "ext": ".mp4"}}
    changes: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", f"{API}/job/CreateTask", {"json": BODY}),
        ("POST", f"{API}/job/CancelTask", of_task),
        ("POST", f"{API}/job/DeleteTask", of_task),
        ("POST", f"{API}/job/ResendCallback", of_task),
        ("GET", f"{API}/files/upload-url", upload),
        ("POST", KEYS, {"json": {}}),
        ("POST", f"{KEYS}/1/disable", {}),
        ("POST", f"{KEYS}/1/enable", {}),
        ("POST", f"{KEYS}/1/rotate", {}),
        ("GET", SECRET, {}),
        ("POST", f"{SECRET}/rotate", {}),
    ]
    for method, url, more in changes:
        answer = await client.request(method, url, **more)
        assert (answer.status_code, answer.json()["code"]) == (403, 403), url
    looks = ("account/balance", "account/usage", "account/ledger", "account/keys", "job/Tasks", "job/Models")
    for look in looks:
        assert (await client.get(f"{API}/{look}")).status_code == 200, look
    assert (await client.get(f"{API}/job/TaskInfo", **of_task)).json()["data"]["status"] == "pending"


async def test_another_accounts_keys_are_not_there(client: httpx.AsyncClient, services: Services) -> None:
    """They cannot be listed, disabled or rotated: the response is 404, as for an unknown key."""
    other = await services.accounts.open_account("other")
    foreign = (await services.accounts.create_key(other.id)).key.id
    for key_id in (foreign, 10**15):
        for action in ("disable", "enable", "rotate"):
            answer = await client.post(f"{KEYS}/{key_id}/{action}")
            assert (answer.status_code, answer.json()["message"]) == (404, f"There is no key {key_id}")


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ({"name": "x" * 101}, "name: must have at most 100 characters"),
        ({"name": "a\tb"}, "name: use at most 100 printable characters"),
        ({"scope": "write"}, "scope: Input should be 'all' or 'read'"),
        ({"expires_at": 1}, "expires_at: this time has passed; give a later one"),
        ({"colour": 1}, "colour: Unknown field"),
        ([], "body: must be a JSON object"),
    ],
)
async def test_a_wrong_key_is_named(client: httpx.AsyncClient, wanted: object, problem: str) -> None:
    """Each is a 422 that names the field, and no key is created."""
    answer = await client.post(KEYS, json=wanted)
    assert (answer.status_code, answer.json()["errors"]) == (422, [problem])
    assert len((await data(await client.get(KEYS)))["keys"]) == 1


async def test_the_webhook_secret_can_be_seen_and_rotated(client: httpx.AsyncClient) -> None:
    """The secret is stable until it is rotated; the previous one also signs for a day."""
    first = await data(await client.get(SECRET))
    assert first["secret"].startswith("whsec_")
    assert (first["rotated_at"], first["former_signs_until"]) == (None, None)
    assert await data(await client.get(SECRET)) == first
    second = await data(await client.post(f"{SECRET}/rotate"))
    assert second["secret"] != first["secret"]
    assert second["former_signs_until"] - second["rotated_at"] == 24 * 3600
    assert await data(await client.get(SECRET)) == second


async def test_each_former_webhook_secret_signs_for_its_own_day(
    client: httpx.AsyncClient, services: Services, account: Account
) -> None:
    """A second rotation on the same day does not shorten the first one's period; the number of rotations is limited."""
    secrets = [(await data(await client.get(SECRET)))["secret"]]
    for _ in range(ROTATIONS_MAX):
        secrets.insert(0, (await data(await client.post(f"{SECRET}/rotate")))["secret"])
    assert (await client.post(f"{SECRET}/rotate")).status_code == 422
    account = await services.accounts.open_account(account.name)
    first, now = account.webhook_rotations[-1], account.webhook_rotations[0]
    signing = services.accounts.webhook_secrets
    assert signing(account, now) == secrets
    assert signing(account, first + timedelta(days=1)) == secrets[:-1]
    assert signing(account, now + timedelta(days=1)) == secrets[:1]


async def test_usage_and_ledger_tell_what_became_of_the_credits(
    client: httpx.AsyncClient, store: PostgresTaskStore
) -> None:
    """A succeeded and a failed task are one line of usage; the ledger has every transfer, page by page."""
    ends = ((TaskStatus.SUCCESS, ResultCode.SUCCESS), (TaskStatus.FAILED, ResultCode.GENERATION_FAILED))
    made = [(await create(client, BODY)).json()["data"]["task_id"] for _ in ends]
    for task_id, (status, code) in zip(made, ends, strict=True):
        known = TaskId(UUID(task_id))
        await store.start_task(known, WORKER)
        await store.settle(known, status, TaskResult(code=code, message="over"), WORKER)
    (line,) = (await data(await client.get(f"{API}/account/usage")))["days"]
    assert line == {"day": line["day"], "model": MODEL, "succeeded": 1, "failed": 1, "credits": 30}
    entries, cursor = list[dict[str, Any]](), None
    while True:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = await data(await client.get(f"{API}/account/ledger", params=params))
        entries += page["entries"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    told = [(e["kind"], e["amount"], e["task_id"]) for e in entries]
    assert told == [
        ("release", 30, made[1]), ("charge", 30, made[0]), ("reserve", 30, made[1]), ("reserve", 30, made[0]),
        ("grant", 100, None),
    ]  # fmt: skip
    wrong = await client.get(f"{API}/account/ledger", params={"cursor": "x"})
    assert wrong.json()["errors"] == ["cursor: invalid; start again without a cursor"]
    assert Decimal(str((await data(await client.get(f"{API}/account/balance")))["balance"])) == 70
