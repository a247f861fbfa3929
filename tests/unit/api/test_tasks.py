"""Reading, listing, cancelling and deleting tasks over HTTP."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import pytest

from api_calls import API, BODY, MODEL, WORKER, balance, body, create, upload
from bodydouble.service import Services
from bodydouble.store import LocalFileStore, PostgresTaskStore
from bodydouble.tasks.errors import Cancelled, StorageUnavailable
from bodydouble.tasks.stages import Stage
from bodydouble.tasks.task import ResultCode, StageTime, TaskId, TaskProgress, TaskResult, TaskStatus
from bodydouble.worker.failure import TaskFailure
from material import landscape, write_image, write_video

pytestmark = pytest.mark.anyio


async def test_a_task_goes_from_create_to_its_result(
    client: httpx.AsyncClient, store: PostgresTaskStore, files: LocalFileStore, tmp_path: Path
) -> None:
    """The sequence of the official client works: upload, create, poll, download; the test acts as the worker."""
    video = write_video(tmp_path / "in.mp4", landscape(40), 20)
    picture = write_image(tmp_path / "in.png", np.full((240, 240, 3), 120, np.uint8))
    inputs = {
        "img_urls": [await upload(client, picture, "image/png")],
        "video_urls": [await upload(client, video, "video/mp4")],
    }
    estimate = await client.post(f"{API}/job/estimate-credits", json=body(**inputs))
    price = {"credits": 12, "estimated": False, "resolution": "480P"}
    assert estimate.json() == {"code": 200, "message": "success", "data": price}
    answer = await create(client, body(**inputs))
    assert answer.status_code == 200
    task_id = answer.json()["data"]["task_id"]
    assert UUID(task_id).version == 7

    waiting = (await client.get(f"{API}/job/TaskInfo", params={"task_id": task_id})).json()["data"]
    assert waiting == {
        "task_id": task_id, "provider": "Wan", "model_version": "2-2-animate-replace", "status": "pending",
        "param": body(**inputs), "create_at": waiting["create_at"], "complete_at": None, "duration_s": None,
        "credits": 12, "source": "api", "result": None, "progress": 0.0, "stage": "queued", "segment": None,
        "segments": None, "queue_position": 0, "preview_url": None, "preview_video_url": None, "expires_at": None,
        "stages": [], "deadline": waiting["create_at"] + 24 * 3600,
    }  # fmt: skip
    assert isinstance(waiting["create_at"], int)

    known = TaskId(UUID(task_id))
    await store.start_task(known, WORKER)
    await store.set_progress(known, WORKER, TaskProgress(fraction=0.5, stage=Stage.RENDER, segment=1, segments=2))
    running = (await client.get(f"{API}/job/TaskInfo", params={"task_id": task_id})).json()["data"]
    assert (running["status"], running["progress"], running["stage"]) == ("running", 0.5, "render")

    key = f"results/1/{task_id}/out.mp4"
    await files.put_file(key, video, "video/mp4")
    result = TaskResult(
        code=ResultCode.SUCCESS, message="success", media_keys=(key,), media_info={"renderer": "puppet", "fps": 20.0}
    )
    await store.settle(known, TaskStatus.SUCCESS, result, WORKER)
    done = (await client.get(f"{API}/job/TaskInfo", params={"task_id": task_id})).json()["data"]
    assert (done["status"], done["credits"], done["result"]["code"]) == ("success", 12, 200)
    assert done["result"]["media_info"]["renderer"] == "puppet"
    assert isinstance(done["complete_at"], int)
    assert isinstance(done["duration_s"], int)
    assert await balance(client) == 88

    del client.headers["x-api-key"]
    file = await client.get(done["result"]["media_urls"][0])
    assert (file.status_code, file.headers["content-type"]) == (200, "video/mp4")
    assert file.content == video.read_bytes()


async def test_a_failed_task_says_why_and_costs_nothing(client: httpx.AsyncClient, store: PostgresTaskStore) -> None:
    """A failed task has code and reason, and its credits are released."""
    task_id = (await create(client, BODY)).json()["data"]["task_id"]
    assert await balance(client) == 70
    reason = TaskResult(code=ResultCode.INVALID_INPUT, message="video_urls[0]: there is nobody in it")
    await store.settle(TaskId(UUID(task_id)), TaskStatus.FAILED, reason, None)
    failed = (await client.get(f"{API}/job/TaskInfo", params={"task_id": task_id})).json()["data"]
    assert (failed["status"], failed["credits"]) == ("failed", 0)
    assert failed["result"] == {"code": 422, "message": "video_urls[0]: there is nobody in it"}
    assert await balance(client) == 100


async def test_a_waiting_task_is_cancelled_at_once(client: httpx.AsyncClient) -> None:
    """Cancelling what nobody works on ends it in the words for one under way, gives the credits back, and a second time
    does nothing."""
    task_id = (await create(client, BODY)).json()["data"]["task_id"]
    first = await client.post(f"{API}/job/CancelTask", params={"task_id": task_id})
    assert first.json()["data"] == {"task_id": task_id, "cancelling": True}
    second = await client.post(f"{API}/job/CancelTask", params={"task_id": task_id})
    assert second.json()["data"]["cancelling"] is False
    data = (await client.get(f"{API}/job/TaskInfo", params={"task_id": task_id})).json()["data"]
    assert (data["status"], data["result"]["code"], await balance(client)) == ("failed", 499, 100)
    assert data["result"]["message"] == TaskFailure.of(Cancelled("asked")).message


@pytest.mark.parametrize("task_id", ["0198d6b7-0000-7000-8000-000000000000", "nonsense", ""])
async def test_an_unknown_task_is_404(client: httpx.AsyncClient, task_id: str) -> None:
    """Unknown and malformed ids get the same response."""
    answer = await client.get(f"{API}/job/TaskInfo", params={"task_id": task_id})
    assert answer.status_code == 404
    assert answer.json() == {"code": 404, "message": "Task not found", "data": None}


async def test_a_foreign_task_is_404(client: httpx.AsyncClient, services: Services) -> None:
    """The key of another account can neither read nor cancel a task."""
    task_id = (await create(client, BODY)).json()["data"]["task_id"]
    other = await services.accounts.open_account("other")
    client.headers["x-api-key"] = (await services.accounts.create_key(other.id)).secret
    for answer in (
        await client.get(f"{API}/job/TaskInfo", params={"task_id": task_id}),
        await client.post(f"{API}/job/CancelTask", params={"task_id": task_id}),
    ):
        assert answer.json() == {"code": 404, "message": "Task not found", "data": None}


async def task_ids(client: httpx.AsyncClient, **wanted: Any) -> list[str]:
    answer = await client.get(f"{API}/job/Tasks", params=wanted)
    assert answer.status_code == 200, answer.text
    return [task["task_id"] for task in answer.json()["data"]["tasks"]]


async def test_a_page_is_limited_in_size(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page ends before a task that would make it too large; the cursor leads to that task."""
    monkeypatch.setattr("bodydouble.service.tasks.PAGE_BYTES_MAX", 2500)
    made = [(await create(client, body(prompt="a" * 1000))).json()["data"]["task_id"] for _ in range(3)]
    first = (await client.get(f"{API}/job/Tasks")).json()["data"]
    assert [task["task_id"] for task in first["tasks"]] == made[:0:-1]
    second = (await client.get(f"{API}/job/Tasks", params={"cursor": first["next_cursor"]})).json()["data"]
    assert [task["task_id"] for task in second["tasks"]] == made[:1]
    assert second["next_cursor"] is None


async def test_a_list_is_paged_newest_first(client: httpx.AsyncClient) -> None:
    """Following next_cursor to the last page returns every task once."""
    made = [(await create(client, BODY)).json()["data"]["task_id"] for _ in range(3)]
    found, cursor = list[str](), None
    for expected in (2, 1):
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(f"{API}/job/Tasks", params=params)).json()["data"]
        assert len(page["tasks"]) == expected
        found += [task["task_id"] for task in page["tasks"]]
        cursor = page["next_cursor"]
    assert cursor is None
    assert found == made[::-1]


async def test_a_list_can_be_filtered(client: httpx.AsyncClient, services: Services) -> None:
    """Tasks are filtered by status, model, source and time; tasks of other accounts are never listed."""
    made = (await create(client, BODY)).json()["data"]["task_id"]
    for wanted, found in (
        ({"status": "pending"}, [made]),
        ({"status": "success"}, []),
        ({"model": MODEL}, [made]),
        ({"model": "wan/9"}, []),
        ({"source": "playground"}, []),
        ({"created_after": 0, "created_before": 253_402_300_799}, [made]),
        ({"created_before": 1}, []),
    ):
        assert await task_ids(client, **wanted) == found, wanted
    other = await services.accounts.open_account("other")
    client.headers["x-api-key"] = (await services.accounts.create_key(other.id)).secret
    assert await task_ids(client) == []


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ({"cursor": "me"}, "cursor: invalid; start again without a cursor"),
        ({"limit": 0}, "limit: must be at least 1"),
        ({"limit": 101}, "limit: must be at most 100"),
        ({"status": "lost"}, "status: Input should be 'pending', 'running', 'success' or 'failed'"),
        ({"created_after": -1}, "created_after: must be at least 0"),
    ],
)
async def test_a_wrong_filter_is_named(client: httpx.AsyncClient, wanted: dict[str, Any], problem: str) -> None:
    """Each is a 422 that names the valid values."""
    answer = await client.get(f"{API}/job/Tasks", params=wanted)
    assert (answer.status_code, answer.json()["errors"]) == (422, [problem])


async def test_a_deleted_task_is_gone_with_its_media(
    client: httpx.AsyncClient, store: PostgresTaskStore, files: LocalFileStore, tmp_path: Path
) -> None:
    """A running task cannot be deleted; deleting an ended one removes task and file but keeps its ledger entries."""
    task_id = (await create(client, BODY)).json()["data"]["task_id"]
    known, key = TaskId(UUID(task_id)), f"results/1/{task_id}/out.mp4"
    early = await client.post(f"{API}/job/DeleteTask", params={"task_id": task_id})
    assert early.status_code == 422
    assert early.json()["errors"] == ["task_id: this task has not ended; cancel it first, then delete it."]
    (tmp_path / "out.mp4").write_bytes(b"video")
    await files.put_file(key, tmp_path / "out.mp4", "video/mp4")
    await store.start_task(known, WORKER)
    done = TaskResult(code=ResultCode.SUCCESS, message="success", media_keys=(key,))
    await store.settle(known, TaskStatus.SUCCESS, done, WORKER)
    answer = await client.post(f"{API}/job/DeleteTask", params={"task_id": task_id})
    assert answer.json()["data"] == {"task_id": task_id, "deleted": True}
    assert await files.stat(key) is None
    assert (await client.get(f"{API}/job/TaskInfo", params={"task_id": task_id})).status_code == 404
    assert (await client.post(f"{API}/job/DeleteTask", params={"task_id": task_id})).status_code == 404
    assert await balance(client) == 70


async def test_an_unchanged_task_is_304(client: httpx.AsyncClient, store: PostgresTaskStore) -> None:
    """With the ETag of the last response, a body is sent only after a change."""
    task_id = (await create(client, BODY)).json()["data"]["task_id"]
    first = await client.get(f"{API}/job/TaskInfo", params={"task_id": task_id})
    tag = {"if-none-match": first.headers["etag"]}
    same = await client.get(f"{API}/job/TaskInfo", params={"task_id": task_id}, headers=tag)
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", first.headers["etag"])
    await store.start_task(TaskId(UUID(task_id)), WORKER)
    changed = await client.get(f"{API}/job/TaskInfo", params={"task_id": task_id}, headers=tag)
    assert (changed.status_code, changed.json()["data"]["status"]) == (200, "running")


async def test_a_task_has_a_timeline(client: httpx.AsyncClient, store: PostgresTaskStore) -> None:
    """TaskInfo has the duration of each stage, in order."""
    task_id = (await create(client, BODY)).json()["data"]["task_id"]
    known, began = TaskId(UUID(task_id)), datetime(2026, 1, 1, tzinfo=UTC)
    await store.start_task(known, WORKER)
    await store.add_stage_time(
        known, StageTime(stage=Stage.PERCEIVE, started_at=began + timedelta(seconds=2), seconds=3.5)
    )
    await store.add_stage_time(known, StageTime(stage=Stage.FETCH, started_at=began, seconds=2))
    data = (await client.get(f"{API}/job/TaskInfo", params={"task_id": task_id})).json()["data"]
    assert [stage["stage"] for stage in data["stages"]] == ["fetch", "perceive", "queued"]
    assert data["stages"][:2] == [
        {"stage": "fetch", "started_at": began.timestamp(), "seconds": 2.0},
        {"stage": "perceive", "started_at": began.timestamp() + 2, "seconds": 3.5},
    ]


async def test_task_info_is_held_while_the_database_is_away(
    client: httpx.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """crun's client gives up after three errors within 3 s; an outage beyond the limit is the error, not a wait."""
    monkeypatch.setattr("bodydouble.api.outages.RETRY_SECONDS", 0.01)
    task_id = (await create(client, BODY)).json()["data"]["task_id"]
    read, outages = services.tasks.read_with_key, [StorageUnavailable("away")] * 3

    async def fail_at_first(*arguments: Any) -> Any:
        if outages:
            raise outages.pop()
        return await read(*arguments)

    monkeypatch.setattr(services.tasks, "read_with_key", fail_at_first)
    answer = await client.get(f"{API}/job/TaskInfo", params={"task_id": task_id})
    assert (answer.status_code, outages) == (200, [])
    monkeypatch.setattr("bodydouble.api.outages.HOLD_SECONDS_MAX", 0.05)
    outages += [StorageUnavailable("away")] * 1000
    answer = await client.get(f"{API}/job/TaskInfo", params={"task_id": task_id})
    assert (answer.status_code, answer.headers["retry-after"]) == (500, "2")
