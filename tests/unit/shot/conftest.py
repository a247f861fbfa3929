"""Fixtures: a request with a clip and a picture, and perception without networks."""

from pathlib import Path

import pytest

from bodydouble.shot import ShotRequest
from box_shot import fake_load, fake_perceive
from material import astronaut, landscape, write_image, write_video


@pytest.fixture(scope="session")
def box_request(tmp_path_factory: pytest.TempPathFactory) -> ShotRequest:
    """A request with a portrait and a clip of 30 frames, 320x240, with audio."""
    folder = tmp_path_factory.mktemp("box-inputs")
    return ShotRequest(
        image=write_image(folder / "image.png", astronaut()),
        video=write_video(folder / "video.mp4", landscape(30), sound=True),
        short_side=240,
        renderer="puppet",
    )


@pytest.fixture(autouse=True)
def perception_without_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shots in this folder's tests get an empty track without perception."""
    monkeypatch.setattr("bodydouble.shot.shot.perceive", fake_perceive)
    monkeypatch.setattr("bodydouble.shot.shot.load_perception", fake_load)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """The path of a workspace that does not exist yet."""
    return tmp_path / "workspace"
