"""The GPU renderer's whole way over HTTP and at a terminal, on tiny weights and a CPU."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest

from bodydouble.media import MediaLimits, VideoReader, probe_video
from bodydouble.perception import ModelPack
from bodydouble.provenance.reading import read_manifest
from live_service import MODEL, LiveService
from material import astronaut, carphone, write_image, write_video
from second_reader import UNTRUSTED, second_opinion

pytestmark = pytest.mark.acceptance
MOVE = "wan/2-2-animate-move"
LIMITS = MediaLimits()
STEP_SECONDS_MAX = 400
"""Bounds what hangs; a busy machine is no failure."""
FRAMES = 65
"""At the terminal: eight segments of nine, so that most of the work is left when a line of progress is read."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of tiny networks."""
    from tiny_wan import save_tiny

    return save_tiny(tmp_path_factory.mktemp("wan") / "weights")


@pytest.fixture(scope="module")
def settings(weights: Path) -> dict[str, str]:
    """Settings under which everything renders with tiny networks."""
    return {
        "BODYDOUBLE_WAN_WEIGHTS": str(weights),
        "BODYDOUBLE_WAN_DEVICE": "cpu",
        "BODYDOUBLE_WAN_SEGMENT_FRAMES": "13",
        "BODYDOUBLE_WAN_AREA_MAX": "4096",
        "OMP_NUM_THREADS": "1",
    }


@pytest.fixture(scope="module")
def live(model_pack: ModelPack, settings: dict[str, str]) -> Iterator[LiveService]:
    """A service that renders with wan. Tests can cause faults in its model runner."""
    faults = str(Path(__file__).parents[1] / "runner_faults")
    live = LiveService().start(**settings, PYTHONPATH=faults)
    try:
        yield live
        assert live.stop() == 0
    finally:
        live.remove()


def make(live: LiveService, model: str, inputs: dict[str, Any], target: Path) -> dict[str, Any]:
    """What became of a task, its result in ``target``."""
    created = live.call("POST", "job/CreateTask", json={"model": model, "input": inputs})
    assert created["data"], created
    task: dict[str, Any] = live.wait(created["data"]["task_id"])
    assert task["status"] == "success", task
    target.write_bytes(httpx.get(task["result"]["media_urls"][0], timeout=30).content)
    manifest = read_manifest(target)
    assert manifest is not None
    assert (manifest.state, manifest.is_generated) == ("valid", True)
    second = second_opinion(target)
    assert (second.integrity, second.failures) == ("valid", UNTRUSTED)
    return task["result"]["media_info"]


def runners_started(live: LiveService) -> int:
    """The number of runners that the service has started."""
    return (live.folder / "serve.log").read_text().count("runner started")


def test_both_models_over_http(live: LiveService, tmp_path: Path) -> None:
    """Replace gives a video of the source's size, move one of the picture's; both keep frames, rate and sound.

    A later task finds the weights loaded.
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
    assert runners_started(live) <= 1
    for result, size in ((replaced, (source.width, source.height)), (moved, (480, 480))):
        made = probe_video(result, LIMITS, "result")
        assert (made.width, made.height) == size
        for name in ("frames", "frame_rate"):
            assert getattr(made, name) == getattr(source, name), name
        assert made.audio is not None
        frames = [image for _, image in VideoReader(result, made, *size).read(0, made.frames)]
        assert len(frames) == source.frames
        assert np.std(frames[-1]) > 1


def test_faults_of_the_card_cost_no_attempt(live: LiveService, weights: Path, tmp_path: Path) -> None:
    """A compiler that fails leads to uncompiled blocks, and missing memory to a smaller setup, in the same runner."""
    inputs = {
        "img_urls": [live.upload(write_image(tmp_path / "astronaut.png", astronaut()))],
        "video_urls": [live.upload(write_video(tmp_path / "carphone.mp4", carphone(13, 216)))],
        "resolution": "480P",
        "num_inference_steps": 2,
        "renderer": "wan",
    }
    before = runners_started(live)
    for fault in ("broken-compiler", "little-memory"):
        (weights / fault).touch()
    try:
        make(live, MODEL, inputs, tmp_path / "replaced.mp4")
    finally:
        (weights / "little-memory").unlink()
    said = (live.folder / "work/runner-0.log").read_text()
    assert "blocks run uncompiled, which is slower" in said
    assert "out of memory (CUDA out of memory); going on with" in said
    assert "tiled autoencoder True" in said
    assert runners_started(live) == max(before, 1)
    assert probe_video(tmp_path / "replaced.mp4", LIMITS, "result").frames == 13


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """What is started ends with Ctrl-C: of tests that run in the background it would inherit not to."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Command:
    """``bodydouble replace`` with two ranks, in a session of its own, as a shell gives it one."""

    def __init__(self, folder: Path) -> None:
        files = (folder / "astronaut.png", folder / "carphone.mp4", "-o", folder / "out.mp4")
        wishes = ("--renderer", "wan", "--resolution", "480P")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bodydouble", "replace", *files, *wishes],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def read_to(self, words: str) -> None:
        """Until it says ``words``."""
        assert self.process.stderr is not None
        assert any(words in line for line in self.process.stderr), f"it never said {words}"

    def ranks(self) -> list[psutil.Process]:
        """Rank 0, then the other one."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> str:
        """What else it says until it ends."""
        return self.process.communicate(timeout=STEP_SECONDS_MAX)[1]


def test_two_ranks_at_the_terminal(
    model_pack: ModelPack,
    settings: dict[str, str],
    ctrl_c: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ctrl-C ends all processes and keeps what is finished; the same command goes on there, and goes on with fresh
    ranks when it loses one."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("BODYDOUBLE_WAN_GPUS", "2")
    monkeypatch.setenv("BODYDOUBLE_WAN_SEGMENT_FRAMES", "9")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("BODYDOUBLE_MODELS", str(model_pack.folder))
    write_image(tmp_path / "astronaut.png", astronaut())
    write_video(tmp_path / "carphone.mp4", carphone(FRAMES, 216), sound=True)

    command = Command(tmp_path)
    command.read_to("rendering 2/8")  # the first of eight is finished
    ranks = command.ranks()
    assert len(ranks) == 2
    os.killpg(command.process.pid, signal.SIGINT)
    said = command.end()
    assert command.process.returncode == 130
    assert "interrupted; the same command continues where it stopped" in said
    assert "Traceback" not in said
    assert psutil.wait_procs(ranks, STEP_SECONDS_MAX)[1] == []
    (workspace,) = (tmp_path / "cache/bodydouble/shots").iterdir()
    first = workspace / "segments/segment-00000.nut"
    drawn = first.stat().st_mtime_ns

    command = Command(tmp_path)
    command.read_to("rendering 3/8")
    assert first.stat().st_mtime_ns == drawn
    command.ranks()[1].kill()
    said = command.end()
    assert command.process.returncode == 0, said
    assert "lost: rank 1 of the model's processes was lost (it was killed" in said
    assert "a new one continues where it stopped" in said
    assert "Traceback" not in said
    assert probe_video(tmp_path / "out.mp4", LIMITS, "result").frames == FRAMES
