"""kie.ai's API against a running service. It has no SDK: requests are those of its documentation."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import httpx
import pytest

from live_service import TASK_SECONDS_MAX, LiveService
from sdk_service import NO_KEY, SdkService, callback_receiver, open_for_sdk

pytestmark = pytest.mark.acceptance
UNKNOWN = "019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d"
ELSEWHERE = {"image_url": "https://example.com/a.png", "video_url": "https://example.com/v.mp4"}


@pytest.fixture(scope="module")
def service(service_for_sdks: LiveService, tmp_path_factory: pytest.TempPathFactory) -> SdkService:
    """The service, with accounts of this module."""
    return open_for_sdk(service_for_sdks, "kie", tmp_path_factory.mktemp("files"))


def _call(service: SdkService, method: str, path: str, key: str = "", **arguments: Any) -> Any:
    headers = {"authorization": f"Bearer {key or service.key}"}
    url = f"{service.live.url}/kie/api/{path}"
    return httpx.request(method, url, headers=headers, timeout=120, **arguments).json()


def _create(service: SdkService, key: str = "", callback: str | None = None, **inputs: Any) -> Any:
    body: dict[str, Any] = {"model": "wan/2-2-animate-replace", "input": {**ELSEWHERE, **inputs}}
    return _call(
        service, "POST", "v1/jobs/createTask", key, json=body | ({"callBackUrl": callback} if callback else {})
    )


def _record(service: SdkService, task_id: str) -> Any:
    """The record of the ended task."""
    deadline = time.monotonic() + TASK_SECONDS_MAX
    while time.monotonic() < deadline:
        record = _call(service, "GET", "v1/jobs/recordInfo", params={"taskId": task_id})["data"]
        if record["state"] in ("success", "fail"):
            return record
        time.sleep(0.2)
    raise AssertionError(f"not over: {record}")  # pyright: ignore[reportPossiblyUnboundVariable]


def _callback_is_genuine(body: bytes, headers: dict[str, str], secret: str) -> bool:
    """The steps of the vendor's page on the verification of callbacks."""
    message = f"{json.loads(body)['data']['task_id']}.{headers['x-webhook-timestamp']}"
    expected = base64.b64encode(hmac.new(secret.encode(), message.encode(), hashlib.sha256).digest()).decode()
    return hmac.compare_digest(expected, headers["x-webhook-signature"])


def test_upload_create_follow_and_callback(service: SdkService) -> None:
    """Files uploaded in both ways give a video. The callback has its record and the vendor's signature."""
    picture = base64.b64encode(service.files.image.read_bytes()).decode()
    body = {"base64Data": f"data:image/png;base64,{picture}", "uploadPath": "images", "fileName": "a.png"}
    image = _call(service, "POST", "file-base64-upload", json=body)
    assert (image["success"], image["code"], image["data"]["mimeType"]) == (True, 200, "image/png")
    with service.files.video.open("rb") as stream:
        video = _call(
            service,
            "POST",
            "file-stream-upload",
            data={"uploadPath": "videos", "fileName": "clip.mp4"},
            files={"file": ("blob.bin", stream, "video/mp4")},
        )["data"]
    assert (video["fileName"], video["fileSize"]) == ("clip.mp4", service.files.video.stat().st_size)
    with callback_receiver() as receiver:
        inputs = {"image_url": image["data"]["downloadUrl"], "video_url": video["downloadUrl"], "resolution": "480p"}
        created = _create(service, callback=receiver.url, **inputs)
        record = _record(service, created["data"]["taskId"])
        called, headers = receiver.first()
    secret = service.live.call("GET", "account/webhook-secret")["data"]["secret"]
    assert _callback_is_genuine(called, headers, secret)
    told = json.loads(called)
    assert (told["code"], told["data"]["state"]) == (200, "success")
    (url,) = json.loads(record["resultJson"])["resultUrls"]
    assert httpx.get(url, timeout=60).content[4:8] == b"ftyp"
    assert json.loads(record["param"])["input"]["resolution"] == "480p"
    again = _call(service, "POST", "v1/common/download-url", json={"url": url})["data"]
    assert httpx.get(again, timeout=60).content[4:8] == b"ftyp"


def test_failure_names_the_field(service: SdkService) -> None:
    """A failed task has a code and a message."""
    image, video = service.live.upload(service.files.image), service.live.upload(service.files.nobody)
    record = _record(service, _create(service, image_url=image, video_url=video)["data"]["taskId"])
    assert (record["state"], record["failCode"], record["resultJson"]) == ("fail", "422", "")
    assert record["failMsg"].startswith("input.video_url: ")


def test_errors_have_the_vendors_codes(service: SdkService) -> None:
    """A wrong key, a balance of zero, the rate limit, an unknown id, and inputs that are not served."""
    assert _create(service, NO_KEY)["code"] == 401
    assert _create(service, service.poor)["code"] == 402
    assert [_create(service, service.slow)["code"] for _ in range(2)] == [200, 429]
    assert _call(service, "GET", "v1/jobs/recordInfo", params={"taskId": UNKNOWN})["code"] == 404
    refused = _create(service, resolution="1080p")
    assert (refused["code"], refused["data"]) == (422, None)
    assert refused["msg"] == "input.resolution: Input should be '480p', '580p' or '720p'"
    assert "input.seed: Unknown field" in _create(service, seed=1)["msg"]
    assert (
        "model: Unknown model"
        in _call(service, "POST", "v1/jobs/createTask", json={"model": "wan/9", "input": ELSEWHERE})["msg"]
    )
    assert _call(service, "GET", "v1/chat/credit")["data"] > 0
    assert _call(service, "POST", "file-url-upload", json={"fileUrl": ELSEWHERE["image_url"]})["code"] == 505
