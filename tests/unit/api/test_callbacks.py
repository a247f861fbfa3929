"""The callback log, and resending a callback, over HTTP."""

from uuid import UUID

import httpx
import pytest

from api_calls import API, BODY, WORKER, create
from bodydouble.store import Database, PostgresDeliveryStore, PostgresTaskStore
from bodydouble.tasks.delivery import DeliveryStatus, DeliveryTry, Outcome
from bodydouble.tasks.task import ResultCode, TaskId, TaskResult, TaskStatus

pytestmark = pytest.mark.anyio

URL = "https://receiver.example/hook"
OVER = TaskResult(code=ResultCode.GENERATION_FAILED, message="over")


async def test_a_callback_has_a_log_and_can_be_sent_again(
    client: httpx.AsyncClient, store: PostgresTaskStore, empty_database: str
) -> None:
    """The log is empty until the task ends, then has each try; a resent callback is due again with the same id."""
    task_id = (await create(client, BODY | {"callback_url": URL})).json()["data"]["task_id"]
    of_task = {"task_id": task_id}
    assert (await client.get(f"{API}/job/Callbacks", params=of_task)).json()["data"] == {"deliveries": []}
    early = await client.post(f"{API}/job/ResendCallback", params=of_task)
    assert early.json()["errors"] == ["task_id: this task has not ended; its callback is sent when it does."]
    await store.start_task(TaskId(UUID(task_id)), WORKER)
    await store.settle(TaskId(UUID(task_id)), TaskStatus.FAILED, OVER, WORKER)

    database = await Database.connect(empty_database, 1)
    deliveries = PostgresDeliveryStore(database)
    (delivery,) = await deliveries.claim_deliveries(10, 60)
    tried = DeliveryTry(http_status=410, error=None, milliseconds=12, outcome=Outcome.GONE)
    await deliveries.record_try(delivery.id, tried, None, DeliveryStatus.GONE)
    (told,) = (await client.get(f"{API}/job/Callbacks", params=of_task)).json()["data"]["deliveries"]
    assert told == {
        "id": str(delivery.id), "url": URL, "status": "gone", "tries": 1, "created_at": told["created_at"],
        "next_try_at": None, "delivered_at": None,
        "log": [{"at": told["log"][0]["at"], "http_status": 410, "error": None, "milliseconds": 12}],
    }  # fmt: skip
    again = await client.post(f"{API}/job/ResendCallback", params=of_task)
    assert again.json()["data"] == {"delivery_id": str(delivery.id)}
    assert [d.id for d in await deliveries.claim_deliveries(10, 60)] == [delivery.id]
    await database.close()


async def test_a_task_without_callback_has_nothing_to_send(client: httpx.AsyncClient) -> None:
    """Resending is 404, and so is the log of an unknown task."""
    task_id = (await create(client, BODY)).json()["data"]["task_id"]
    answer = await client.post(f"{API}/job/ResendCallback", params={"task_id": task_id})
    assert (answer.status_code, answer.json()["message"]) == (404, "This task has no callback_url")
    for method, path in (("GET", "Callbacks"), ("POST", "ResendCallback")):
        unknown = await client.request(method, f"{API}/job/{path}", params={"task_id": "nonsense"})
        assert unknown.json()["message"] == "Task not found"


@pytest.mark.parametrize("url", ["https://user:secret@receiver.example/", "http://user@receiver.example/"])
async def test_a_callback_address_holds_no_credentials(client: httpx.AsyncClient, url: str) -> None:
    """Credentials would be stored and shown; receivers verify the signature instead."""
    answer = await create(client, BODY | {"callback_url": url})
    assert answer.json()["errors"] == ["callback_url: must not hold a user name or password"]


@pytest.mark.parametrize(
    "url", ["http://localhost:3000/hook", "http://2852039166/hook", "http://[::ffff:10.0.0.1]/hook"]
)
async def test_a_callback_to_the_inside_is_refused_at_once(client: httpx.AsyncClient, url: str) -> None:
    """The create request is a 422 with field, reason and setting, and reserves nothing."""
    before = (await client.get(f"{API}/account/balance")).json()["data"]
    answer = await create(client, BODY | {"callback_url": url})
    assert answer.status_code == 422
    assert answer.json()["errors"][0].startswith("callback_url: the host ")
    assert "BODYDOUBLE_OUTBOUND_ALLOW" in answer.json()["errors"][0]
    assert (await client.get(f"{API}/account/balance")).json()["data"] == before
    stranger = await client.post(
        f"{API}/job/CreateTask", json=BODY | {"callback_url": url}, headers={"x-api-key": "no"}
    )
    assert stranger.status_code == 401
