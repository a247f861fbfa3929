"""An actor who turns: which frames show the back, and how far a trunk may turn."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.perception.smoothing import spans
from bodydouble.perception.track import BODY_POINTS
from bodydouble.perception.trunk import spine_vector
from bodydouble.renderers.puppet.motion.actor_motion import Motion
from bodydouble.renderers.puppet.motion.expression import smoothstep

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

WIDTH_SURE = 0.4
"""Width of shoulders and hips, over its largest, from which on their order on screen is sure."""
WIDTH_LEAST = 0.6
"""Least of that largest width, of shoulders and hips together, in lengths of the spine. Measured: 0.26 of a runner who
is seen from the side throughout, 0.6 to 1.2 (from the front) of others."""
FACE_SAYS, NO_FACE_SAYS = 0.8, 0.4
"""Evidence of a found face for the front, and share of the order's evidence that the lack of a face adds for the back,
or takes from the front: the network shows some frames of backs as fronts."""
PROFILE_SAYS, PROFILE_COS = 0.15, (0.25, 0.5)
"""Evidence of a head in profile for the front, and the cosines of its turn between which it is in profile no more. The
network finds few faces in profile, and what is seen is half a face, no back of a head."""
NOSE_REACH, EARS_APART = 0.15, 0.24
"""How far the nose is beside the ears in profile, and the ears are apart from the front, in lengths of the trunk.
Measured on six clips of people who turn."""
CHANGE_COST, CHANGE_RATE = 4.0, 25.0
"""Sure frames that one change between front and back weighs as much as, and the frame rate to which it belongs. A back
of 0.25 s is seen, and so is a front with a face; one without lasts 0.5 s. Chosen by eye on a dancer and on backs."""
ORDER_KEPT = 0.15
"""Width, over its largest, from which on shoulders of a back that are in a front's order are the network's error."""
TURN_MAX = np.deg2rad(75)
"""Turn of the trunk that is never passed: beyond it the front's texture is a few pixels wide."""
OWN_TURN_COST, TURN_LEFT_MIN = 0.75, np.deg2rad(30)
"""How much less a trunk turns for each radian that the picture shows it turned, and what is left at least: a picture
from the side shows little of the others, and the network's depth makes turns of drawn people up to twice as wide."""
TINY = 1e-9
"""Lengths below it count as zero."""
_PAIRS = [(left, left.name.replace("LEFT", "RIGHT")) for left in BodyPoint if left.name.startswith("LEFT")]
SWAPPED = np.arange(BODY_POINTS)
"""Row of the other side's landmark for each body landmark."""
for _left, _name in _PAIRS:
    SWAPPED[_left], SWAPPED[BodyPoint[_name]] = BodyPoint[_name], _left


def back_frames(motion: Motion) -> Flags:
    """(F,) where the actor is seen from behind.

    Told by the order of shoulders and hips on screen, by faces and by heads in profile, for each shot as a whole: by
    the sequence of fronts and backs that agrees best with all frames, where each change has its price (Viterbi's
    algorithm).
    """
    result = np.zeros(len(motion), np.bool_)
    widths, profile = _widths(motion), 1 - smoothstep(*PROFILE_COS, np.abs(_head_cosines(motion)))
    for start, stop in spans(motion.present, motion.shot, gap_max=0):
        order = np.clip(widths[start:stop] / WIDTH_SURE, -1, 1)
        face, side = motion.face_found[start:stop], profile[start:stop]
        no_face = PROFILE_SAYS * side - NO_FACE_SAYS * np.abs(order) * (1 - side)
        front = order + np.where(face, FACE_SAYS, no_face)
        result[start:stop] = _best_backs(front, CHANGE_COST * motion.frame_rate / CHANGE_RATE)
    return result


def _widths(motion: Motion) -> Array:
    """(F,) from right to left on screen, of shoulders and hips, over the largest of the shot; 0 where absent.

    The largest is at least that of somebody half turned: in a shot from the side alone, every width is small.
    """
    x = motion.body[..., 0]
    across = (
        x[:, BodyPoint.LEFT_SHOULDER]
        - x[:, BodyPoint.RIGHT_SHOULDER]
        + x[:, BodyPoint.LEFT_HIP]
        - x[:, BodyPoint.RIGHT_HIP]
    )
    result = np.zeros(len(motion))
    for start, stop in spans(motion.present, motion.shot, gap_max=0):
        least = WIDTH_LEAST * float(np.median(np.linalg.norm(spine_vector(motion.body[start:stop, :, :2]), axis=1)))
        result[start:stop] = across[start:stop] / max(float(np.abs(across[start:stop]).max()), least, 1.0)
    return result


def _head_cosines(motion: Motion) -> Array:
    """(F,) cosine of the heads' turn away from the camera: 1 from the front, 0 in profile, -1 from behind."""
    x = motion.body[..., 0].astype(np.float64)
    left, right = x[:, BodyPoint.LEFT_EAR], x[:, BodyPoint.RIGHT_EAR]
    front, beside = (left - right) / EARS_APART, (x[:, BodyPoint.NOSE] - (left + right) / 2) / NOSE_REACH
    return np.asarray(np.nan_to_num(front / np.maximum(np.hypot(front, beside), TINY)), np.float64)


def _best_backs(front: Array, cost: float) -> Flags:
    """(N,) the likeliest backs, by the evidence ``front`` (N,) for a front and the ``cost`` of a change."""
    score, came = np.zeros(2), np.zeros((len(front), 2), np.intp)  # of fronts, of backs
    for k, evidence in enumerate(front.tolist()):
        changed = score[::-1] - cost
        came[k] = np.where(changed > score, [1, 0], [0, 1])
        score = np.maximum(score, changed) + [evidence, 0.0]
    result, state = np.zeros(len(front), np.bool_), int(score[1] > score[0])
    for k in range(len(front) - 1, -1, -1):
        result[k] = state == 1
        state = int(came[k, state])
    return result


def exchanged_frames(motion: Motion, back: Flags) -> Flags:
    """(F,) where left and right of a ``back`` (F,) have to be exchanged, to drive the character as a front.

    Where the network takes a back for a front, they are exchanged already.
    """
    return back & (_widths(motion) < ORDER_KEPT)


def as_facing(motion: Motion, back: Flags) -> Motion:
    """``motion`` with left and right exchanged in the frames that show the ``back`` (F,).

    The character is then driven as if it faced the camera: its picture shows no back, and the front with hair instead
    of a face is the best guess at it. Each turn begins a shot of its own, so that nothing is smoothed across it.
    """
    exchanged = exchanged_frames(motion, back)
    order = np.where(exchanged[:, None], SWAPPED[None], np.arange(BODY_POINTS)[None])
    rows = np.arange(len(motion))[:, None]
    turns = np.r_[0, np.cumsum(np.diff(back.astype(int)) != 0)]
    sides = np.where(exchanged[:, None], [1, 0], [0, 1])
    return replace(
        motion,
        body=motion.body[rows, order],
        depth=motion.depth[rows, order],
        visibility=motion.visibility[rows, order],
        hands=motion.hands[rows, sides],
        hand_weight=motion.hand_weight[rows, sides],
        shot=(motion.shot.astype(np.int64) * (len(motion) + 1) + turns).astype(np.int32),
    )


def limited_across(across: Array, own: Array) -> Array:
    """(3,) the actor's unit vector ``across`` from right to left shoulder or hip, turned no farther than the picture.

    That is by ``TURN_MAX`` at most away from the picture plane, and away from the character's ``own`` (3,) by what
    ``OWN_TURN_COST`` leaves of it, approached but never reached. Half of that is followed whole.
    """
    least = float(np.cos(TURN_MAX))
    if across[0] < least:
        rest = across[1:] / max(float(np.linalg.norm(across[1:])), TINY)
        across = np.array([least, *(rest * np.sqrt(1 - least**2))])
    start, yaw = (float(np.arctan2(vector[2], vector[0])) for vector in (own, across))
    turn = float((yaw - start + np.pi) % (2 * np.pi) - np.pi)
    half = max(TURN_MAX - OWN_TURN_COST * abs(start), TURN_LEFT_MIN) / 2
    if abs(turn) <= half:
        return across
    turn = float(np.copysign(half + half * np.tanh((abs(turn) - half) / half), turn))
    flat = float(np.hypot(across[0], across[2]))
    return np.array([flat * np.cos(start + turn), across[1], flat * np.sin(start + turn)])
