"""How much of the actor's body the video shows."""

import numpy as np

from bodydouble.perception.landmark_indices import KNEES, BodyPoint
from bodydouble.perception.trunk import HIPS, hip_centre, spine_vector
from bodydouble.renderers.puppet.motion.actor_motion import Motion
from bodydouble.renderers.puppet.motion.actor_skeleton import STANDING

LOWER_LEGS = [BodyPoint.LEFT_KNEE, BodyPoint.RIGHT_KNEE, BodyPoint.LEFT_ANKLE, BodyPoint.RIGHT_ANKLE]
HIPS_SEEN_MIN = 0.8
"""Median visibility of the less visible hip from which on the spine's length is believed."""
LEGS_SEEN_MIN = 0.4
"""Median visibility of the least visible knee or ankle from which on the actor counts as seen down to the feet, and of
the better seen leg of an actor who stands: one leg hides the other, wide trousers hide a knee. Measured: at least 0.54
of actors in wide trousers, at most 0.18 of those behind others or a desk; 0.4 to 0.5 of those who sit."""
KNEES_SEEN_MIN, LEGS_OFTEN_MIN, THIGHS_SEEN_MIN = 0.5, 0.15, 0.95
"""Visibility of a knee from which it is seen; share of the frames with one from which the character needs legs; and
visibility of both hips from which thighs are seen. Measured: 1 with thighs in the frame, up to 0.85 without."""


def hips_seen(motion: Motion) -> bool:
    """Whether the network sees the actor's hips in most frames rather than guessing them."""
    seen, body = motion.visibility[motion.present][:, HIPS].min(1), motion.body[motion.present]
    seen[hip_centre(body)[:, 1] > motion.lowest[motion.present]] = 0  # in a close-up the network is sure of its guess
    return bool(len(seen)) and float(np.median(seen)) > HIPS_SEEN_MIN


def legs_needed(motion: Motion) -> bool:
    """Whether the actor's legs are seen now and then. Then the character needs legs that its picture may cut off."""
    seen = motion.visibility[motion.present]
    legs = (seen[:, LOWER_LEGS[:2]].max(1) > KNEES_SEEN_MIN) | (seen[:, HIPS].min(1) > THIGHS_SEEN_MIN)
    return bool(len(legs)) and float(legs.mean()) > LEGS_OFTEN_MIN


def legs_seen(motion: Motion) -> bool:
    """Whether the actor is seen down to the feet in most frames."""
    seen, body = motion.visibility[motion.present][:, LOWER_LEGS], motion.body[motion.present]
    if not len(seen):
        return False
    thighs = body[:, KNEES, 1].mean(1) - hip_centre(body)[:, 1]
    stands = thighs > STANDING * np.linalg.norm(spine_vector(body), axis=1)
    better = np.minimum(seen[:, :2], seen[:, 2:]).max(1)
    legs = np.where(stands, better, seen.min(1))
    legs[body[:, KNEES, 1].min(1) > motion.lowest[motion.present]] = 0  # in a close-up the network guesses legs
    return float(np.median(legs)) > LEGS_SEEN_MIN
