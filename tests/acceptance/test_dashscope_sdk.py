"""The official SDK of DashScope, unmodified, against a running service: its 1.x method and its 2.x jobs."""

import os
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path
from typing import Any

import dashscope
import httpx
import pytest
from dashscope.aigc.video_synthesis import VideoSynthesis
from dashscope.v2 import Client, errors

from live_service import LiveService
from sdk_service import NO_KEY, SdkService, open_for_sdk

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.usefixtures("abandoned_connections"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # the SDKs leave their connections to the garbage collector
]
BASE = "/dashscope/api/v1"
UNKNOWN = "019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d"
FORMER = "dashscope==1.25.0"
"""The last minor version before 2.0."""


@pytest.fixture(scope="module")
def service(service_for_sdks: LiveService, tmp_path_factory: pytest.TempPathFactory) -> SdkService:
    """The service, with accounts of this module."""
    return open_for_sdk(service_for_sdks, "dashscope", tmp_path_factory.mktemp("files"))


@pytest.fixture(autouse=True)
def base_url(service: SdkService, monkeypatch: pytest.MonkeyPatch) -> str:
    """The SDK's own setting of the address."""
    url = service.live.url + BASE
    monkeypatch.setattr(dashscope, "base_http_api_url", url)
    return url


def _call(service: SdkService, **changes: Any) -> Any:
    """``VideoSynthesis.async_call`` as the vendor documents it for these models."""
    wanted: dict[str, Any] = {
        "model": "wan2.2-animate-mix",
        "task": "image2video",
        "extra_input": {"image_url": "https://example.com/a.png", "video_url": "https://example.com/v.mp4"},
        "mode": "wan-std",
        "check_image": True,
        "api_key": service.key,
    }
    return VideoSynthesis.async_call(**(wanted | changes))


def _client(service: SdkService, base_url: str, key: str | None = None) -> Client:
    return Client(api_key=key or service.key, base_url=base_url, max_retries=0)


def test_jobs_upload_follow_and_finish(service: SdkService, base_url: str) -> None:
    """A 2.x job uploads two local files by itself and ends with a video that can be downloaded."""
    client = _client(service, base_url)
    job = client.videos.jobs.create(
        model="wan2.2-animate-mix",
        extra_input={"image_url": str(service.files.image), "video_url": str(service.files.video)},
        parameters={"mode": "wan-pro", "check_image": True},
    )
    assert job.status == "PENDING"
    done = client.videos.jobs.wait(job, poll_interval=0.2, max_interval=0.5)
    assert done.succeeded
    assert done.usage is not None
    assert done.usage.model_dump()["video_ratio"] == "pro"
    assert done.finished_at
    assert done.video_url
    assert httpx.get(done.video_url, timeout=60).content[4:8] == b"ftyp"
    task = service.live.task(job.task_id)
    assert task["param"]["input"]["resolution"] == "720P"
    listed = client.videos.jobs.list(status="SUCCEEDED", model_name="wan2.2-animate-mix")
    assert job.task_id in [item.task_id for item in listed.tasks]  # beside those of other tests


def test_call_of_the_former_version(service: SdkService, base_url: str, tmp_path: Path) -> None:
    """The method of SDK 1.x, in its last version, waits for a video of files at addresses."""
    install = [sys.executable, "-m", "pip", "--version"]
    if subprocess.run(install, capture_output=True, check=False).returncode:
        install = ["python3", "-m", "pip"]
    command = [*install[: install.index("pip") + 1], "install", "--quiet", "--no-deps", "--target", str(tmp_path)]
    subprocess.run([*command, FORMER], check=True, timeout=300)
    program = (
        "import sys, dashscope\n"
        "from dashscope import VideoSynthesis\n"
        "done = VideoSynthesis.call(model='wan2.2-animate-mix', task='image2video', mode='wan-std', check_image=True,\n"
        "    extra_input={'image_url': sys.argv[1], 'video_url': sys.argv[2]})\n"
        "print(dashscope.version.__version__, done.status_code, done.output.task_status, done.output.video_url)"
    )
    image, video = service.live.upload(service.files.image), service.live.upload(service.files.video)
    done = subprocess.run(
        [sys.executable, "-c", program, image, video],
        env=os.environ
        | {"PYTHONPATH": str(tmp_path), "DASHSCOPE_HTTP_BASE_URL": base_url, "DASHSCOPE_API_KEY": service.key},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    version, status, task_status, url = done.stdout.split()
    assert (version, status, task_status) == ("1.25.0", "200", "SUCCEEDED")
    assert httpx.get(url, timeout=60).content[4:8] == b"ftyp"


def test_failure(service: SdkService, base_url: str) -> None:
    """A video without people fails with a message about the vendor's field; the 2.x job raises it."""
    client = _client(service, base_url)
    job = client.videos.jobs.create(
        model="wan2.2-animate-mix",
        extra_input={"image_url": str(service.files.image), "video_url": str(service.files.nobody)},
        parameters={"mode": "wan-std"},
    )
    with pytest.raises(errors.BadRequestError) as raised:
        client.videos.jobs.wait(job, poll_interval=0.2, max_interval=0.5)
    assert raised.value.code == "InvalidParameter"
    found = VideoSynthesis.wait(job.task_id, api_key=service.key)
    assert (found.status_code, found.output.task_status) == (HTTPStatus.OK, "FAILED")
    assert found.output.message == raised.value.message
    assert raised.value.message.startswith("input.video_url: ")


def test_cancel(service: SdkService, base_url: str) -> None:
    """A pending task is cancelled. A second cancel says that the task is not pending."""
    task_id = _call(service).output.task_id  # its files are at addresses that cannot be fetched: it waits for them
    first = VideoSynthesis.cancel(task_id, api_key=service.key)
    if first.status_code == HTTPStatus.OK:
        assert VideoSynthesis.fetch(task_id, api_key=service.key).output.task_status == "CANCELED"
    second = VideoSynthesis.cancel(task_id, api_key=service.key)
    assert (second.status_code, second.code) == (HTTPStatus.BAD_REQUEST, "UnsupportedOperation")
    with pytest.raises(errors.APIStatusError):
        _client(service, base_url).videos.jobs.cancel(task_id)


def test_keys_credits_and_rates(service: SdkService, base_url: str) -> None:
    """A wrong key, a balance of zero and a second create within the limit have the vendor's codes and exceptions."""
    wrong = _call(service, api_key=NO_KEY)
    assert (wrong.status_code, wrong.code) == (HTTPStatus.UNAUTHORIZED, "InvalidApiKey")
    with pytest.raises(errors.AuthenticationError):
        _client(service, base_url, NO_KEY).videos.jobs.fetch(UNKNOWN)
    poor = _call(service, api_key=service.poor)
    assert (poor.status_code, poor.code) == (HTTPStatus.BAD_REQUEST, "Arrearage")
    one, two = (_call(service, api_key=service.slow, check_image=check) for check in (True, False))
    assert one.status_code == HTTPStatus.OK
    assert (two.status_code, two.code) == (HTTPStatus.TOO_MANY_REQUESTS, "Throttling.RateQuota")


def test_unknown_ids_and_models(service: SdkService, base_url: str) -> None:
    """A task that does not exist has the status UNKNOWN; a model that does not exist is an error."""
    found = VideoSynthesis.fetch(UNKNOWN, api_key=service.key)
    assert (found.status_code, found.output.task_status) == (HTTPStatus.OK, "UNKNOWN")
    assert _client(service, base_url).videos.jobs.wait("no-id").status == "UNKNOWN"
    model = _call(service, model="wan2.6-i2v")
    assert (model.status_code, model.code) == (HTTPStatus.NOT_FOUND, "Model.NotExist")


def test_inputs_that_are_not_served_are_refused_by_name(service: SdkService) -> None:
    """The message names the vendor's field."""
    refused = {
        "prompt": "input.prompt: only null",
        "img_url": "input.img_url: Unknown field",
        "watermark": "parameters.watermark: only false",
        "seed": "parameters.seed: Unknown field",
        "mode": "parameters.mode: Input should be 'wan-std' or 'wan-pro'",
    }
    values = {"prompt": "a dance", "img_url": "https://e.example/a.png", "watermark": True, "seed": 1, "mode": "fast"}
    for field, message in refused.items():
        found = _call(service, **{field: values[field]})
        assert (found.status_code, found.code) == (HTTPStatus.BAD_REQUEST, "InvalidParameter")
        assert message in found.message


def test_a_repeated_create_is_the_same_task_until_it_is_queried(service: SdkService) -> None:
    """The SDK repeats a create after a lost response. Once the task was queried, the same request makes another."""
    inputs = {"image_url": "https://example.com/again.png", "video_url": "https://example.com/v.mp4"}
    first, again = (_call(service, extra_input=inputs).output.task_id for _ in range(2))
    assert first == again
    VideoSynthesis.fetch(first, api_key=service.key)
    assert _call(service, extra_input=inputs).output.task_id != first
