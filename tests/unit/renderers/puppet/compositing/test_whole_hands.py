"""Hands from frames that show them whole."""

import cv2
import numpy as np

from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.compositing.light import Light, lab_of
from bodydouble.renderers.puppet.compositing.whole_hands import gather_hands
from bodydouble.renderers.puppet.motion.actor_motion import build_motion
from mannequin import joints, track_of

SKIN = (205, 160, 140)
SIZE = 500


class _Still:
    """A video of one picture; its frames are kept in ``asked`` when they are read."""

    def __init__(self, picture: np.ndarray) -> None:
        self.height, self.width = picture.shape[:2]
        self.frames, self.frame_rate = 20, 25.0
        self._picture = picture
        self.asked: list[int] = []

    def read(self, start: int, stop: int, step: int = 1):
        for index in range(start, stop, step):
            self.asked.append(index)
            yield index, self._picture


HAND = joints()[15] + np.array([[0.0, 0.0], *([x, y] for x in range(-8, 12, 4) for y in (10, 16, 21, 25))])
"""(21, 2) px an open left hand that points down."""


def _with_hand(frames: int) -> PersonTrack:
    """Somebody who stands still and whose left hand is measured in all frames."""
    track = track_of([joints()] * frames)
    track.hand_found[:, 0], track.hands[:, 0], track.hands[:, 0, :, :2] = True, 0, HAND
    return track


def test_a_lost_hand_has_the_picture_of_the_frame_beside():
    """Only frames are read that other frames need, and each hand is cut out once."""
    track = _with_hand(20)
    track.hand_found[9:11, 0] = False
    image, matte = np.full((SIZE, SIZE, 3), 90, np.uint8), np.zeros((SIZE, SIZE), np.uint8)
    for canvas, value in ((image, SKIN), (matte, 255)):
        cv2.fillConvexPoly(canvas, cv2.convexHull(np.round(HAND).astype(np.int32)), value)
    own = lab_of(np.array([[SKIN]], np.uint8))[0, 0].astype(np.float64)
    light = Light(gain=np.ones(3), exposure=1.0, brightness=0.0, follow=np.ones(1), actor_skin=own, character_skin=own)
    motion = build_motion(track, 25.0)
    footage = _Still(image)

    hands = gather_hands(footage, _Still(matte), motion, light, np.array([SKIN, SKIN]))

    needed = motion.hand_source[:, 0] != np.arange(20)
    assert needed[9:11].all()
    assert set(hands) == {(int(i), 0) for i in motion.hand_source[needed, 0]}
    assert all(i % 2 == 0 for i in footage.asked)
    assert all(hand.alpha.max() > 0.9 for hand in hands.values())


def test_nothing_is_read_where_no_hand_is_lost():
    """A video whose hands are always found costs nothing."""
    motion = build_motion(_with_hand(20), 25.0)
    footage = _Still(np.zeros((SIZE, SIZE, 3), np.uint8))
    own = np.array([70.0, 15.0, 15.0])
    light = Light(gain=np.ones(3), exposure=1.0, brightness=0.0, follow=np.ones(1), actor_skin=own, character_skin=own)

    assert (motion.hand_weight[:, 0] > 0).any()
    assert gather_hands(footage, footage, motion, light, np.array([SKIN, SKIN])) == {}
    assert footage.asked == []
