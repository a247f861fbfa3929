"""Hands that the hand network loses for a while: two hands that touch, fast hands, fists.

The body network sees their arms meanwhile. A hand that the puppet's replaces for half a second is seen to flicker.
"""

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.perception.smoothing import WRIST_SEEN_MIN, spans
from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.body.skeleton import ARMS, SIDES

Array = NDArray[np.float64]

WRISTS = (BodyPoint.LEFT_WRIST, BodyPoint.RIGHT_WRIST)
LOST_SECONDS = 0.6
"""Time from a frame in which the hand is seen, before or after, up to which it is believed to be where the arm ends,
and to look as it does there."""
SIZE_MIN, SIZE_MAX = 0.75, 1.3
"""Bounds of a lost hand's size over that in the frame in which it is seen."""
LENGTH_MIN = 1.0
"""Pixels: shorter hands have no direction."""


def with_lost_hands(
    hands: Array, own: NDArray[np.bool_], track: PersonTrack, frame_rate: float
) -> tuple[Array, NDArray[np.bool_]]:
    """``hands`` (F, 2, 21, 2) and which are the actor's ``own`` (F, 2), with those that are lost for a short time.

    A lost hand has the shape of the nearest frame of the shot in which it is seen, turned and placed as the body's
    wrist and knuckles.
    """
    result, found = hands.copy(), own.copy()
    body = track.body[..., :2].astype(np.float64)
    reach = round(LOST_SECONDS * frame_rate)
    for k, (side, wrist) in enumerate(zip(SIDES, WRISTS, strict=True)):
        way = body[:, list(ARMS[side].tip)].mean(1) - body[:, wrist]
        pointing = np.hypot(*way.T) >= LENGTH_MIN
        seen = track.present & pointing & (track.visibility[:, wrist] >= WRIST_SEEN_MIN)
        # Once the wrist is hidden, the hand may be behind something: it is believed as long as nothing came between.
        for start, stop in spans(seen | own[:, k], track.shot, gap_max=0):
            known = start + np.flatnonzero(own[start:stop, k] & pointing[start:stop])
            lost = start + np.flatnonzero(~own[start:stop, k])
            if not len(known) or not len(lost):
                continue
            nearest = known[np.abs(known[None] - lost[:, None]).argmin(1)]
            near = np.abs(nearest - lost) <= reach
            for i, j in zip(lost[near].tolist(), nearest[near].tolist(), strict=True):
                result[i, k] = body[i, wrist] + (hands[j, k] - body[j, wrist]) @ _turn(way[j], way[i]).T
                found[i, k] = True
    return result, found


def _turn(start: Array, stop: Array) -> Array:
    """(2, 2) turns and scales ``start`` (2,) to ``stop`` (2,), which are ``LENGTH_MIN`` long at least."""
    ratio = complex(*stop) / complex(*start)
    ratio *= min(max(abs(ratio), SIZE_MIN), SIZE_MAX) / abs(ratio)
    return np.array([[ratio.real, -ratio.imag], [ratio.imag, ratio.real]])
