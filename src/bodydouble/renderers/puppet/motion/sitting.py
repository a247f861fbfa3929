"""Somebody who sits or crouches leans to the camera: no frame shows how long the trunk is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.landmark_indices import KNEES
from bodydouble.perception.smoothing import gaussian_smoothed, spans
from bodydouble.perception.trunk import HIPS
from bodydouble.renderers.puppet.motion.actor_motion import Motion
from bodydouble.renderers.puppet.motion.actor_skeleton import SITTING, STANDING, ActorSkeleton, faded
from bodydouble.renderers.puppet.motion.visibility import THIGHS_SEEN_MIN

Array = NDArray[np.float64]

KNEES_HIDDEN, KNEES_SEEN = 0.15, 0.3
"""Visibility of the better seen knee up to which its place is a guess, and from which it is believed. Measured: up to
0.05 of knees outside the frame, 0.33 to 0.85 of somebody who sits or crouches."""
SITS_SIGMA = 6.0
"""Frames, sigma of the Gaussian that steadies how much somebody sits. Chosen by eye on the development clips."""
TINY = 1e-6
"""Lengths below it count as zero."""
LEAN_MIN = 0.75
"""Length of a leaning trunk on screen over its own, at least (41 degrees). Chosen by eye on an actor who sits."""


@dataclass(frozen=True, kw_only=True)
class Lean:
    """How far the character's trunk leans to the camera so that its hips are where the actor's are seen."""

    sits: Array  # (F,) 0-1
    depth: float  # of the trunk's direction: 0 is upright, -1 would point at the camera

    def tilted(self, up: Array, index: int) -> Array:
        """(3,) the trunk's direction ``up`` in frame ``index``, which leans at least so far where the actor sits."""
        share = float(self.sits[index])
        if share <= 0 or self.depth >= 0:
            return up
        depth = (1 - share) * float(up[2]) + share * min(float(up[2]), self.depth)
        flat = np.sqrt(1 - depth**2) / max(float(np.hypot(*up[:2])), TINY)
        return np.array([*(up[:2] * flat), depth])


def lean_of(motion: Motion, actor: ActorSkeleton, spine: float) -> Lean:
    """From the frames of ``motion`` in which the actor sits. ``spine``: px, the length of the character's on screen."""
    below = actor.points[:, KNEES, 1].mean(1) - actor.hips[:, 1]
    sits = faded(below / (actor.lengths["spine"] * actor.size), STANDING, SITTING)
    sits *= faded(motion.visibility[:, KNEES].max(1), KNEES_HIDDEN, KNEES_SEEN)
    sits[~motion.present | (motion.visibility[:, HIPS].min(1) < THIGHS_SEEN_MIN)] = 0
    for start, stop in spans(motion.present, motion.shot, gap_max=0):
        sits[start:stop] = gaussian_smoothed(sits[start:stop], SITS_SIGMA)
    seen = sits > 0.5
    if not seen.any():
        return Lean(sits=np.zeros(len(sits)), depth=0.0)
    usual = float(np.median(np.hypot(*actor.vectors["spine"][seen, :2].T))) / spine
    return Lean(sits=sits, depth=-float(np.sqrt(1 - np.clip(usual, LEAN_MIN, 1) ** 2)))
