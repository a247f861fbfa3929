"""The official SDKs of fal and Replicate, in Python and JavaScript, unmodified, against a running service."""

import hashlib
import importlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc.util import urlsafe_b64decode
from replicate.client import Client as Replicate
from replicate.exceptions import ModelError, ReplicateError
from replicate.webhook import Webhooks, WebhookSigningSecret

from sdk_service import NO_KEY, callback_receiver
from secure_service import SecureService, install_sdks, run_javascript, secure_service

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.usefixtures("abandoned_connections"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # the SDKs leave their connections to the garbage collector
]

REPLACE = "fal-ai/wan/v2.2-14b/animate/replace"
WAN = "wan-video/wan-2.2-animate-replace"
BUSY = httpx.Timeout(600)
"""Of the SDK's requests: on a busy machine the look at an upload takes longer than its default of 30 s."""
NOWHERE = "http://127.0.0.1:9/nothing.mp4"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureService]:
    """One service for all tests of this module."""
    with secure_service(tmp_path_factory.mktemp("files")) as running:
        yield running


@pytest.fixture(scope="module")
def sdks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The JavaScript SDKs."""
    return install_sdks(tmp_path_factory.mktemp("javascript"))


@pytest.fixture(scope="module")
def fal(service: SecureService) -> Iterator[Any]:
    """fal's package as its variables point it at the service, with the storage's addresses, which have none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAL_RUN_HOST", f"{service.host}/fal/run")
        patch.setenv("FAL_QUEUE_RUN_HOST", f"{service.host}/fal/queue")
        package = importlib.import_module("fal_client")
        client = importlib.import_module("fal_client.client")
        patch.setattr(client, "REST_URL", f"https://{service.host}/fal/rest")
        patch.setattr(client, "CDN_URL", f"https://{service.host}/fal/cdn")
        patch.setattr(client, "_get_retry_delay", lambda *_, **__: 0)  # it repeats a 429 for a minute and a half
        yield package


def test_fal_uploads_submits_follows_and_calls_back(service: SecureService, fal: Any) -> None:
    """A request with uploads, its log, its result and its webhook; all dialects show the task, at one price."""
    sdk, client = service.sdk, fal.SyncClient(key=service.sdk.key)
    video = client.upload_file(sdk.files.video)
    image = client.upload_file(sdk.files.image, repository="fal")
    before = sdk.live.balance()
    with callback_receiver() as receiver:
        handle = client.submit(REPLACE, {"video_url": video, "image_url": image}, webhook_url=receiver.url)
        last = list(handle.iter_events(with_logs=True))[-1]
        result = handle.get()
        body, headers = receiver.first()
    assert {"queued", "render"} <= {line["message"].split(":")[0] for line in last.logs}
    video_file = result["video"]
    assert httpx.get(video_file["url"], timeout=BUSY).headers["content-length"] == str(video_file["file_size"])
    called = json.loads(body)
    assert (called["request_id"], called["status"]) == (handle.request_id, "OK")
    assert called["payload"]["seed"] == result["seed"]
    _verify(body, headers, httpx.get(f"https://{service.host}/fal/.well-known/jwks.json", timeout=BUSY).json())
    task = sdk.live.task(handle.request_id)
    assert (task["status"], task["credits"]) == ("success", before - sdk.live.balance())
    shown = Replicate(api_token=sdk.key, base_url=f"https://{service.host}/replicate").predictions.get(task["task_id"])
    assert (shown.status, shown.model, (shown.input or {})["video"]) == ("succeeded", WAN, video)


def _verify(body: bytes, headers: dict[str, str], keys: Any) -> None:
    """The verification that fal documents for its webhooks. Raises InvalidSignature."""
    names = ("request-id", "user-id", "timestamp")
    signed = "\n".join([*(headers[f"x-fal-webhook-{name}"] for name in names), hashlib.sha256(body).hexdigest()])
    key = Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(keys["keys"][0]["x"].encode()))
    key.verify(bytes.fromhex(headers["x-fal-webhook-signature"]), signed.encode())


def test_fal_repeats_a_submit_whose_response_was_lost(service: SecureService, fal: Any) -> None:
    """The repeated submit is the same request; once the client reads it, the same submit is another request."""
    client = fal.SyncClient(key=service.sdk.key)
    asked = {"video_url": NOWHERE, "image_url": fal.encode_file(service.sdk.files.image)}
    answers: list[httpx.Response] = []
    inner = client._client._transport

    class Lossy(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answers.append(inner.handle_request(request))
            answers[-1].read()
            if len(answers) == 1:
                raise httpx.ReadError("lost")
            return answers[-1]

    client._client._transport = Lossy()
    handle = client.submit(REPLACE, asked)
    assert [answer.json()["request_id"] for answer in answers] == [handle.request_id] * 2
    handle.status()
    again = client.submit(REPLACE, asked)
    assert again.request_id != handle.request_id
    for request in (handle, again):  # other tests compare balances: none of its credits may come back later
        service.sdk.wait(request.request_id)
    with pytest.raises(fal.FalClientHTTPError) as failed:
        handle.get()
    assert (failed.value.status_code, failed.value.response.json()["detail"][0]["loc"]) == (422, ["body", "video_url"])
    assert failed.value.response.headers["x-fal-error-type"] == "value_error"


def test_fal_cancels_and_tells_what_is_wrong(service: SecureService, fal: Any) -> None:
    """Cancel, a wrong key, no credits, too many requests, an unknown id, fields that are wrong or not served."""
    sdk = service.sdk
    asked = {"video_url": NOWHERE, "image_url": NOWHERE}
    client = fal.SyncClient(key=sdk.key)
    here = {"video_url": fal.encode_file(sdk.files.video), "image_url": fal.encode_file(sdk.files.image)}
    handle = client.submit(REPLACE, here)
    handle.cancel()
    assert list(handle.iter_events())[-1].error_type == "client_cancelled"

    def refused(key: str, call: Any) -> tuple[int, Any]:
        with pytest.raises(fal.FalClientHTTPError) as error:
            call(fal.SyncClient(key=key))
        return error.value.status_code, error.value.response.json()["detail"]

    assert refused(NO_KEY, lambda c: c.submit(REPLACE, asked)) == (401, "Missing or invalid API key")
    status, detail = refused(sdk.poor, lambda c: c.submit(REPLACE, asked))
    assert (status, "Exhausted balance" in detail) == (403, True)
    assert refused(sdk.key, lambda c: c.status(REPLACE, "unknown")) == (404, "Task not found")
    status, detail = refused(sdk.key, lambda c: c.submit(REPLACE, asked | {"return_frames_zip": True, "shift": 0}))
    assert (status, [problem["loc"][-1] for problem in detail]) == (422, ["shift", "return_frames_zip"])
    assert refused(sdk.slow, lambda c: [c.submit(REPLACE, asked | {"seed": n}) for n in (1, 2)])[0] == 429


def test_replicate_runs_follows_and_calls_back(service: SecureService, sdks: Path, tmp_path: Path) -> None:
    """A prediction with uploads and progress, and webhooks that both official validators accept."""
    sdk = service.sdk
    client = Replicate(api_token=sdk.key, base_url=f"https://{service.host}/replicate", timeout=BUSY)
    wanted = {"video": sdk.files.video, "character_image": sdk.files.image, "resolution": "480"}
    with callback_receiver() as receiver:
        prediction = client.models.predictions.create(
            WAN, wanted, webhook=receiver.url, webhook_events_filter=["start", "completed"], wait=60
        )
        assert prediction.status in ("starting", "succeeded")
        prediction.wait()
        _, second = (receiver.first(), _nth(receiver, 2))
    assert prediction.progress is not None
    assert prediction.progress.percentage == 1
    assert {json.loads(body)["status"] for body, _ in receiver.calls} >= {"succeeded"}
    secret = client.webhooks.default.secret()
    Webhooks.validate(headers=second[1], body=second[0].decode(), secret=secret)
    with pytest.raises(ValueError, match="signature"):
        Webhooks.validate(headers=second[1], body="{}", secret=WebhookSigningSecret(key=secret.key))
    callback = tmp_path / "callback.json"
    callback.write_text(json.dumps({"headers": second[1], "body": second[0].decode()}))
    said = run_javascript(sdks, service, "replicate.js", str(callback), str(sdk.files.nobody))
    assert said["bytes"] > 1000
    assert (said["states"][-1], said["progress"]["percentage"]) == ("succeeded", 1)
    assert (said["cancelled"], said["listed"], said["signed"]) == ("canceled", True, True)
    assert said["model"] == client.models.get(WAN).latest_version.id  # pyright: ignore[reportOptionalMemberAccess]
    assert "input.resolution" in said["invalid"]["message"]
    refused = [said[name]["status"] for name in ("invalid", "wrongKey", "poor", "slow", "unknown")]
    assert refused == [422, 401, 402, 429, 404]
    assert said["failed"]["message"].startswith("Prediction failed: ")


def _nth(receiver: Any, number: int) -> tuple[bytes, dict[str, str]]:
    """The callback of this number, as soon as there is one."""
    deadline = time.monotonic() + 600
    while len(receiver.calls) < number and time.monotonic() < deadline:
        time.sleep(0.05)
    return receiver.calls[number - 1]


def test_replicate_runs_by_version_and_tells_what_is_wrong(service: SecureService) -> None:
    """A failed run, a cancel, files, a list, and the errors a caller meets."""
    sdk, base = service.sdk, f"https://{service.host}/replicate"
    client = Replicate(api_token=sdk.key, base_url=base, timeout=BUSY)
    wanted = {"video": NOWHERE, "character_image": NOWHERE}
    version = client.models.get(WAN).versions.list()[0].id
    with pytest.raises(ModelError, match=r"^input\.(video|character_image)"):
        client.run(f"{WAN}:{version}", wanted)
    here: dict[str, Any] = {"video": sdk.files.video, "character_image": sdk.files.image, "go_fast": True}
    created = client.predictions.create(version, here)
    created.cancel()
    sdk.wait(created.id)
    assert client.predictions.get(created.id).status == "canceled"
    assert "go_fast changes nothing" in (client.predictions.get(created.id).logs or "")
    assert created.id in [prediction.id for prediction in client.predictions.list()]
    file = client.files.create(sdk.files.image, metadata={"shot": 12})
    assert file.checksums["sha256"] == hashlib.sha256(sdk.files.image.read_bytes()).hexdigest()
    assert client.files.get(file.id).size == file.size
    assert client.files.delete(file.id)

    def refused(key: str, call: Any) -> int | None:
        with pytest.raises(ReplicateError) as error:
            call(Replicate(api_token=key, base_url=base, timeout=BUSY))
        return error.value.status

    assert refused(sdk.key, lambda c: c.files.get(file.id)) == 404
    assert refused(NO_KEY, lambda c: c.predictions.create(version, wanted)) == 401
    assert refused(sdk.poor, lambda c: c.predictions.create(version, wanted)) == 402
    assert refused(sdk.slow, lambda c: [c.predictions.create(version, wanted | {"seed": n}) for n in (1, 2)]) == 429
    assert refused(sdk.key, lambda c: c.predictions.get("unknown")) == 404
    assert refused(sdk.key, lambda c: c.predictions.create(version, wanted | {"colour": "red"})) == 422
    assert refused(sdk.key, lambda c: c.predictions.create("0" * 64, wanted)) == 422


def test_the_javascript_client_of_fal(service: SecureService, sdks: Path) -> None:
    """Its program works through the one address of the proxy; each error is of the client's own class."""
    with callback_receiver() as receiver:
        said = run_javascript(sdks, service, "fal.js", str(service.sdk.files.nobody), receiver.url)
        body, headers = receiver.first()
    _verify(body, headers, httpx.get(f"https://{service.host}/fal/.well-known/jwks.json", timeout=BUSY).json())
    assert (json.loads(body)["status"], said["failed"]["status"]) == ("ERROR", 422)
    assert said["failed"]["fields"] == ["video_url"]
    video = said["result"]["data"]["video"]
    assert httpx.get(video["url"], timeout=BUSY).headers["content-length"] == str(video["file_size"])
    with httpx.stream("GET", said["large"]["url"], timeout=BUSY) as stored:
        assert stored.headers["content-length"] == str(said["large"]["size"])
    assert (said["statuses"][-1], said["cancelled"]["status"]) == ("COMPLETED", "COMPLETED")
    assert any(line.startswith("perceive") for line in said["logs"])
    assert (said["cancelledResult"]["status"], said["cancelled"]["error_type"]) == (499, "client_cancelled")
    assert (said["invalid"]["status"], sorted(said["invalid"]["fields"])) == (422, ["return_frames_zip", "strange"])
    statuses = [said[name]["status"] for name in ("wrongKey", "poor", "slow", "unknown")]
    assert statuses == [401, 403, 429, 404]
    assert all(said[name]["known"] for name in ("wrongKey", "poor", "slow", "unknown"))
