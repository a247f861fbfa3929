"""Somebody who sits or crouches leans to the camera: no frame shows how long the trunk is."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.landmark_indices import KNEES
from bodydouble.perception.smoothing import gaussian_smoothed, spans
from bodydouble.perception.trunk import HIPS
from bodydouble.renderers.puppet.body.skeleton import LEGS
from bodydouble.renderers.puppet.motion.actor_motion import Motion
from bodydouble.renderers.puppet.motion.actor_skeleton import SITTING, STANDING, ActorSkeleton, faded
from bodydouble.renderers.puppet.motion.rest_skeleton import RestSkeleton
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

TURNED = (0.1, 0.6)
"""Depth between the shoulders over their distance (its sine) up to which the trunk leans, and from which it does not.
Chosen by eye on an actor who turns while she crouches."""


@dataclass(frozen=True, kw_only=True)
class Lean:
    """How the character sits: its trunk leans to the camera so far that its hips are where the actor's are seen."""

    sits: Array  # (F,) 0-1
    depth: float  # of the trunk's direction: 0 is upright, -1 would point at the camera
    scale: float  # frame pixels for a picture pixel, at the actor's usual size

    def tilted(self, up: Array, across: Array, index: int) -> tuple[Array, float]:
        """(3,) the trunk's direction ``up`` in frame ``index``, which leans at least so far where the actor sits.

        And the factor on the trunk's length. A turned trunk is shorter instead: one that leans to the camera would lift
        its far shoulder to the chin. ``across`` (3,) points from the right shoulder to the left one.
        """
        share = float(self.sits[index])
        if share <= 0 or self.depth >= 0:
            return up, 1.0
        leaning = 1 - float(faded(abs(float(across[2])), *TURNED))
        flats: list[float] = []
        for least in (self.depth, leaning * self.depth):
            depth = (1 - share) * float(up[2]) + share * min(float(up[2]), least)
            flats.append(math.sqrt(1 - depth**2))
        flat = flats[1] / max(float(np.hypot(*up[:2])), TINY)
        return np.array([*(up[:2] * flat), depth]), flats[0] / flats[1]

    def leg(
        self, actor: ActorSkeleton, rest: RestSkeleton, index: int, side: str, hip: Array, own: tuple[Array, Array]
    ) -> tuple[Array, Array]:
        """(3,) directions of the thigh and shin of ``side`` from the character's ``hip`` (3,) in frame ``index``.

        Where the actor sits, knee and ankle are at the actor's, as far as they reach: a longer thigh points more
        at the camera than the actor's ``own`` directions do, rather than out of the frame.
        """
        share = float(self.sits[index])
        if share <= 0:
            return own
        # Single numbers: several times as fast as arrays of two.
        unit, points = float(actor.size[index]) * self.scale, actor.points[index]
        hip_x, hip_y = ((float(points[HIPS[0], k]) + float(points[HIPS[1], k])) / 2 for k in (0, 1))
        directions: list[Array] = []
        x, y = float(hip[0]), float(hip[1])
        for bone, joint, direction in zip(("thigh", "calf"), LEGS[side].joints[1:], own, strict=True):
            length, (own_x, own_y, own_z) = rest.bones[f"{bone}_{side}"].length, direction.tolist()
            to_x = ((float(points[joint, 0]) - hip_x) / unit - x) / length
            to_y = ((float(points[joint, 1]) - hip_y) / unit - y) / length
            nearer = share / max(1.0, math.hypot(to_x, to_y))
            to_x, to_y = (1 - share) * own_x + nearer * to_x, (1 - share) * own_y + nearer * to_y
            depth = math.sqrt(max(0.0, 1 - to_x * to_x - to_y * to_y))
            directions.append(np.array([to_x, to_y, depth if own_z > 0 else -depth]))
            x, y = x + to_x * length, y + to_y * length
        return directions[0], directions[1]


def lean_of(motion: Motion, actor: ActorSkeleton, rest: RestSkeleton, scale: float) -> Lean:
    """From the frames of ``motion`` in which the actor sits. ``scale``: frame px for a px of the ``rest`` skeleton."""
    below = actor.points[:, KNEES, 1].mean(1) - actor.hips[:, 1]
    sits = faded(below / (actor.lengths["spine"] * actor.size), STANDING, SITTING)
    sits *= faded(motion.visibility[:, KNEES].max(1), KNEES_HIDDEN, KNEES_SEEN)
    sits[~motion.present | (motion.visibility[:, HIPS].min(1) < THIGHS_SEEN_MIN)] = 0
    for start, stop in spans(motion.present, motion.shot, gap_max=0):
        sits[start:stop] = gaussian_smoothed(sits[start:stop], SITS_SIGMA)
    seen = sits > 0.5
    if not seen.any():
        return Lean(sits=np.zeros(len(sits)), depth=0.0, scale=scale)
    usual = float(np.median(np.hypot(*actor.vectors["spine"][seen, :2].T))) / (scale * rest.spine)
    return Lean(sits=sits, depth=-float(np.sqrt(1 - np.clip(usual, LEAN_MIN, 1) ** 2)), scale=scale)
