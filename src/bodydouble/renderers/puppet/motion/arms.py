"""Arms outside the frame: the network guesses them anew in each frame, and often raised before the face."""

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.smoothing import gaussian_smoothed, spans
from bodydouble.perception.track import PersonTrack
from bodydouble.perception.trunk import HIPS, shoulder_centre, spine_vector
from bodydouble.renderers.puppet.body.skeleton import ARMS, HANGING, HANGING_FOREARM
from bodydouble.renderers.puppet.motion.size import near_found

Array = NDArray[np.float64]

WRIST_SURE_MIN = 0.8
"""Visibility of a wrist from which it is believed without a hand. Measured: up to 0.56 of guesses in talking heads."""
GUESSED_MAX = 0.5
"""Visibility of elbow and wrist below which an arm of an actor whose hips are outside the frame is a guess, wherever it
is. Chosen by eye on talking heads."""
UPPER_ARM, FOREARM, HAND = 0.62, 0.49, 0.2
"""Lengths over the spine's, of an adult (Drillis and Contini, "Body Segment Parameters", 1966)."""
SEEN_SIGMA = 3.0
"""Frames, sigma of the Gaussian over which an arm comes and goes. Chosen by eye on talking heads."""


def hang_unseen(body: Array, track: PersonTrack, size: tuple[int, int]) -> Array:
    """``body`` (F, 33, 3) with arms that hang from the shoulders as far as the frame of ``size`` (w, h) shows nothing.

    An arm is unseen if no hand is found for a while, its wrist is unsure, and its elbow is outside or, in a close-up,
    unsure too.
    """
    result = body.copy()
    inside = np.asarray(((body[..., :2] >= 0) & (body[..., :2] < size)).all(2), np.bool_)
    close_up = ~inside[:, HIPS].any(1)
    for k, arm in enumerate(ARMS.values()):
        _, elbow, wrist = arm.joints
        guessed = close_up & (track.visibility[:, [elbow, wrist]].max(1) < GUESSED_MAX)
        seen = (inside[:, elbow] & ~guessed) | near_found(track.hand_found[:, k] & track.present)
        seen |= track.visibility[:, wrist] >= WRIST_SURE_MIN
        for start, stop in spans(track.present, track.shot, gap_max=0):
            here = slice(start, stop)
            if seen[here].all():
                continue
            share = gaussian_smoothed((~seen[here]).astype(np.float64), SEEN_SIGMA)[:, None, None]
            parts = [elbow, wrist, *arm.extremity]
            result[here, parts] += share * (_hanging(body[here], arm.joints[0]) - body[here][:, parts])
    return result


def _hanging(body: Array, shoulder: int) -> Array:
    """(F, 5, 3) elbow, wrist and three points of the hand of an arm that hangs from ``shoulder`` of ``body``."""
    origin, spine = body[:, shoulder], np.linalg.norm(spine_vector(body)[:, :2], axis=1)
    outwards = np.sign(origin[:, 0] - shoulder_centre(body)[:, 0])
    along = [HANGING / np.linalg.norm(HANGING), np.array([HANGING_FOREARM, 1.0, 0.0])]
    upper, lower = (np.stack([outwards * way[0], *np.tile(way[1:, None], len(body))], 1) for way in along)
    elbow = origin + UPPER_ARM * spine[:, None] * upper
    wrist = elbow + FOREARM * spine[:, None] * lower
    hand = wrist + HAND * spine[:, None] * lower
    return np.stack([elbow, wrist, hand, hand, hand], 1)
