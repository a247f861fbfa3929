"""Tasks, estimates, models, balance and uploads over HTTP."""

import copy
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import pytest

from bodydouble.api import Services
from bodydouble.store import LocalFileStore, PostgresTaskStore
from bodydouble.tasks.task import ResultCode, TaskId, TaskProgress, TaskResult, TaskStatus
from material import landscape, write_image, write_video

pytestmark = pytest.mark.anyio

API = "/api/v1/client"
MODEL = "wan/2-2-animate-replace"
WORKER = "one:/work"
BODY: dict[str, Any] = {
    "model": MODEL,
    "input": {
        "img_urls": ["https://example.com/portrait.jpg"],
        "video_urls": ["https://example.com/source-video.mp4"],
        "resolution": "480p",
    },
}


def body(**changes: Any) -> dict[str, Any]:
    """A good body with changed input fields; None takes a field away."""
    made = copy.deepcopy(BODY)
    made["input"] = {k: v for k, v in (made["input"] | changes).items() if v is not None}
    return made


async def create(client: httpx.AsyncClient, made: dict[str, Any]) -> httpx.Response:
    return await client.post(f"{API}/job/CreateTask", json=made)


async def balance(client: httpx.AsyncClient) -> float:
    return (await client.get(f"{API}/account/balance")).json()["data"]["balance"]


async def upload(client: httpx.AsyncClient, path: Path, content_type: str) -> str:
    """The official client's two steps; answers the file's address."""
    asked = {"content_type": content_type, "ext": path.suffix}
    signed = (await client.get(f"{API}/files/upload-url", params=asked)).json()["data"]
    put = await client.put(signed["presigned_url"], content=path.read_bytes(), headers={"Content-Type": content_type})
    assert put.status_code == 200, put.text
    return str(signed["file_url"])


async def test_a_task_goes_from_create_to_its_result(
    client: httpx.AsyncClient, store: PostgresTaskStore, files: LocalFileStore, tmp_path: Path
) -> None:
    """Upload, create, poll, download: the sequence of the official client, with the worker's part played here."""
    video = write_video(tmp_path / "in.mp4", landscape(40), 20)
    picture = write_image(tmp_path / "in.png", np.full((240, 240, 3), 120, np.uint8))
    inputs = {
        "img_urls": [await upload(client, picture, "image/png")],
        "video_urls": [await upload(client, video, "video/mp4")],
    }
    estimate = await client.post(f"{API}/job/estimate-credits", json=body(**inputs))
    assert estimate.json() == {"code": 200, "message": "success", "data": {"credits": 12, "estimated": False}}
    answer = await create(client, body(**inputs))
    assert answer.status_code == 200
    task_id = answer.json()["data"]["task_id"]
    assert UUID(task_id).version == 7

    waiting = (await client.get(f"{API}/job/TaskInfo", params={"task_id": task_id})).json()["data"]
    assert waiting == {
        "task_id": task_id, "provider": "Wan", "model_version": "2-2-animate-replace", "status": "pending",
        "param": body(**inputs), "create_at": waiting["create_at"], "complete_at": None, "duration_s": None,
        "credits": 12, "source": "api", "result": None, "progress": 0.0, "stage": "queued", "segment": None,
        "segments": None, "queue_position": 0,
    }  # fmt: skip
    assert isinstance(waiting["create_at"], int)

    known = TaskId(UUID(task_id))
    await store.start_task(known, WORKER)
    await store.set_progress(known, WORKER, TaskProgress(fraction=0.5, stage="render", segment=1, segments=2))
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
    """A failure shows its code and reason, and the credits are back."""
    task_id = (await create(client, BODY)).json()["data"]["task_id"]
    assert await balance(client) == 70
    reason = TaskResult(code=ResultCode.INVALID_INPUT, message="video_urls[0]: there is nobody in it")
    await store.settle(TaskId(UUID(task_id)), TaskStatus.FAILED, reason, None)
    failed = (await client.get(f"{API}/job/TaskInfo", params={"task_id": task_id})).json()["data"]
    assert (failed["status"], failed["credits"]) == ("failed", 0)
    assert failed["result"] == {"code": 422, "message": "video_urls[0]: there is nobody in it"}
    assert await balance(client) == 100


async def test_a_waiting_task_is_cancelled_at_once(client: httpx.AsyncClient) -> None:
    """Cancelling what nobody works on ends it, gives the credits back, and a second time does nothing."""
    task_id = (await create(client, BODY)).json()["data"]["task_id"]
    first = await client.post(f"{API}/job/CancelTask", params={"task_id": task_id})
    assert first.json()["data"] == {"task_id": task_id, "cancelling": True}
    second = await client.post(f"{API}/job/CancelTask", params={"task_id": task_id})
    assert second.json()["data"]["cancelling"] is False
    data = (await client.get(f"{API}/job/TaskInfo", params={"task_id": task_id})).json()["data"]
    assert (data["status"], data["result"]["code"], await balance(client)) == ("failed", 499, 100)


NO_PERSON = "person: must be an index by size (0 is the largest, 31 the last) or a point [x, y], each 0 to 1"
WRONG_INPUTS: list[tuple[dict[str, Any], str]] = [
    ({"resolution": "1080P"}, "resolution: Input should be '480P', '580P' or '720P'"),
    ({"resolution": 720}, "resolution: Input should be '480P', '580P' or '720P'"),
    ({"img_urls": None}, "img_urls: Field required"),
    ({"video_urls": None}, "video_urls: Field required"),
    ({"video_urls": ["https://example.com/a.mp4", "https://example.com/b.mp4"]},
     "video_urls: List should have at most 1 item after validation, not 2"),
    ({"img_urls": []}, "img_urls: List should have at least 1 item after validation, not 0"),
    ({"img_urls": "https://example.com/a.png"}, "img_urls: Input should be a valid list"),
    ({"img_urls": ["file:///etc/passwd"]}, "img_urls.0: must be an http or https URL, or a data URL"),
    ({"img_urls": ["https://"]}, "img_urls.0: must be an http or https URL, or a data URL"),
    ({"img_urls": ["http://[::1"]}, "img_urls.0: must be an http or https URL, or a data URL"),
    ({"colour": "blue"}, "colour: Unknown field"),
    ({"num_inference_steps": 1}, "num_inference_steps: Input should be greater than or equal to 2"),
    ({"num_inference_steps": 41}, "num_inference_steps: Input should be less than or equal to 40"),
    ({"seed": -1}, "seed: Input should be greater than or equal to 0"),
    ({"keep_audio": "perhaps"},
     "keep_audio: Input should be a valid boolean, unable to interpret input"),
    ({"renderer": "fast"}, "renderer: Input should be 'auto', 'wan' or 'puppet'"),
    ({"person": [0.5, 1.5]}, NO_PERSON),
    ({"person": True}, NO_PERSON),
    ({"person": "the left one"},
     NO_PERSON),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "problem"), WRONG_INPUTS)
async def test_a_wrong_input_is_named(client: httpx.AsyncClient, changes: dict[str, Any], problem: str) -> None:
    """Each wrong field is a 422 in the documented wording, and nothing is charged."""
    for path in ("CreateTask", "estimate-credits", "EstimateTask"):
        answer = await client.post(f"{API}/job/{path}", json=body(**changes))
        assert answer.status_code == 422
        assert answer.json() == {
            "code": 422,
            "message": "Missing Params or Type Error",
            "data": None,
            "errors": [f"Value error, Invalid input for model {MODEL}: {problem}"],
        }
    assert await balance(client) == 100


async def test_all_problems_are_told_at_once(client: httpx.AsyncClient) -> None:
    """Two wrong fields are two lines."""
    answer = await create(client, body(resolution="8K", shift="x"))
    assert len(answer.json()["errors"]) == 2


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "body: is no valid JSON"),
        (b"", "body: is no valid JSON"),
        (b'{"model": NaN}', "body: is no valid JSON"),
        (b"[" * 100_000, "body: is no valid JSON"),
        (b'{"model": "\\ud800", "input": {}}', "body: is no valid JSON"),
        (b'{"model": "a\\u0000", "input": {}}', "body: holds the character NUL"),
        (b"[]", "body: has to be a JSON object"),
        (b"{}", "model: Field required"),
        (b'{"model": "wan/9", "input": {}}', f"model: Unknown model 'wan/9'; there are: {MODEL}"),
        (b'{"model": "wan/9", "input": {}, "priority": 1}', "priority: Unknown field"),
        (b'{"model": "wan/9", "input": {}, "callback_url": "ftp://x"}',
         "callback_url: URL scheme should be 'http' or 'https'"),
    ],
)  # fmt: skip
async def test_a_wrong_body_is_told_what_is_wrong(client: httpx.AsyncClient, content: bytes, problem: str) -> None:
    """What is no body of a task is a 422 whose first line says why."""
    answer = await client.post(f"{API}/job/CreateTask", content=content)
    assert answer.status_code == 422
    assert answer.json()["message"] == "Missing Params or Type Error"
    assert answer.json()["errors"][0] == problem


async def test_a_body_beyond_the_limit_is_refused(client: httpx.AsyncClient) -> None:
    """A megabyte is enough for every request; the answer says where media go."""
    answer = await client.post(f"{API}/job/CreateTask", content=b'"' + b"x" * 1_100_000 + b'"')
    assert answer.status_code == 422
    assert answer.json()["errors"] == ["body: larger than 1 MB; upload media through upload-url"]


async def test_an_unusable_upload_is_refused_before_anything_is_charged(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    """A text file named .mp4, a truncated MP4, a tiny picture, an empty address: each a 422 that names the field."""
    good_video = write_video(tmp_path / "good.mp4", landscape(40), 20)
    (tmp_path / "text.mp4").write_text("this is no video")
    (tmp_path / "cut.mp4").write_bytes(good_video.read_bytes()[:2000])
    tiny = write_image(tmp_path / "tiny.png", np.zeros((10, 10, 3), np.uint8))
    for name, field in (("text.mp4", "video_urls"), ("cut.mp4", "video_urls")):
        answer = await create(client, body(video_urls=[await upload(client, tmp_path / name, "video/mp4")]))
        assert answer.status_code == 422, name
        assert answer.json()["errors"][0].startswith(f"Value error, Invalid input for model {MODEL}: {field}[0]")
    answer = await create(client, body(img_urls=[await upload(client, tiny, "image/png")]))
    assert answer.status_code == 422
    assert "img_urls[0]" in answer.json()["errors"][0]
    picture = await upload(client, write_image(tmp_path / "good.png", np.zeros((240, 240, 3), np.uint8)), "image/png")
    answer = await create(client, body(img_urls=[picture], video_urls=[picture]))
    assert answer.status_code == 422
    assert "video_urls[0]" in answer.json()["errors"][0]
    asked = {"content_type": "video/mp4", "ext": ".mp4"}
    signed = (await client.get(f"{API}/files/upload-url", params=asked)).json()["data"]
    answer = await create(client, body(video_urls=[signed["file_url"]]))
    assert answer.status_code == 422
    assert "nothing was uploaded to this address yet" in answer.json()["errors"][0]
    assert await balance(client) == 100


async def test_too_few_credits_are_402(client: httpx.AsyncClient) -> None:
    """A task beyond the balance names both amounts, and the estimate says so beforehand."""
    for _ in range(3):
        assert (await create(client, BODY)).status_code == 200
    estimate = (await client.post(f"{API}/job/EstimateTask", json=BODY)).json()["data"]
    assert estimate == {"estimated_credits": 30, "balance": 10, "affordable": False}
    answer = await create(client, BODY)
    assert answer.status_code == 402
    assert answer.json() == {
        "code": 402, "message": "Insufficient credits: 30 needed, 10 available", "data": None,
    }  # fmt: skip


@pytest.mark.parametrize("resolution", ["480P", "580P", "720P", None])
async def test_an_unseen_video_is_estimated_at_five_seconds(client: httpx.AsyncClient, resolution: str | None) -> None:
    """Addresses elsewhere are not fetched for an estimate; 720P is the default."""
    credits = {"480P": 30, "580P": 45, "720P": 62.5, None: 62.5}[resolution]
    answer = await client.post(f"{API}/job/estimate-credits", json=body(resolution=resolution))
    assert answer.json()["data"] == {"credits": credits, "estimated": True}


@pytest.mark.parametrize("task_id", ["0198d6b7-0000-7000-8000-000000000000", "nonsense", ""])
async def test_an_unknown_task_is_404(client: httpx.AsyncClient, task_id: str) -> None:
    """Unknown and malformed ids answer the same."""
    answer = await client.get(f"{API}/job/TaskInfo", params={"task_id": task_id})
    assert answer.status_code == 404
    assert answer.json() == {"code": 404, "message": "Task not found", "data": None}


async def test_a_foreign_task_is_404(client: httpx.AsyncClient, services: Services) -> None:
    """Another account's key sees no task, and cannot cancel it."""
    task_id = (await create(client, BODY)).json()["data"]["task_id"]
    other = await services.accounts.open_account("other")
    client.headers["x-api-key"] = (await services.accounts.create_key(other.id)).secret
    for answer in (
        await client.get(f"{API}/job/TaskInfo", params={"task_id": task_id}),
        await client.post(f"{API}/job/CancelTask", params={"task_id": task_id}),
    ):
        assert answer.json() == {"code": 404, "message": "Task not found", "data": None}


async def test_the_catalogue_lists_and_filters(client: httpx.AsyncClient) -> None:
    """Models can be filtered by modality and operation; each has what the official client reads."""
    listed = (await client.get(f"{API}/job/Models", params={"operation": "motion-control"})).json()["data"]
    assert listed["total"] == 1
    entry = listed["models"][0]
    assert entry["model"] == MODEL
    assert entry["price"] == {"480P": 6, "580P": 9, "720P": 12.5}
    assert {"provider", "model_type", "modality", "operations", "quality_tier", "speed_tier", "routing_priority"} <= (
        entry.keys()
    )
    empty = (await client.get(f"{API}/job/Models", params={"modality": "music"})).json()["data"]
    assert empty == {"total": 0, "models": []}


async def test_one_model_has_its_schema(client: httpx.AsyncClient) -> None:
    """The name holds a slash; the schema names the fields and the example is one that CreateTask takes."""
    data = (await client.get(f"{API}/job/Models/{MODEL}")).json()["data"]
    assert data["input_schema"]["required"] == ["img_urls", "video_urls"]
    assert data["input_schema"]["properties"]["resolution"]["enum"] == ["480P", "580P", "720P"]
    assert (await client.post(f"{API}/job/estimate-credits", json=data["example"])).status_code == 200
    unknown = await client.get(f"{API}/job/Models/wan/9")
    assert (unknown.status_code, unknown.json()["code"]) == (404, 404)


@pytest.mark.parametrize("kind", ["kling", "vidu", "bytedance"])
async def test_template_catalogues_are_empty_pages(client: httpx.AsyncClient, kind: str) -> None:
    """The official client's catalogue calls get an empty page."""
    answer = await client.get(f"{API}/job/{kind}-templates", params={"page": 2, "page_size": 10})
    assert answer.json()["data"] == {"total": 0, "page": 2, "page_size": 10, "items": []}


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"content_type": "video/mp4"}, "ext: Field required"),
        ({"content_type": "text/html", "ext": ".html"}, "ext: '.html' is not taken"),
        ({"content_type": "text/html", "ext": ".mp4"}, "content_type: 'text/html' does not go with ext '.mp4'"),
        ({"content_type": "video/mp4", "ext": "/../a"}, "ext: './../a' is not taken"),
    ],
)
async def test_an_upload_of_something_else_is_refused(
    client: httpx.AsyncClient, asked: dict[str, str], problem: str
) -> None:
    """Only pictures and videos have upload addresses."""
    answer = await client.get(f"{API}/files/upload-url", params=asked)
    assert answer.status_code == 422
    assert answer.json()["errors"][0].startswith(problem)
