"""The GPU renderer's whole way over HTTP, on tiny weights and a CPU."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from bodydouble.media import MediaLimits, VideoReader, probe_video
from bodydouble.perception import ModelPack
from live_service import MODEL, LiveService
from material import astronaut, carphone, write_image, write_video

pytestmark = pytest.mark.acceptance
MOVE = "wan/2-2-animate-move"
LIMITS = MediaLimits()


@pytest.fixture
def live(model_pack: ModelPack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveService]:
    """A service that renders with wan."""
    from tiny_wan import save_tiny

    for name, value in {
        "WEIGHTS": str(save_tiny(tmp_path / "weights")),
        "DEVICE": "cpu",
        "SEGMENT_FRAMES": "13",
        "AREA_MAX": "4096",
    }.items():
        monkeypatch.setenv(f"BODYDOUBLE_WAN_{name}", value)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    live = LiveService().start()
    try:
        yield live
        assert live.stop() == 0
    finally:
        live.remove()


def make(live: LiveService, model: str, inputs: dict[str, Any], target: Path) -> dict[str, Any]:
    """What became of a task, its result in ``target``."""
    created = live.call("POST", "job/CreateTask", json={"model": model, "input": inputs})
    task: dict[str, Any] = live.wait(created["data"]["task_id"])
    assert task["status"] == "success", task
    target.write_bytes(httpx.get(task["result"]["media_urls"][0], timeout=30).content)
    return task["result"]["media_info"]


def test_both_models_over_http(live: LiveService, tmp_path: Path) -> None:
    """Replace gives a video of the source's size, move one of the picture's; both keep frames, rate and sound.

    The second task finds the weights loaded.
    """
    image = write_image(tmp_path / "astronaut.png", astronaut())
    video = write_video(tmp_path / "carphone.mp4", carphone(26, 216), sound=True)
    source = probe_video(video, LIMITS, "video")
    for model, renderers in ((MODEL, ["wan", "puppet"]), (MOVE, ["wan"])):
        assert live.call("GET", f"job/Models/{model}")["data"]["renderers"] == renderers
    inputs = {
        "img_urls": [live.upload(image)],
        "video_urls": [live.upload(video)],
        "resolution": "480P",
        "num_inference_steps": 2,
    }
    replaced, moved = tmp_path / "replaced.mp4", tmp_path / "moved.mp4"
    info = make(live, MODEL, inputs | {"renderer": "wan"}, replaced)
    assert info["renderer"] == "wan"
    assert {w["code"] for w in info["warnings"]} == {"drawn_smaller", "no_relighting"}
    info = make(live, MOVE, inputs, moved)
    assert info["renderer"] == "wan"
    assert {w["code"] for w in info["warnings"]} == {"drawn_smaller"}
    assert (live.folder / "serve.log").read_text().count("runner started") == 1
    for result, size in ((replaced, (source.width, source.height)), (moved, (480, 480))):
        made = probe_video(result, LIMITS, "result")
        assert (made.width, made.height) == size
        for name in ("frames", "frame_rate"):
            assert getattr(made, name) == getattr(source, name), name
        assert made.audio is not None
        frames = [image for _, image in VideoReader(result, made, *size).read(0, made.frames)]
        assert len(frames) == source.frames
        assert np.std(frames[-1]) > 1
