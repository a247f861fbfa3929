import numpy as np
import pytest

from bodydouble.renderers.puppet.motion.actor_motion import Motion, build_motion
from bodydouble.renderers.puppet.motion.hidden_hands import hands_behind_head
from mannequin import joints, track_of

LEFT_ELBOW, LEFT_WRIST, LEFT_HAND = 13, 15, [15, 17, 19, 21]
FRAMES = 24


def _motion(*, wrist_seen: float, frames: slice = slice(None), hand_found: bool = False) -> Motion:
    """An actor whose left hand is at the head throughout; in some ``frames`` the network sees it otherwise."""
    pose = joints()
    pose[LEFT_ELBOW], pose[LEFT_HAND] = pose[11] + [40, -40], pose[0] + [6, 0]
    track = track_of([pose] * FRAMES)
    track.visibility[frames, LEFT_WRIST] = wrist_seen
    track.hand_found[frames, 0] = hand_found
    track.hands[:, 0] = np.r_[pose[LEFT_WRIST], 0]
    return build_motion(track, 25.0)


def test_a_hand_at_the_head_that_nobody_sees_is_behind_it():
    """The other hand, which hangs, is not."""
    behind = hands_behind_head(_motion(wrist_seen=0.1))

    assert behind[:, 0].all()
    assert not behind[:, 1].any()


@pytest.mark.parametrize("seen", [{"wrist_seen": 0.9}, {"wrist_seen": 0.1, "hand_found": True}])
def test_a_hand_that_is_seen_stays_before_the_face(seen: dict[str, float]):
    """Either network may see it."""
    assert not hands_behind_head(_motion(**seen)).any()


def test_a_hand_before_the_face_that_is_lost_for_some_frames_stays_there():
    """Three frames do not decide against those around them."""
    assert not hands_behind_head(_motion(wrist_seen=0.1, frames=slice(10, 13))).any()
