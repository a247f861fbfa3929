"""Hands behind the head, as when somebody lifts the hair: their forearms are drawn before none of it."""

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.smoothing import WRIST_SEEN_MIN, gaussian_smoothed, spans
from bodydouble.renderers.puppet.body.skeleton import ARMS
from bodydouble.renderers.puppet.motion.actor_motion import Motion

NEAR_HEAD = 2.2
"""Head sizes (``Head.size``) from the head's centre within which wrist or knuckles may be behind it: hair is wide."""
HAND_SEEN_MIN = 0.25
"""Weight of a found hand from which it is in sight."""
STEADY_SIGMA = 3.0
"""Frames, sigma of the Gaussian over which the frames decide together. All three chosen by eye on a dancer."""


def hands_behind_head(motion: Motion) -> NDArray[np.bool_]:
    """(F, 2) where the left and the right hand are behind the head, as far as the camera sees.

    The landmarks of such a hand are at the head. Neither the hand network finds it nor does the body's network see its
    wrist, for most of the frames around: a hand before the face would be seen. The network's depth tells less, because
    it guesses that of a hidden wrist.
    """
    result = np.zeros((len(motion), 2), np.bool_)
    for k, arm in enumerate(ARMS.values()):
        wrist = arm.joints[2]
        places = np.stack([motion.body[:, wrist], motion.body[:, list(arm.tip)].mean(1)])
        away = np.linalg.norm(places - motion.head_centre, axis=2).min(0) / motion.head_size
        unseen = (motion.visibility[:, wrist] < WRIST_SEEN_MIN) & (motion.hand_weight[:, k] < HAND_SEEN_MIN)
        hidden = (unseen & (away < NEAR_HEAD)).astype(np.float64)
        for start, stop in spans(motion.present, motion.shot, gap_max=0):
            result[start:stop, k] = gaussian_smoothed(hidden[start:stop], STEADY_SIGMA) > 0.5
    return result
