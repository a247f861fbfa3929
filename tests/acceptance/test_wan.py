"""The GPU renderer's whole way over HTTP, on tiny weights and a CPU."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from bodydouble.media import MediaLimits, probe_video
from bodydouble.perception import ModelPack
from live_service import MODEL, LiveService
from material import astronaut, carphone, write_image, write_video

pytestmark = pytest.mark.acceptance


def test_create_task_with_renderer_wan(model_pack: ModelPack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that asks for wan ends with a video of the source's size, frames, rate and sound."""
    from tiny_wan import save_tiny

    for name, value in {
        "WEIGHTS": str(save_tiny(tmp_path / "weights")),
        "DEVICE": "cpu",
        "SEGMENT_FRAMES": "13",
        "AREA_MAX": "4096",
    }.items():
        monkeypatch.setenv(f"BODYDOUBLE_WAN_{name}", value)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    image = write_image(tmp_path / "astronaut.png", astronaut())
    video = write_video(tmp_path / "carphone.mp4", carphone(26, 216), sound=True)
    source = probe_video(video, MediaLimits(), "video")
    live = LiveService().start()
    try:
        offered = live.call("GET", f"job/Models/{MODEL}")["data"]
        assert offered["renderers"] == ["wan", "puppet"]
        body = {
            "img_urls": [live.upload(image)],
            "video_urls": [live.upload(video)],
            "resolution": "480P",
            "renderer": "wan",
            "num_inference_steps": 2,
        }
        created = live.call("POST", "job/CreateTask", json={"model": MODEL, "input": body})
        task: dict[str, Any] = live.wait(created["data"]["task_id"])
        assert task["status"] == "success", task
        info = task["result"]["media_info"]
        assert info["renderer"] == "wan"
        assert {w["code"] for w in info["warnings"]} == {"drawn_smaller", "no_relighting"}
        result = tmp_path / "result.mp4"
        result.write_bytes(httpx.get(task["result"]["media_urls"][0], timeout=30).content)
    finally:
        assert live.stop() == 0
        live.remove()
    made = probe_video(result, MediaLimits(), "result")
    for name in ("width", "height", "frames", "frame_rate"):
        assert getattr(made, name) == getattr(source, name), name
    assert made.audio is not None
