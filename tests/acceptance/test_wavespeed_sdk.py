"""The official SDK of WaveSpeed, unmodified, against a running service."""

import contextlib
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from wavespeed import Client

from live_service import LiveService
from sdk_service import NO_KEY, SdkService, callback_receiver, open_for_sdk
from secure_service import install_sdks, run_program

pytestmark = pytest.mark.acceptance
MODEL = "wavespeed-ai/wan-2.2/animate"
UNKNOWN = "019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d"
ELSEWHERE = {"image": "https://example.com/a.png", "video": "https://example.com/v.mp4", "mode": "replace"}


@pytest.fixture(scope="module")
def service(service_for_sdks: LiveService, tmp_path_factory: pytest.TempPathFactory) -> SdkService:
    """The service, with accounts of this module."""
    return open_for_sdk(service_for_sdks, "wavespeed", tmp_path_factory.mktemp("files"))


def _client(service: SdkService, key: str = "") -> Client:
    return Client(
        api_key=key or service.key,
        base_url=f"{service.live.url}/wavespeed",
        max_retries=0,
        max_connection_retries=0,
    )


def _get(service: SdkService, path: str) -> Any:
    headers = {"authorization": f"Bearer {service.key}"}
    return httpx.get(f"{service.live.url}/wavespeed/api/v3/{path}", headers=headers, timeout=60).json()


def _webhook_is_genuine(body: bytes, headers: dict[str, str], secret: str) -> bool:
    """The steps of the vendor's page on the verification of webhooks."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body.decode()}"
    version, signature = headers["webhook-signature"].split(",")
    key = secret.removeprefix("whsec_").encode()
    expected = hmac.new(key, signed.encode(), hashlib.sha256).hexdigest()
    return version == "v3" and hmac.compare_digest(signature, expected)


def test_run_uploads_waits_and_calls_back(service: SdkService) -> None:
    """``upload`` and ``run`` give a video. A webhook has the same prediction, and the vendor's signature."""
    client = _client(service)
    image, video = client.upload(str(service.files.image)), client.upload(str(service.files.video))
    wanted = {"image": image, "video": video, "mode": "replace", "resolution": "480p"}
    with callback_receiver() as receiver:
        done = client.run(f"{MODEL}?webhook={receiver.url}", wanted, poll_interval=0.2)
        body, headers = receiver.first()
    assert httpx.get(done["outputs"][0], timeout=60).content[4:8] == b"ftyp"
    assert _webhook_is_genuine(body, headers, _get(service, "webhook/secret")["data"]["secret"])
    told = json.loads(body)
    assert (told["status"], told["input"]["mode"]) == ("completed", "replace")
    found = client.get_result(told["id"])["data"]
    assert found["status"] == "completed"
    assert service.live.task(told["id"])["param"]["input"]["resolution"] == "480P"


def test_the_javascript_client(service: SdkService, tmp_path: Path) -> None:
    """Its program uploads, runs, is called back and cancelled; errors have the HTTP status and the vendor's field."""
    with callback_receiver() as receiver:
        arguments = (str(service.files.nobody), receiver.url)
        said = run_program(install_sdks(tmp_path), service, "wavespeed.js", *arguments)
        body, headers = receiver.first()
    assert _webhook_is_genuine(body, headers, _get(service, "webhook/secret")["data"]["secret"])
    assert (said["failed"]["status"], "video" in said["failed"]["message"]) == ("failed", True)
    assert "Prediction failed" in said["cancelled"]
    assert ("429" in said["slow"], "404" in said["unknown"]) == (True, True), said
    assert httpx.get(said["outputs"][0], timeout=60).content[4:8] == b"ftyp"
    assert ("401" in said["wrongKey"], "402" in said["poor"]) == (True, True), said
    assert "resolution: Input should be" in said["invalid"]


def test_synchronous_failure(service: SdkService) -> None:
    """A synchronous request responds when the prediction has ended; its error names the vendor's field."""
    client = _client(service)
    image, video = client.upload(str(service.files.image)), client.upload(str(service.files.nobody))
    wanted = {"image": image, "video": video, "mode": "replace"}
    done = client.run_no_throw(MODEL, wanted, enable_sync_mode=True)
    assert done["status"] == "failed"
    assert "video" in done["error"]


def test_cancelled_elsewhere(service: SdkService) -> None:
    """A task that our own API cancels is cancelled for the SDK, which stops to wait."""
    client = _client(service)
    request_id, _ = client._submit(MODEL, ELSEWHERE)
    service.live.call("POST", "job/CancelTask", params={"task_id": request_id})
    with pytest.raises(RuntimeError, match=r"Prediction (cancelled|failed)"):
        client._wait(str(request_id), 60, 0.2)


def test_keys_credits_rates_and_unknown_ids(service: SdkService) -> None:
    """Each has the HTTP status that the SDK shows."""
    for key, status in ((NO_KEY, 401), (service.poor, 402)):
        with pytest.raises(RuntimeError, match=f"HTTP {status}"):
            _client(service, key).run(MODEL, ELSEWHERE)
    slow = _client(service, service.slow)
    with contextlib.suppress(RuntimeError):  # refused if another test has just used the key
        slow._submit(MODEL, ELSEWHERE)
    with pytest.raises(RuntimeError, match="HTTP 429"):
        slow._submit(MODEL, ELSEWHERE)
    with pytest.raises(RuntimeError, match="HTTP 404"):
        _client(service).get_result(UNKNOWN)
    assert _get(service, "balance")["data"]["balance"] > 0


def test_inputs_that_are_not_served_are_refused_by_name(service: SdkService) -> None:
    """The message names the vendor's field."""
    for changes, message in (
        ({"resolution": "1080p"}, "resolution: Input should be '480p' or '720p'"),
        ({"seed": -2}, "seed: must be at least -1"),
        ({"negative_prompt": "rain"}, "negative_prompt: Unknown field"),
        ({"image": "ftp://example.com/a.png"}, "image: must be an http or https URL"),
    ):
        with pytest.raises(RuntimeError, match="HTTP 400") as raised:
            _client(service).run(MODEL, ELSEWHERE | changes)
        assert message in str(raised.value)
    with pytest.raises(RuntimeError, match="HTTP 404"):
        _client(service).run("wavespeed-ai/z-image/turbo", {})
