"""The evaluation as a whole, on a man who talks in a car."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from bodydouble.evaluation import evaluate
from bodydouble.perception import ModelPack
from material import astronaut, carphone, landscape, write_image, write_video

RATE = Fraction(25, 3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """video.mp4 of 9 frames with sound, short.mp4 of its first 4, and image.png."""
    folder = tmp_path_factory.mktemp("evaluate")
    frames = carphone(25, 240)[::3]
    write_video(folder / "video.mp4", frames, RATE, sound=True)
    write_video(folder / "short.mp4", frames[:4], RATE, sound=True)
    write_image(folder / "image.png", astronaut())
    return folder


def test_a_video_that_was_not_touched(folder: Path, model_pack: ModelPack) -> None:
    """The source as its own output: background, pose and media are perfect, and the whole actor is residue."""
    heard: list[float] = []
    video = folder / "video.mp4"
    found = evaluate(video, video, folder / "image.png", model_pack, report=heard.append, true_background=video)
    assert found.frames == 9
    assert found.background_psnr_min_db == 100
    assert (found.pck_10, found.pck_10_driving) == (1, 1)
    assert found.residue == pytest.approx(1)
    assert found.torn_frames == 0
    assert found.bone_direction_share is None  # the close-up shows no limb
    assert found.clothes_output == found.clothes_actor
    assert found.plate_error is None  # the character covers the actor
    assert found.face_found == 1
    assert found.mouth_correlation == pytest.approx(1)
    assert found.flicker_output == found.flicker_source
    assert found.face_texture_output == found.face_texture_actor
    assert all(vars(found.delivery).values())
    assert json.loads(found.to_json())["delivery"]["audio"] is True
    assert heard == sorted(heard)
    assert heard[-1] == pytest.approx(1)


def test_a_video_from_which_the_person_is_gone(folder: Path, model_pack: ModelPack, tmp_path: Path) -> None:
    """Nobody in the output is a finding: no pose, no face, nothing left of the actor."""
    empty = write_video(tmp_path / "empty.mp4", [255 - i // 2 for i in landscape(4, (294, 240))], RATE)
    found = evaluate(empty, folder / "short.mp4", folder / "image.png", model_pack)
    assert (found.pck_20, found.pck_20_driving) == (0, 0)
    assert found.face_found == 0
    assert found.face_texture_output is None
    assert found.residue is not None
    assert found.residue < 0.2
    assert found.background_psnr_mean_db is not None
    assert found.background_psnr_mean_db < 20
    assert not found.delivery.audio
