"""Warnings about what the puppet cannot do."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.capability import check_capability
from bodydouble.renderers.puppet.compositing.registration import CameraPath
from bodydouble.renderers.puppet.compositing.stored_plates import Plates, ShotPlates
from bodydouble.renderers.puppet.motion.actor_motion import Motion, build_motion
from bodydouble.renderers.puppet.picture.character import Character, character_of
from mannequin import joints, picture, portrait_of, track_of
from tube_body import tube_body


def plates(folder: Path, unseen: float = 0.0, followed: float = 1.0) -> Plates:
    """Plates of ten frames, without files."""
    path = CameraPath(start=0, to_first=np.tile(np.eye(3), (10, 1, 1)), still=True, share_followed=followed)
    return Plates(folder, [ShotPlates(path=path, start=0, stop=10, keys=[5])], unseen)


def codes(
    folder: Path,
    track: PersonTrack | None = None,
    rows: int = 500,
    depth: float = 0.0,
    motion_of=lambda motion: motion,
    **about_plates: float,
) -> set[str]:
    """Codes for a mannequin's picture cut off after ``rows`` rows on a mannequin's motion.

    ``depth``: pixels by which its left shoulder and hip lie behind the right ones.
    """
    track = track or track_of([joints()] * 10)
    motion: Motion = motion_of(build_motion(track, 25.0))
    return {
        w.code for w in check_capability(_mannequin(rows, depth), motion, track, plates(folder, **about_plates), 500)
    }


@cache
def _mannequin(rows: int, depth: float) -> Character:
    """The character of the mannequin's picture, as ``codes`` has it; made once, for a standing mannequin's motion."""
    pose, motion = joints(), build_motion(track_of([joints()] * 10), 25.0)
    image, mask = picture(pose)
    own = track_of([pose])
    own.visibility[0, pose[:, 1] > rows] = 0.02
    own.body[0, [11, 23], 2] += depth
    with TemporaryDirectory() as folder:
        return character_of(
            np.ascontiguousarray(image[:rows]), portrait_of(own, mask[:rows].copy()), motion, Path(folder), tube_body()
        )


def test_a_picture_without_a_face_is_said(tmp_path: Path) -> None:
    """The mannequin has no face mesh, and neither has its motion, nor fingers."""
    assert codes(tmp_path) == {"reference_without_face", "video_without_face", "hands_hidden"}


def test_half_a_body_on_a_whole_one_is_said(tmp_path: Path) -> None:
    """A picture that ends at the hips, a video with legs."""
    assert "half_body_reference" in codes(tmp_path, rows=260)


@pytest.mark.parametrize(
    ("about_plates", "code"), [({"unseen": 0.3}, "background_unseen"), ({"followed": 0.2}, "camera_not_followed")]
)
def test_trouble_with_the_background_is_said(tmp_path: Path, about_plates: dict[str, float], code: str) -> None:
    """A background that was never seen, a camera that could not be followed."""
    assert code in codes(tmp_path, **about_plates)


def test_hands_that_are_seen_are_not_missed(tmp_path: Path) -> None:
    """With a hand found in each frame nothing is said of hidden hands."""
    track = track_of([joints()] * 10)
    track.hands[:, 0] = 0
    track.hands[:, 0, :, :2] = joints()[15]
    track.hand_found[:, 0] = True
    assert "hands_hidden" not in codes(tmp_path, track)


def test_a_person_who_is_seldom_found_is_said(tmp_path: Path) -> None:
    """Of ten frames, two show the person: the rest of the video stays as it is."""
    track = track_of([joints()] * 10)
    assert "person_seldom_found" not in codes(tmp_path, track)
    track.present[2:] = False
    assert "person_seldom_found" in codes(tmp_path, track)


def test_a_picture_from_the_side_is_said(tmp_path: Path) -> None:
    """Shoulders that lie one behind the other."""
    assert "reference_from_the_side" in codes(tmp_path, depth=400.0)


def test_other_people_are_said(tmp_path: Path) -> None:
    """Bystanders in most frames."""
    track = track_of([joints()] * 10)
    track.bystanders[:, 0] = (0, 0, 50, 100)
    assert "several_people" in codes(tmp_path, track)


def test_a_far_turn_and_a_tiny_face_are_said(tmp_path: Path) -> None:
    """A head turned by 70 degrees, of a few pixels."""
    turn = np.deg2rad(70)
    rotation = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])

    def turned(motion: Motion) -> Motion:
        return replace(
            motion,
            head_rotation=np.tile(rotation, (10, 1, 1)),
            head_size=np.full(10, 12.0),
            face_found=np.ones(10, np.bool_),
        )

    assert {"yaw_beyond_limit", "small_face"} <= codes(tmp_path, motion_of=turned)


def test_every_warning_helps(tmp_path: Path) -> None:
    """Messages are sentences; codes are identifiers."""
    track = track_of([joints()] * 10)
    track.bystanders[:, 0] = (0, 0, 50, 100)
    motion = build_motion(track, 25.0)
    character = _mannequin(500, 0.0)
    for warning in check_capability(character, motion, track, plates(tmp_path, 0.5, 0.1), 500):
        assert warning.code.replace("_", "").isalpha()
        assert warning.message.endswith(".")
        assert len(warning.message) > 30
