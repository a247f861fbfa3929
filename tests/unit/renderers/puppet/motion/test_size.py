"""How large the actor appears."""

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.motion.actor_motion import build_motion
from bodydouble.renderers.puppet.motion.actor_skeleton import relative_size
from bodydouble.renderers.puppet.motion.size import along_trend, head_outline, outline_sizes, outline_widths
from mannequin import joints, track_of

FRAMES = 24
SIZES = np.linspace(1.6, 1.0, FRAMES)
"""An actor who walks away from the camera."""


class _Mattes:
    """Head and shoulders of ``SIZES``, cut off by the lower edge; counts the frames that are read."""

    def __init__(self, top: int = 0) -> None:
        """``top``: px, half the width of a bar above the head."""
        self.read_frames: list[int] = []
        self._top = top

    def read(self, start: int, stop: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        for i in range(start, stop):
            self.read_frames.append(i)
            matte = np.zeros((100, 160), np.uint8)
            radius = round(12 * SIZES[i])
            cv2.circle(matte, (80, 20 + radius), radius, 255, -1)
            cv2.ellipse(matte, (80, 20 + 6 * radius), (3 * radius, 4 * radius), 0, 0, 360, 255, -1)
            matte[5:25, 80 - self._top : 80 + self._top] = 255
            yield i, matte


def _squeezed_track() -> PersonTrack:
    """From behind, knees unseen; in the first third the network squeezes the trunk into what the edge leaves of it."""
    poses = []
    for i, size in enumerate(SIZES):
        pose = joints(20.0 * size, 80.0, 20.0)
        pose[:, 0] = 160 - pose[:, 0]
        if i < FRAMES // 3:
            pose[11:] = pose[11:13].mean(0) + 0.4 * (pose[11:] - pose[11:13].mean(0))
        poses.append(pose)
    track = track_of(poses)
    track.visibility[:, 25:29] = 0.02
    return track


def test_a_trunk_squeezed_by_the_frames_edge_does_not_make_the_character_small():
    """The head's outline tells the size of an actor who is seen from behind and walks away from the lower edge."""
    track = _squeezed_track()

    motion = build_motion(track, 25.0, outline_widths(track, _Mattes()))

    assert np.allclose(motion.head_size / motion.head_size[-1], SIZES, rtol=0.08)
    assert np.allclose(relative_size(motion) / relative_size(motion)[-1], SIZES, rtol=0.08)


def test_a_growing_actor_is_followed_up_to_the_ends():
    """A size that changes evenly is smoothed without flattening the first and last frames."""
    poses = [joints(30.0 * size, 200.0, 40.0) for size in SIZES]

    found = relative_size(build_motion(track_of(poses), 25.0))

    assert np.isclose(found[0] / found[-1], 1.6, rtol=0.04)
    assert (np.diff(found) < 0).all()


def test_a_crouching_actor_stays_as_large():
    """A trunk that looks shorter in some frames does not change the size while the shoulders stay as wide."""
    poses = [joints(30.0, 200.0, 40.0) for _ in range(FRAMES)]
    for pose in poses[8:16]:
        pose[23:] -= [0, 20]

    assert np.allclose(relative_size(build_motion(track_of(poses), 25.0)), 1)


def test_mattes_of_a_whole_body_are_not_read():
    """Where the knees are seen the trunk tells the size, and no matte is needed."""
    track, mattes = _squeezed_track(), _Mattes()
    track.visibility[:, 25:29] = 0.9

    assert np.isnan(outline_widths(track, mattes)).all()
    assert mattes.read_frames == []


def test_a_heads_outline_scales_with_the_picture():
    """The width is the head's, not the shoulders', and doubles with the picture; an empty matte has none."""
    _, matte = next(_Mattes().read(0, 1))

    small = head_outline(matte)

    assert 0.7 < small / 38 < 1.2
    assert np.isclose(head_outline(cv2.resize(matte, None, fx=2, fy=2)), 2 * small, atol=2)
    assert np.isnan(head_outline(np.zeros_like(matte)))


def test_smoothing_along_the_trend_keeps_straight_lines():
    """A straight line stays as it is, noise on it shrinks, and a single value stays."""
    line = np.linspace(3.0, 9.0, 30)
    noise = np.where(np.arange(30) % 2, 0.5, -0.5)

    assert np.allclose(along_trend(line, 5.0), line)
    assert np.abs(along_trend(line + noise, 5.0) - line).max() < 0.2
    assert along_trend(np.array([4.0]), 5.0) == [4.0]


def test_a_turned_face_does_not_make_the_character_small():
    """A face that looks smaller while the trunk stays as long is turned; one that shrinks with the trunk is farther."""
    poses = [joints(30.0, 200.0, 40.0) for _ in range(FRAMES)]
    motion = build_motion(track_of(poses), 25.0)
    seen = np.ones_like(motion.visibility)
    smaller = motion.head_size * np.linspace(1.3, 0.9, FRAMES)

    turned = relative_size(replace(motion, head_size=smaller, visibility=seen))
    unsure = relative_size(replace(motion, head_size=smaller, visibility=0.1 * seen))

    assert np.allclose(turned, 1)
    assert np.isclose(unsure[0] / unsure[-1], 1.3 / 0.9, rtol=0.05)


def test_outlines_of_few_frames_do_not_tell_the_size() -> None:
    """A face that is lost in a shot's last two frames leaves the trunk's size, whatever their mattes show."""
    trunk = np.linspace(66.0, 70.0, FRAMES)
    widths = np.full(FRAMES, np.nan)
    widths[-2:] = 201, 5
    assert np.array_equal(outline_sizes(widths, trunk), trunk)
    widths[:] = 150
    assert np.ptp(outline_sizes(widths, trunk)) == 0


def test_what_is_wider_than_heads_tells_no_size():
    """A matte that holds a wide thing above the head leaves the size to the trunk."""
    assert np.isnan(outline_widths(_squeezed_track(), _Mattes(top=70))).all()
