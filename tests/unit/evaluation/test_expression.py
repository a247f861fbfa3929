"""Mouth and head against the actor's."""

import numpy as np
import pytest

from bodydouble.evaluation.expression import face_found, head_yaw, mouth_correlation, yaw_gain
from bodydouble.perception.track import PersonTrack, empty_track

FRAMES = 40


def _talking(gain: float = 1.0, mouth: float = 1.0) -> PersonTrack:
    """A face that turns and opens its mouth, both scaled."""
    track = empty_track(FRAMES)
    track.face_found[:] = True
    track.face[:] = 0
    time = np.linspace(0, 4 * np.pi, FRAMES)
    yaw = np.radians(15) * np.sin(time) * gain
    track.face[:, 234, 0], track.face[:, 454, 0] = -50 * np.cos(yaw), 50 * np.cos(yaw)
    track.face[:, 234, 2], track.face[:, 454, 2] = -50 * np.sin(yaw), 50 * np.sin(yaw)
    track.face[:, 164, 1] = 60
    track.face[:, 14, 1] = 10 + 8 * mouth * np.sin(1.7 * time)
    return track


def test_a_damped_head_has_a_lower_gain() -> None:
    """Half the turn is a gain of one half."""
    assert head_yaw(_talking()).max() == pytest.approx(15, abs=0.2)
    assert yaw_gain(_talking(), _talking(gain=0.5)) == pytest.approx(0.5, abs=0.02)


def test_a_mouth_that_follows_correlates() -> None:
    """Openings of another size correlate fully; the opposite movement the other way."""
    assert mouth_correlation(_talking(), _talking(mouth=0.6)) == pytest.approx(1)
    assert mouth_correlation(_talking(), _talking(mouth=-0.6)) == pytest.approx(-1)


def test_what_cannot_be_measured_is_none() -> None:
    """No face, or a head that keeps still, gives no figure."""
    nobody, still = empty_track(FRAMES), _talking(gain=0)
    assert mouth_correlation(_talking(), nobody) is None
    assert yaw_gain(still, _talking()) is None
    assert face_found(nobody, _talking()) is None
    assert face_found(_talking(), nobody) == 0
