"""A clip, a picture, and perception without networks."""

from pathlib import Path

import pytest

from bodydouble.shot import ShotRequest
from box_shot import fake_load, fake_perceive
from material import astronaut, landscape, write_image, write_video


@pytest.fixture(scope="session")
def box_request(tmp_path_factory: pytest.TempPathFactory) -> ShotRequest:
    """30 frames of 320x240 with sound, and a portrait."""
    folder = tmp_path_factory.mktemp("box-inputs")
    return ShotRequest(
        image=write_image(folder / "image.png", astronaut()),
        video=write_video(folder / "video.mp4", landscape(30), sound=True),
        short_side=240,
        renderer="puppet",
    )


@pytest.fixture(autouse=True)
def perception_without_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shots of this room's tests find a track without looking at frames."""
    monkeypatch.setattr("bodydouble.shot.shot.perceive", fake_perceive)
    monkeypatch.setattr("bodydouble.shot.shot.load_perception", fake_load)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Where a shot works; not made yet."""
    return tmp_path / "workspace"
