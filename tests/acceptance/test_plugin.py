"""A renderer from another distribution, over HTTP and at a terminal: the one that docs/write-a-renderer.md builds."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from bodydouble.media import MediaLimits, VideoReader, probe_video
from bodydouble.perception import ModelPack
from live_service import MODEL, LiveService

pytestmark = pytest.mark.acceptance
PAGE = Path(__file__).parents[2] / "docs/write-a-renderer.md"
LIMITS = MediaLimits()


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder on the path of new processes, with the page's modules and the metadata of a distribution."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    description, frames, settings, runner, with_runner, with_model_runner = blocks
    folder = tmp_path / "site"
    metadata = folder / "toy_renderer-1.dist-info"
    metadata.mkdir(parents=True)
    (folder / "toy_renderer.py").write_text(description + settings + with_model_runner)
    (folder / "toy_frames.py").write_text(frames + with_runner)
    (folder / "toy_runner.py").write_text(runner)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-renderer\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[bodydouble.renderers]\ntoy = toy_renderer:PLUGIN\n")
    path = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path))


@pytest.fixture
def live(model_pack: ModelPack, toy: None) -> Iterator[LiveService]:
    """A service of an installation that has the toy, with a setting for it."""
    live = LiveService().start(BODYDOUBLE_RENDERERS='{"toy": {"strength": 0.9}}')
    try:
        yield live
        assert live.stop() == 0
    finally:
        live.remove()


def test_a_renderer_of_another_package_makes_a_video(live: LiveService, inputs, tmp_path: Path) -> None:
    """It is listed, its option is in the schema and checked, a task names it, and the frames are its own.

    Its runner multiplies the option by the operator's setting.
    """
    model = live.call("GET", f"job/Models/{MODEL}")["data"]
    assert "toy" in model["renderers"]
    schema = model["input_schema"]["properties"]
    assert schema["renderer"]["enum"] == ["auto", "wan", "puppet", "toy"]
    assert (schema["tint"]["default"], schema["tint"]["maximum"]) == (128, 255)

    wanted = {
        "img_urls": [live.upload(inputs.image)],
        "video_urls": [live.upload(inputs.video)],
        "resolution": "480P",
        "renderer": "toy",
        "tint": 250,
    }
    refused = live.call("POST", "job/CreateTask", json={"model": MODEL, "input": wanted | {"tint": 256}})
    assert (refused["code"], "tint" in " ".join(refused["errors"])) == (422, True)
    created = live.call("POST", "job/CreateTask", json={"model": MODEL, "input": wanted})
    task = live.wait(created["data"]["task_id"])
    assert task["status"] == "success", task
    info = task["result"]["media_info"]
    assert (info["renderer"], info["frames"], info["audio"]) == ("toy", inputs.frames, True)

    result = tmp_path / "result.mp4"
    result.write_bytes(httpx.get(task["result"]["media_urls"][0], timeout=30).content)
    made = probe_video(result, LIMITS, "result")
    reader = VideoReader(result, made, made.width, made.height)
    _, middle = next(reader.read(4, 5))
    red = (middle[..., 0] > 200) & (middle[..., 1:] < 60).all(-1)
    assert 0.1 < np.mean(red) < 0.7, "the man in the car is painted, the car is not"
    assert abs(np.median(middle[red, 0]) - 0.9 * 250) < 10


def test_its_option_is_on_the_command_line(toy: None) -> None:
    """--help shows the option and the renderer; a value beyond the limit is refused before anything is loaded."""
    command = [sys.executable, "-m", "bodydouble", "replace"]
    told = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True).stdout
    assert "--tint" in told
    assert "paints the person red" in re.sub(r"[\s│]+", " ", told)
    refused = subprocess.run(
        [*command, "a", "b", "-o", "c", "--tint", "256"], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert "--tint" in refused.stderr


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ('{"toy": {"strength": 2}}', "setting renderers: toy.strength: 2.0 is not between 0 and 1"),
        ('{"toy": {"strength": "much"}}', "setting renderers: toy.strength: 'much' is not valid"),
        ('{"toy": {"weight": 1}}', "setting renderers: toy has no setting weight; it has: strength"),
    ],
)
def test_a_wrong_setting_ends_the_start(toy: None, tmp_path: Path, value: str, reason: str) -> None:
    """One line names renderer and field."""
    command = [sys.executable, "-m", "bodydouble", "serve", "--data", str(tmp_path / "data")]
    environment = os.environ | {"BODYDOUBLE_RENDERERS": value}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert ended.returncode != 0
    assert reason in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr
