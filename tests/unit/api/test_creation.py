"""Uploads, estimates and CreateTask over HTTP."""

import base64
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI

from api_calls import API, BODY, MODEL, balance, body, create, upload
from bodydouble.api.crun import creation
from bodydouble.bootstrap.application import build_app
from bodydouble.service import Services
from bodydouble.settings import Settings
from bodydouble.tasks.account import Account, Scope
from bodydouble.tasks.catalogue import CATALOGUE
from material import landscape, write_image, write_video

pytestmark = pytest.mark.anyio

NO_PERSON = "person: must be an index by size (0 is the largest, 31 the last) or a point [x, y], each 0 to 1"
WRONG_INPUTS: list[tuple[dict[str, Any], str]] = [
    ({"resolution": "1080P"}, "resolution: Input should be '480P', '580P' or '720P'"),
    ({"resolution": 720}, "resolution: Input should be '480P', '580P' or '720P'"),
    ({"img_urls": None}, "img_urls: Field required"),
    ({"video_urls": None}, "video_urls: Field required"),
    ({"video_urls": ["https://example.com/a.mp4", "https://example.com/b.mp4"]},
     "video_urls: must have at most 1 item, not 2"),
    ({"img_urls": []}, "img_urls: must have at least 1 item, not 0"),
    ({"img_urls": "https://example.com/a.png"}, "img_urls: must be a list"),
    ({"img_urls": ["file:///etc/passwd"]}, "img_urls[0]: must be an http or https URL, or a data URL"),
    ({"img_urls": ["https://"]}, "img_urls[0]: must be an http or https URL, or a data URL"),
    ({"video_urls": ["https://me:word@a.example/v.mp4"]},
     "video_urls[0]: must not hold a user name or password; give a signed URL, or upload the file"),
    ({"img_urls": ["http://[::1"]}, "img_urls[0]: must be an http or https URL, or a data URL"),
    ({"colour": "blue"}, "colour: Unknown field"),
    ({"num_inference_steps": 1}, "num_inference_steps: must be at least 2"),
    ({"num_inference_steps": 41}, "num_inference_steps: must be at most 40"),
    ({"seed": -1}, "seed: must be at least 0"),
    ({"seed": True}, "seed: must be a number, not true or false"),
    ({"shift": False}, "shift: must be a number, not true or false"),
    ({"keep_audio": "perhaps"},
     "keep_audio: must be true or false"),
    ({"renderer": "fast"}, "renderer: Input should be 'auto', 'wan' or 'puppet'"),
    ({"person": [0.5, 1.5]}, NO_PERSON),
    ({"person": True}, NO_PERSON),
    ({"person": [True, False]}, NO_PERSON),
    ({"person": [0.5, True]}, NO_PERSON),
    ({"img_urls": ["https://example.com/" + "a" * 8192]},
     "img_urls[0]: must have at most 8192 bytes; only a data URL may be longer"),
    ({"img_urls": ["https://example.com/a\nb"]}, "img_urls[0]: must be an http or https URL, or a data URL"),
    ({"img_urls": [f"https://{'a' * 64}.example/a.png"]},
     "img_urls[0]: has an invalid host name: at most 63 characters between two dots, 253 in all"),
    ({"video_urls": [f"https://{'a.' * 130}example/a.mp4"]},
     "video_urls[0]: has an invalid host name: at most 63 characters between two dots, 253 in all"),
    ({"x" * 200: 1}, "x" * 100 + ": Unknown field"),
    ({"person": "the left one"},
     NO_PERSON),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "problem"), WRONG_INPUTS)
async def test_a_wrong_input_is_named(client: httpx.AsyncClient, changes: dict[str, Any], problem: str) -> None:
    """Each invalid field is a 422 in the documented wording, and nothing is charged."""
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
    """Two invalid fields are two lines."""
    answer = await create(client, body(resolution="8K", shift="x"))
    assert len(answer.json()["errors"]) == 2


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "body: is not valid JSON"),
        (b"", "body: is not valid JSON"),
        (b'{"model": NaN}', "body: is not valid JSON"),
        (b"[" * 100_000, "body: is not valid JSON"),
        (b'{"model": "\\ud800", "input": {}}', "body: is not valid JSON"),
        (b'{"model": "a\\u0000", "input": {}}', "body: contains the character NUL"),
        (b"[]", "body: must be a JSON object"),
        (b"{}", "model: Field required"),
        (b'{"model": "wan/9", "input": {}}', f"model: Unknown model 'wan/9'; there are: {', '.join(CATALOGUE)}"),
        (b'{"model": "wan/9", "input": {}, "priority": 1}', "priority: Unknown field"),
        (b'{"model": "wan/9", "input": {}, "callback_url": "ftp://x"}',
         "callback_url: must be an http or https URL"),
    ],
)  # fmt: skip
async def test_a_wrong_body_is_told_what_is_wrong(client: httpx.AsyncClient, content: bytes, problem: str) -> None:
    """An invalid body is a 422 whose first line has the reason."""
    answer = await client.post(f"{API}/job/CreateTask", content=content)
    assert answer.status_code == 422
    assert answer.json()["message"] == "Missing Params or Type Error"
    assert answer.json()["errors"][0] == problem


async def test_a_body_of_many_fields_is_refused_before_validation(client: httpx.AsyncClient) -> None:
    """More than 200 fields, or 128 kB of JSON beside the files, are one problem; 150 wrong ones 51 short lines."""
    many = body() | {f"field{n}": 1 for n in range(300)}
    large = body(prompt="x" * 140_000)
    for path in ("CreateTask", "estimate-credits", "EstimateTask"):
        for sent, problem in (
            (many, "body: has more than 200 fields and list items"),
            (large, "body: the JSON without files is larger than 128 kB"),
        ):
            answer = await client.post(f"{API}/job/{path}", json=sent)
            assert (answer.status_code, answer.json()["errors"]) == (422, [problem]), path
    errors = (await create(client, body(**{f"{n}" * 80: 1 for n in range(100, 250)}))).json()["errors"]
    assert len(errors) == 51
    assert errors[-1] == f"Value error, Invalid input for model {MODEL}: 100 more problems"
    assert max(len(line) for line in errors) < 250


async def test_a_backslash_before_u0000_is_text(client: httpx.AsyncClient) -> None:
    """Only the character NUL is refused, not the six characters that JSON writes it with."""
    assert (await create(client, body(prompt="a \\u0000 b"))).status_code == 200


async def test_a_body_beyond_the_limit_is_refused(client: httpx.AsyncClient) -> None:
    """The limit is 1 MB, and 14.3 MB for bodies with files; the message names upload-url."""
    answer = await client.post(f"{API}/account/keys", content=b'"' + b"x" * 1_100_000 + b'"')
    assert answer.status_code == 422
    assert answer.json()["errors"] == ["body: larger than 1 MB; upload files first and send their addresses"]
    answer = await client.post(f"{API}/job/CreateTask", content=b'"' + b"x" * 15_000_000 + b'"')
    assert answer.json()["errors"] == ["body: larger than 14.3 MB; upload files first and send their addresses"]


def data_url(path: Path, content_type: str) -> str:
    return f"data:{content_type};base64,{base64.b64encode(path.read_bytes()).decode()}"


async def test_files_may_come_within_the_request(client: httpx.AsyncClient, tmp_path: Path) -> None:
    """Data URLs become uploads: estimate and price are exact, and no response contains the file."""
    video = write_video(tmp_path / "in.mp4", landscape(40), 20)
    picture = write_image(tmp_path / "in.png", np.full((240, 240, 3), 120, np.uint8))
    inline = body(img_urls=[data_url(picture, "image/png")], video_urls=[data_url(video, "video/mp4")])
    estimate = await client.post(f"{API}/job/estimate-credits", json=inline)
    assert estimate.json()["data"] == {"credits": 12, "estimated": False, "resolution": "480P"}
    task_id = (await create(client, inline)).json()["data"]["task_id"]
    info = await client.get(f"{API}/job/TaskInfo", params={"task_id": task_id})
    task = info.json()["data"]
    assert (task["credits"], await balance(client)) == (12, 88)
    assert len(info.content) < 2000
    assert (await client.get(task["param"]["input"]["img_urls"][0])).content == picture.read_bytes()
    assert (await client.get(task["param"]["input"]["video_urls"][0])).content == video.read_bytes()


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("data:image/png,hello", "img_urls[0]: a data URL must be base64-encoded."),
        ("data:image/png;base64,%%%", "img_urls[0]: the data URL is not valid base64."),
        ("data:text/html;base64,aGVsbG8=", "img_urls[0]: a data URL of type 'text/html' is not accepted; use "),
        (
            "data:image/png;base64," + "A" * 6_800_000,
            "img_urls[0]: a data URL may hold at most 5 MB; upload larger files ",
        ),
        ("data:image/png;base64,aGVsbG8=", "img_urls[0]: "),
    ],
)
async def test_a_wrong_file_within_the_request_is_named(client: httpx.AsyncClient, url: str, problem: str) -> None:
    """Estimate and create request are a 422 that names model and field, and nothing is charged."""
    estimate = await client.post(f"{API}/job/EstimateTask", json=body(img_urls=[url]))
    for answer in (estimate, await create(client, body(img_urls=[url]))):
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0].startswith(f"Value error, Invalid input for model {MODEL}: {problem}")
    assert await balance(client) == 100


async def test_prices_are_a_setting(settings: Settings, empty_database: str, client: httpx.AsyncClient) -> None:
    """Catalogue, estimate and create request use the configured price; other prices are unchanged."""
    app = build_app(settings.model_copy(update={"credits_per_second": {"480P": Decimal("0.25")}}), empty_database)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=client.base_url, headers=client.headers) as priced:
            model = (await priced.get(f"{API}/job/Models/{MODEL}")).json()["data"]
            assert model["price"] == {"480P": 0.25, "580P": 9, "720P": 12.5}
            estimate = await priced.post(f"{API}/job/estimate-credits", json=BODY)
            assert estimate.json()["data"] == {"credits": 1.25, "estimated": True, "resolution": "480P"}
            await create(priced, BODY)
            assert await balance(priced) == 98.75


async def test_an_unusable_upload_is_refused_before_anything_is_charged(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    """A text file, a truncated MP4, a tiny picture and a missing upload are each a 422 that names the field."""
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


async def test_a_strangers_files_are_not_looked_at(client: httpx.AsyncClient, tmp_path: Path) -> None:
    """Without a valid key, a request that names an upload is 401, whatever the file contains."""
    (tmp_path / "text.mp4").write_text("this is no video")
    address = await upload(client, tmp_path / "text.mp4", "video/mp4")
    stranger = {"x-api-key": f"ak_{'0' * 32}"}
    answer = await client.post(f"{API}/job/CreateTask", json=body(video_urls=[address]), headers=stranger)
    assert (answer.status_code, answer.json()["code"]) == (401, 401)


async def test_too_few_credits_are_402(client: httpx.AsyncClient) -> None:
    """The message has price and balance; the estimate already reports that the balance is too low."""
    for _ in range(3):
        assert (await create(client, BODY)).status_code == 200
    estimate = (await client.post(f"{API}/job/EstimateTask", json=BODY)).json()["data"]
    assert estimate == {"estimated_credits": 30, "balance": 10, "affordable": False, "resolution": "480P"}
    answer = await create(client, BODY)
    assert answer.status_code == 402
    assert answer.json() == {
        "code": 402, "message": "Insufficient credits: 30 needed, 10 available", "data": None,
    }  # fmt: skip


@pytest.mark.parametrize("resolution", ["480P", "580P", "720P", None])
async def test_an_unseen_video_is_estimated_at_five_seconds(client: httpx.AsyncClient, resolution: str | None) -> None:
    """Foreign URLs are not fetched for an estimate; 720P is the default."""
    credits = {"480P": 30, "580P": 45, "720P": 62.5, None: 62.5}[resolution]
    answer = await client.post(f"{API}/job/estimate-credits", json=body(resolution=resolution))
    assert answer.json()["data"] == {"credits": credits, "estimated": True, "resolution": resolution or "720P"}


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"content_type": "video/mp4"}, "ext: Field required"),
        ({"content_type": "text/html", "ext": ".html"}, "ext: '.html' is not accepted"),
        ({"content_type": "text/html", "ext": ".mp4"}, "content_type: 'text/html' does not match ext '.mp4'"),
        ({"content_type": "video/mp4", "ext": "/../a"}, "ext: './../a' is not accepted"),
    ],
)
async def test_an_upload_of_something_else_is_refused(
    client: httpx.AsyncClient, asked: dict[str, str], problem: str
) -> None:
    """Upload URLs are issued only for pictures and videos."""
    answer = await client.get(f"{API}/files/upload-url", params=asked)
    assert answer.status_code == 422
    assert answer.json()["errors"][0].startswith(problem)


async def test_a_body_without_a_valid_key_is_not_parsed(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However small it is; a key that was valid a moment ago needs no look-up before the body is parsed."""
    parsed: list[object] = []
    read = creation.parse_submission
    monkeypatch.setattr(creation, "parse_submission", lambda document: (parsed.append(document), read(document))[1])
    for key in ("", "ak_" + "0" * 32):
        answer = await client.post(f"{API}/job/CreateTask", json=BODY, headers={"x-api-key": key})
        assert (answer.status_code, parsed) == (401, [])
    for _ in range(2):
        assert (await create(client, BODY)).status_code == 200
    assert len(parsed) == 2


async def test_a_large_body_of_a_key_that_may_only_read_is_refused_unread(
    client: httpx.AsyncClient, services: Services, account: Account
) -> None:
    """Large bodies take memory; only a few are read at a time, and this one in vain."""
    key = (await services.accounts.create_key(account.id, scope=Scope.READ)).secret
    content = b"[" * 100_000  # no JSON, which would be a 422
    answer = await client.post(f"{API}/job/CreateTask", content=content, headers={"x-api-key": key})
    assert answer.status_code == 403


async def test_an_installation_can_require_consent(
    client: httpx.AsyncClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it 422 and nothing is created; with it the task keeps the text."""
    monkeypatch.setattr(app.state.services.tasks, "_consent_required", True)
    inputs = {"img_urls": ["https://example.com/a.png"], "video_urls": ["https://example.com/a.mp4"]}
    body: dict[str, Any] = {"model": "wan/2-2-animate-replace", "input": inputs}
    refused = await client.post("/api/v1/client/job/CreateTask", json=body)
    assert (refused.status_code, "consent" in refused.json()["errors"][0]) == (422, True)
    made = await client.post("/api/v1/client/job/CreateTask", json=body | {"input": inputs | {"consent": "release 17"}})
    task_id = made.json()["data"]["task_id"]
    task = (await client.get("/api/v1/client/job/TaskInfo", params={"task_id": task_id})).json()["data"]
    assert task["param"]["input"]["consent"] == "release 17"
