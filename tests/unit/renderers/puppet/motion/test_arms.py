"""Arms outside the frame."""

import numpy as np

from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.motion.actor_motion import build_motion
from mannequin import joints, track_of

SIZE = (500, 200)
"""Width and height of a frame that ends below the shoulders."""


def _guessed(frames: int = 24) -> PersonTrack:
    """A talking head: the left elbow is outside the frame, the wrist guessed before the face."""
    pose = joints()
    pose[13, 1] = 260
    pose[[15, 17, 19, 21]] = pose[0]
    track = track_of([pose] * frames)
    track.visibility[:, [13, 15]] = 0.5
    return track


def test_a_guessed_arm_outside_the_frame_hangs():
    """Without a hand, a wrist before the face is a guess; the other arm, inside the frame, stays."""
    track = _guessed()
    track.body[:, [14, 16, 18, 20, 22], 1] = 190
    body = build_motion(track, 25.0, frame_size=SIZE).body

    assert (body[:, 15, 1] > body[:, 13, 1]).all()
    assert (body[:, 13, 1] > body[:, 11, 1] + 50).all()
    assert np.allclose(body[:, [14, 16]], track.body[:, [14, 16], :2])


def test_a_hand_in_the_frame_or_a_sure_wrist_keeps_its_arm():
    """A gesture whose elbow is outside stays, through short losses of the hand; a long one lets it down gently."""
    track = _guessed(60)
    assert np.allclose(build_motion(track, 25.0).body, track.body[..., :2])
    track.hand_found[:40, 0] = True
    track.hand_found[5:9, 0] = False
    track.hands[:] = 0
    track.hands[:, 0, :, :2] = track.body[0, 15, :2]
    track.hands[40:, 0] = np.nan
    found = build_motion(track, 25.0, frame_size=SIZE).body[:, 15]
    assert np.allclose(found[:25], track.body[:25, 15, :2], atol=1)
    assert np.abs(np.diff(found[:, 1])).max() < 0.25 * np.ptp(found[:, 1])
    track.hand_found[:] = False
    track.visibility[:, 15] = 0.9
    assert np.allclose(build_motion(track, 25.0, frame_size=SIZE).body, track.body[..., :2])


def test_a_guessed_arm_inside_a_close_up_hangs():
    """The hips are outside: an elbow and a wrist of which the network is unsure raise no arm, a sure elbow does."""
    track = _guessed()
    track.body[:, 13, 1] = 150
    track.visibility[:, [13, 15]] = 0.3
    assert (build_motion(track, 25.0, frame_size=SIZE).body[:, 15, 1] > SIZE[1]).all()
    track.visibility[:, 13] = 0.7
    assert np.allclose(build_motion(track, 25.0, frame_size=SIZE).body, track.body[..., :2])
