"""A task over HTTP, from upload to download, and whatever is killed meanwhile."""

import base64
import subprocess
import sys
from pathlib import Path

import av
import httpx
import numpy as np
import pytest

from bodydouble.provenance.reading import read_manifest
from live_service import API, PERCEIVING, RENDERING, LiveService
from material import landscape, write_image, write_video
from second_reader import UNTRUSTED, second_opinion

pytestmark = pytest.mark.acceptance


def test_a_task_ends_with_a_video_that_keeps_frames_and_sound(undisturbed, inputs, tmp_path):
    """The result has the source's frames, size and audio packets, and says who made it."""
    info = undisturbed.task["result"]["media_info"]
    assert (info["frames"], info["audio"], info["renderer"]) == (inputs.frames, True, "puppet")
    (tmp_path / "result.mp4").write_bytes(undisturbed.content)
    packets = []
    for path in (inputs.video, tmp_path / "result.mp4"):
        with av.open(str(path)) as container:
            packets.append([bytes(p) for p in container.demux(audio=0) if p.size])
    assert packets[0] == packets[1]


def test_a_result_is_signed_by_the_installations_own_authority(undisturbed, service: LiveService, tmp_path):
    """The first start made an authority; the manifest is valid, names the task, and verifies with the authority."""
    result, task = tmp_path / "result.mp4", undisturbed.task
    result.write_bytes(undisturbed.content)
    manifest = read_manifest(result, (service.folder / "provenance" / "authority.pem").read_text())
    assert manifest is not None
    assert (manifest.state, manifest.source_types) == ("trusted", ("compositeSynthetic",))
    assert manifest.production["task"] == task["task_id"]
    assert manifest.production["unsigned_sha256"] == undisturbed.unsigned
    second = second_opinion(result)
    assert (second.integrity, second.failures, len(second.ingredients)) == ("valid", UNTRUSTED, 2)


def test_a_task_costs_its_price(undisturbed):
    """1.3 s at 480P are two seconds at 6 credits, charged once."""
    assert undisturbed.task["credits"] == 12
    assert undisturbed.balance_before - undisturbed.balance_after == 12


def test_a_folder_is_served_once_and_operated_beside(service):
    """A second serve ends at once and names the first; `keys create` makes a key that the first one knows."""
    command = [sys.executable, "-m", "bodydouble"]
    data = ["--data", str(service.folder)]
    second = subprocess.run([*command, "serve", "--port", "0", *data], capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert f"pid {service.process.pid};" in second.stderr
    made = subprocess.run([*command, "keys", "create", *data], capture_output=True, text=True, check=True)
    balance = httpx.get(f"{service.url}{API}account/balance", headers={"x-api-key": made.stdout.strip()}, timeout=60)
    assert balance.status_code == 200
    first_line = (service.folder / "serve.log").read_text().splitlines()[0]
    assert first_line.startswith("Starting bodydouble")
    assert first_line.endswith(f"data in {service.folder}")


def test_a_result_is_served_in_ranges_without_a_key(undisturbed):
    """The signed address answers a part of the file, with its type, to anybody."""
    url = undisturbed.task["result"]["media_urls"][0]
    answer = httpx.get(url, headers={"range": "bytes=4-7"}, timeout=30)
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (206, b"ftyp", "video/mp4")
    assert httpx.get(url.replace("signature=", "signature=0"), timeout=30).status_code in (403, 404)


def test_a_cancelled_task_ends_and_costs_nothing(service: LiveService, inputs, undisturbed):
    """A cancel in the middle of the work ends the child; the task fails with its own code and the credits are back."""
    before = service.balance()
    created = service.create(service.upload(inputs.image), service.upload(inputs.video))
    task_id = created["data"]["task_id"]
    service.hold(task_id, PERCEIVING)
    assert service.call("POST", "job/CancelTask", params={"task_id": task_id})["code"] == 200
    task = service.wait(task_id)
    assert (task["status"], task["result"]["code"], task["credits"]) == ("failed", 499, 0)
    assert service.balance() == before
    assert service.child() is None


def _as_data_url(path: Path, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _bad_files(folder: Path, inputs) -> dict[str, tuple[Path, Path, str]]:
    """Image, video, and what the message has to say."""
    text = folder / "text.mp4"
    text.write_text("this is no video\n" * 100)
    cut = folder / "cut.mp4"
    cut.write_bytes(inputs.video.read_bytes()[: inputs.video.stat().st_size // 2])
    tiny = write_image(folder / "tiny.png", np.full((10, 10, 3), 128, np.uint8))
    empty = write_video(folder / "empty.mp4", landscape(30, (264, 216)))
    return {
        "text": (inputs.image, text, "video"),
        "truncated": (inputs.image, cut, "video"),
        "tiny image": (tiny, inputs.video, "10 × 10"),
        "nobody": (inputs.image, empty, "nobody"),
    }


def test_media_that_cannot_be_used_cost_nothing(service: LiveService, inputs, tmp_path):
    """The worker finds out, the task fails with a message that says what is wrong, and the balance is as before."""
    image, video, word = _bad_files(tmp_path, inputs)["nobody"]
    before = service.balance()
    created = service.create(_as_data_url(image, "image/png"), _as_data_url(video, "video/mp4"))
    task = service.wait(created["data"]["task_id"])
    assert (task["status"], task["result"]["code"], task["credits"]) == ("failed", 422, 0), task
    assert word.lower() in task["result"]["message"].lower()
    assert service.balance() == before


@pytest.mark.parametrize("way", ["upload", "data URL"])
@pytest.mark.parametrize("case", ["text", "truncated", "tiny image"])
def test_files_that_cannot_be_used_are_refused_at_once(case, way, service: LiveService, inputs, tmp_path):
    """What lies here is looked at before a task is made: 422, and the balance is as before."""
    image, video, word = _bad_files(tmp_path, inputs)[case]
    before = service.balance()
    if way == "upload":
        answer = service.create(service.upload(image), service.upload(video))
    else:
        answer = service.create(_as_data_url(image, "image/png"), _as_data_url(video, "video/mp4"))
    assert answer["code"] == 422
    assert word.lower() in " ".join([answer["message"], *answer.get("errors", [])]).lower()
    assert service.balance() == before


def _unsigned(task) -> str:
    """The digest of the result before signing."""
    assert task["status"] == "success", task
    return str(task["result"]["media_info"]["provenance"]["unsigned_sha256"])


def test_a_killed_child_costs_an_attempt_and_no_byte(service: LiveService, inputs, undisturbed):
    """SIGKILL of the child while it renders: another one goes on and the file before signing is the same."""
    created = service.create(service.upload(inputs.image), service.upload(inputs.video))
    task_id = created["data"]["task_id"]
    service.hold(task_id, RENDERING).kill()
    assert _unsigned(service.wait(task_id)) == undisturbed.unsigned


def test_a_stopped_and_then_killed_service_goes_on(model_pack, inputs, undisturbed):
    """SIGTERM, then SIGKILL of API, worker, child and database: each start goes on with the task."""
    live = LiveService().start()
    try:
        created = live.create(live.upload(inputs.image), live.upload(inputs.video))
        task_id = created["data"]["task_id"]
        live.hold(task_id, PERCEIVING).resume()
        assert live.stop() == 0
        live.start()
        live.hold(task_id, RENDERING)
        live.kill()
        live.start()
        assert _unsigned(live.wait(task_id)) == undisturbed.unsigned
        assert live.balance() == 10_000 - 12
    finally:
        live.stop()
        live.remove()
