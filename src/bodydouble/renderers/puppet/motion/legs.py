"""The character's legs: as the actor's, with feet that stay where they are while the actor's rest."""

import math

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.smoothing import spans
from bodydouble.renderers.puppet.body import quaternions
from bodydouble.renderers.puppet.body.skinning import BonePose
from bodydouble.renderers.puppet.motion.rest_skeleton import RestSkeleton, unit_vector, wrapped

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

FOOT_TURN_MAX = 0.6
"""Largest turn of a foot away from its shin's turn, in radians: soles do not look up."""
FOOT_FOLLOWS = 0.5
"""Share of its shin's turn on screen that a foot makes. Chosen by eye on dancers."""
WAY_SURE, WAY_UNSURE = -0.4, -0.95
"""Cosines of the angle between a bone's own direction and the wanted one between which the shortest rotation becomes
unsure: far beyond a right angle a small change of the direction changes its axis much. Chosen by eye on actors who
sit."""
TWIST, FLAT, TILT_MIN = (0.9, 2.1), (0.2, 0.6), 0.1
"""Radians of a bone's twist up to which it is undone, and from which nothing of it; lengths on screen over its own
between which this begins; and the depth of a direction up to which there is no twist. Chosen by eye on actors who sit
and crouch."""
LONG = 0.55, 0.7
"""Lengths on screen over its own between which any twist of a bone begins to be undone. Chosen by eye on actors who
sit, crouch, and stand on one leg."""
RESTING_SPEED = 0.5
"""Spine lengths a second below which an actor's foot rests: about 1.5 px a frame for a body as tall as 480P."""
RESTING_FRAMES_MIN = 4
"""Smallest number of frames of a rest. Chosen by eye on dancers, like the next."""
FADE_FRAMES = 6
"""Frames before and after a rest over which a foot comes from, and returns to, where the leg itself has it."""
SHIFT_MAX = 0.3
"""Largest move of a foot in spine lengths: the remaining difference slides."""
TINY = 1e-9
"""Lengths below it count as zero."""


def limb_rotation(azimuth: float, turn: float, tilt: float) -> Array:
    """(4,) a bone at ``azimuth`` turned by ``turn`` in the picture plane and tilted by ``tilt`` towards the camera."""
    turned = quaternions.multiply(quaternions.about_z(azimuth + turn), quaternions.about_y(tilt))
    return quaternions.multiply(turned, quaternions.about_z(-azimuth))


def place_leg(
    rest: RestSkeleton,
    side: str,
    directions: tuple[Array, Array],
    foot: Array,
    foot_share: float,
    hip: Array,
    roll: float = 0.0,
) -> tuple[dict[str, BonePose], dict[str, Array]]:
    """Bones and joints of the leg of ``side`` that begins at ``hip`` (3,).

    ``directions``: (3,) each, of thigh and shin. ``foot``: (3,) the direction of the actor's foot. ``foot_share``: its
    length on screen over its own, 0-1. ``roll``: radians that the trunk is turned on screen.
    """
    bones: dict[str, BonePose] = {}
    joints = {f"hip_{side}": hip}
    place, before = hip, quaternions.about_z(roll)
    for name, joint, direction in zip(("thigh", "calf"), ("knee", "ankle"), directions, strict=True):
        bone = rest.bones[f"{name}_{side}"]
        before = _folded((bone.azimuth, bone.elevation), direction, roll, before)
        bones[f"{name}_{side}"] = BonePose(rotation=before, origin=bone.origin, target=place)
        place = place + direction * bone.length
        joints[f"{joint}_{side}"] = place
    own, shin = rest.bones[f"foot_{side}"], directions[1]
    # A shin that points at the camera has hardly a turn on screen.
    flat = math.hypot(shin[0], shin[1])
    base = FOOT_FOLLOWS * flat * wrapped(math.atan2(shin[1], shin[0]) - rest.bones[f"calf_{side}"].azimuth, -np.pi)
    swing = wrapped(float(np.arctan2(foot[1], foot[0])) - own.azimuth - base, -np.pi)
    turn = base + min(max(swing, -FOOT_TURN_MAX), FOOT_TURN_MAX) * foot_share
    bones[f"foot_{side}"] = BonePose(rotation=quaternions.about_z(turn), origin=own.origin, target=place)
    return bones, joints


def _folded(own: tuple[float, float], direction: Array, roll: float, before: Array) -> Array:
    """(4,) the rotation of a leg's bone with its ``own`` azimuth and elevation to the wanted ``direction`` (3,).

    A turn on screen with a tilt would turn a thigh that is raised before the trunk inside out: it goes the shortest
    way. That begins at the trunk's turn on screen by ``roll`` radians; near half a turn from there, where it may go
    anywhere, at the rotation ``before`` (4,) of the bone that this one hangs on.
    """
    upright = quaternions.about_z(roll)
    start = unit_vector(own[0] + roll, own[1])
    way = quaternions.multiply(quaternions.swing(start, direction), upright)
    if (cosine := float(start @ direction)) < WAY_SURE:
        start = quaternions.to_matrix(before) @ unit_vector(*own)
        other = quaternions.multiply(quaternions.swing(start, direction), before)
        way = quaternions.between(way, other, _faded(cosine, WAY_SURE, WAY_UNSURE))
    way = _facing(way, own[0], direction)
    return way if way @ before >= 0 else -way


def _facing(way: Array, azimuth: float, direction: Array) -> Array:
    """The rotation ``way`` (4,) of a bone at ``azimuth`` to ``direction`` (3,), twisted to show its front again.

    What it shows is a picture of its front. Undoing a twist by far more than a right angle would turn a bone inside out
    that points at the camera; one that is seen at length, as a thigh raised in profile, is torn at the hip without.
    """
    x, y, z = direction.tolist()
    flat = math.hypot(x, y)
    if abs(z) < TILT_MIN or flat < FLAT[0]:
        return way
    w, a, b, c = way.tolist()
    i, j = -math.sin(azimuth), math.cos(azimuth)
    i, j, k = (  # its side, turned: single numbers are ten times as fast as arrays
        i * (1 - 2 * (b * b + c * c)) + j * 2 * (a * b - w * c),
        i * 2 * (a * b + w * c) + j * (1 - 2 * (a * a + c * c)),
        i * 2 * (a * c - w * b) + j * 2 * (b * c + w * a),
    )
    # From there to where it would be parallel to the picture.
    twist = math.atan2(z * (i * x + j * y) - k * flat * flat, x * j - y * i)
    undone = 1 - _faded(abs(twist), *TWIST) * (1 - _faded(flat, *LONG))
    twist *= undone * _faded(flat, *FLAT) / 2
    return quaternions.multiply(np.array([math.cos(twist), *(math.sin(twist) * direction)]), way)


def _faded(value: float, none: float, full: float) -> float:
    """0 where ``value`` is at ``none`` or beyond, 1 at ``full``, smooth in between."""
    share = min(max((value - none) / (full - none), 0.0), 1.0)
    return share * share * (3 - 2 * share)


def directions_to(ankle: Array, leg: tuple[Array, Array, Array], lengths: tuple[float, float]) -> tuple[Array, Array]:
    """(3,) directions of thigh and shin that bring the ankle of ``leg`` to ``ankle`` (2,), with bones of ``lengths``.

    ``leg``: (3,) each of hip, knee and ankle. It turns about the hip, and tilts to look longer or shorter: a knee that
    bends to shorten a straight leg would jump.
    """
    hip, knee, old_ankle = leg
    before, after = (old_ankle - hip)[:2], ankle - hip[:2]
    size = float(before @ before)
    # Turn and growth of the line from hip to ankle, as one complex factor.
    c = float(before @ after) / max(size, TINY)
    s = float(before[0] * after[1] - before[1] * after[0]) / max(size, TINY)
    thigh = _tilted(np.array([[c, -s], [s, c]]) @ (knee - hip)[:2], float(knee[2] - hip[2]), lengths[0])
    shin = _tilted(after - thigh[:2] * lengths[0], float(old_ankle[2] - knee[2]), lengths[1])
    return thigh, shin


def _tilted(flat: Array, depth: float, length: float) -> Array:
    """(3,) the direction of a bone of ``length`` that looks as ``flat`` (2,); its tilt has the sign of ``depth``."""
    seen = flat * min(1.0, length / max(float(np.hypot(*flat)), TINY)) / length
    return np.array([*seen, np.copysign(np.sqrt(max(1 - float(seen @ seen), 0.0)), depth)])


def resting(
    feet: Array, spine: Array, frame_rate: float, shot: NDArray[np.int32], present: Flags
) -> list[tuple[int, int]]:
    """First and one past the last frame of each rest of a foot at ``feet`` (F, 2) px.

    ``spine``: (F,) px, the actor's; ``shot`` and ``present``: (F,) as in a track.
    """
    still = np.linalg.norm(np.diff(feet, axis=0), axis=1) * frame_rate < RESTING_SPEED * spine[1:]
    found = spans((np.r_[still, False] | np.r_[False, still]) & present, shot, gap_max=0)
    return [(start, stop) for start, stop in found if stop - start >= RESTING_FRAMES_MIN]


def planted(own: Array, feet: Array, rests: list[tuple[int, int]], limit: Array, shot: NDArray[np.int32]) -> Array:
    """(F, 2) px where an ankle is put that the leg has at ``own`` (F, 2), and the actor at ``feet`` (F, 2).

    During each of ``rests`` it moves as the actor's does. Before and after, it fades to ``own`` or to the next rest.
    ``limit``: (F,) px that it is moved at most.
    """
    away = own - feet
    shift, weight = np.zeros_like(own), np.zeros(len(own))
    for start, stop in rests:
        shift[start:stop] = np.median(away[start:stop], axis=0) - away[start:stop]
        weight[start:stop] = 1
    inside = weight > 0
    for start, stop in rests:
        for edge, step in ((start, -1), (stop - 1, 1)):
            for k in range(1, FADE_FRAMES + 1):
                i = edge + step * k
                if not 0 <= i < len(own) or inside[i] or shot[i] != shot[edge]:
                    break
                share = (1 - k / (FADE_FRAMES + 1)) ** 2
                shift[i] += share * shift[edge]
                weight[i] += share
    shift /= np.maximum(weight, 1)[:, None]
    size = np.linalg.norm(shift, axis=1)
    return own + shift * np.minimum(1, limit / np.maximum(size, TINY))[:, None]
