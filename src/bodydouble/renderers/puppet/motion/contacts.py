"""Hands that touch something: brought to the same place on the character, with its own arm lengths."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.smoothing import gaussian_smoothed, spans
from bodydouble.renderers.puppet.body.skeleton import ARMS, LEGS, SIDES
from bodydouble.renderers.puppet.motion.actor_motion import Motion
from bodydouble.renderers.puppet.motion.actor_skeleton import ActorSkeleton, faded

Array = NDArray[np.float64]

REACH_MAX = 0.999
"""Largest stretch of an arm, as a share of its length: a straight arm has no plane to bend in."""
BEND_MIN = 1.02
"""Smallest distance from shoulder to wrist, over the difference of both bones' lengths."""
SHIFT_MAX = 0.6
"""Largest move of a wrist by a contact, in arm lengths: a farther one is no contact but another proportion."""
TINY = 1e-9
"""Lengths below it count as zero."""
OFF_LINE_MIN = 1e-6
"""Distance of the elbow from the line through shoulder and wrist, below which it gives the bend no side; and by which
the wrist stays beyond its smallest distance."""


@dataclass(frozen=True, kw_only=True)
class Touch:
    """A place that a wrist may be drawn to."""

    target: Array  # (2,) px in the picture
    weight: float  # 0-1


@dataclass(frozen=True, kw_only=True)
class ContactRange:
    """Distances of a hand from what it may touch: at ``near`` it touches, at ``far`` it does not."""

    near: float
    far: float
    strength: float = 1.0

    def weight(self, distance: Array) -> Array:
        """(F,) 0-1 for a ``distance`` (F,) in the same unit."""
        return self.strength * faded(distance, self.far, self.near)


HEAD = ContactRange(near=0.9, far=2.0)
"""In head sizes (``Head.size``) from the head's centre."""
OTHER_HAND = ContactRange(near=0.75, far=1.1)
"""In shoulder widths between both wrists."""
HIP = ContactRange(near=0.3, far=0.55, strength=0.8)
KNEE = ContactRange(near=0.25, far=0.45, strength=0.8)
"""In spine lengths from the joint. All four chosen by eye on the development clips."""
HANGING, AKIMBO = float(np.cos(np.deg2rad(55))), float(np.cos(np.deg2rad(85)))
"""Cosines of an elbow's bend up to which the arm hangs, and from which its hand may rest on the hip. Hands of hanging
arms are as near to the hips. Measured while walking and standing: 5 to 50 degrees."""
SEEN_MIN = 0.3
"""Visibility from which on a hip or knee may draw a hand."""
WEIGHT_SIGMA = 1.5
"""Frames, sigma of the Gaussian that steadies the weights: trembling wrists would let elbows jump. Chosen by eye."""
STRETCHED = (0.75, 0.85)
"""Distance of wrist and shoulder in arm lengths from which an arm counts as stretched, and as wholly so. Chosen by eye:
dancers' stretched arms have 0.84 to 0.98, hands that meet before the body 0.45 to 0.73."""


def contact_weights(motion: Motion, actor: ActorSkeleton) -> dict[str, Array]:
    """By side (F, 5) 0-1: how far the head, the other hand, the own hip and knee and the other knee draw that hand.

    Smoothed in time; 0 where the actor is absent.
    """
    result: dict[str, Array] = {}
    for side, other in zip(SIDES, reversed(SIDES), strict=True):
        own = _weights(motion, actor, side, other)
        for start, stop in spans(motion.present, motion.shot, gap_max=0):
            own[start:stop] = gaussian_smoothed(own[start:stop], WEIGHT_SIGMA)
        own[~motion.present] = 0
        result[side] = own
    return result


def _weights(motion: Motion, actor: ActorSkeleton, side: str, other: str) -> Array:
    """(F, 5) the weights of one hand in each frame by itself."""
    points = actor.points[..., :2]
    wrist, fingers = points[:, ARMS[side].joints[2]], points[:, list(ARMS[side].tip)].mean(1)
    centre, spine = motion.head_centre, actor.lengths["spine"] * actor.size
    head = np.minimum(*(np.linalg.norm(place - centre, axis=1) for place in (wrist, fingers))) / motion.head_size
    apart = np.linalg.norm(wrist - points[:, ARMS[other].joints[2]], axis=1)
    columns = [HEAD.weight(head), OTHER_HAND.weight(apart / (actor.lengths["shoulders"] * actor.size))]
    for reach, leg, joint in ((HIP, side, 0), (KNEE, side, 1), (KNEE, other, 1)):
        index = LEGS[leg].joints[joint]
        near = reach.weight(np.linalg.norm(wrist - points[:, index], axis=1) / spine)
        columns.append(np.where(motion.visibility[:, index] < SEEN_MIN, 0.0, near))
    upper, lower = (
        np.stack([actor.arm_direction(f"{bone}_{side}", i) for i in range(len(motion))])
        for bone in ("upperarm", "lowerarm")
    )
    columns[2] = columns[2] * faded((upper * lower).sum(1), HANGING, AKIMBO)
    return np.stack(columns, 1)


def drawn_wrist(wrist: Array, touches: list[Touch], arm_length: float) -> Array:
    """(2,) where ``touches`` draw a ``wrist`` (2,): their weighted mean, moved by at most a share of the arm."""
    total = sum(touch.weight for touch in touches)
    if total <= 0:
        return wrist
    shift = sum((touch.weight * (touch.target - wrist) for touch in touches), np.zeros(2)) / max(1.0, total)
    length = float(np.hypot(*shift))
    return wrist + shift * min(1.0, SHIFT_MAX * arm_length / max(length, TINY))


def touching_wrist(place: Array, wrist: Array, shoulder: Array, arm_length: float) -> Array:
    """(3,) a wrist at ``place`` (2,) on screen, of an arm from ``shoulder`` (3,) to ``wrist`` (3,) without the contact.

    A stretched arm that touches something nearer is tilted rather than bent: it keeps its distance from the shoulder.
    A bent one has another bend anyway and keeps its depth: tilted, it would turn its elbow away from the trunk.
    """
    away = wrist - shoulder
    square = float(away @ away)
    none, full = STRETCHED
    straight = min(max((square**0.5 / max(arm_length, TINY) - none) / (full - none), 0.0), 1.0)
    depth = max(square - float(((place - shoulder[:2]) ** 2).sum()), 0.0) ** 0.5
    tilted = float(np.copysign(depth, away[2] or -1.0))
    return np.array([*place, wrist[2] + straight * (shoulder[2] + tilted - wrist[2])])


def bend_arm(shoulder: Array, elbow: Array, target: Array, lengths: tuple[float, float]) -> tuple[Array, Array]:
    """Elbow and wrist (3,) of an arm from ``shoulder`` (3,) that reaches for ``target`` (3,) with bones of ``lengths``.

    The elbow stays on the side of ``elbow`` (3,), where it is without the contact.
    """
    upper, lower = lengths
    way = target - shoulder
    distance = float(np.linalg.norm(way))
    along = way / max(distance, TINY)
    distance = float(np.clip(distance, BEND_MIN * abs(upper - lower) + OFF_LINE_MIN, REACH_MAX * (upper + lower)))
    out = (elbow - shoulder) - ((elbow - shoulder) @ along) * along
    size = float(np.linalg.norm(out))
    if size < OFF_LINE_MIN:
        out, size = np.array([-along[1], along[0], 0.0]), max(float(np.hypot(along[0], along[1])), OFF_LINE_MIN)
    cosine = float(np.clip((upper**2 + distance**2 - lower**2) / (2 * upper * distance), -1, 1))
    bent = shoulder + upper * (cosine * along + np.sqrt(1 - cosine**2) * out / size)
    wrist = shoulder + distance * along
    return bent, wrist
