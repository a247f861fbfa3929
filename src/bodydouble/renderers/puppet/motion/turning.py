"""An actor who turns: which frames show the back, and how far a trunk may turn."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.perception.smoothing import one_euro, spans
from bodydouble.perception.track import BODY_POINTS
from bodydouble.renderers.puppet.motion.actor_motion import Motion

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

BACK_FROM, BACK_UNTIL = -0.15, 0.0
"""Signed width of shoulders and hips, over its largest, below which the back shows, and up to which it still does."""
TURN_MAX = np.deg2rad(75)
"""Turn of the trunk that is never passed: beyond it the front's texture is a few pixels wide."""
TINY = 1e-9
"""Lengths below it count as zero."""
_PAIRS = [(left, left.name.replace("LEFT", "RIGHT")) for left in BodyPoint if left.name.startswith("LEFT")]
SWAPPED = np.arange(BODY_POINTS)
"""Row of the other side's landmark for each body landmark."""
for _left, _name in _PAIRS:
    SWAPPED[_left], SWAPPED[BodyPoint[_name]] = BodyPoint[_name], _left


def back_frames(motion: Motion) -> Flags:
    """(F,) where shoulders and hips, smoothed, are in the order of somebody seen from behind.

    An actor who is first seen from the side shows what the first sure frame shows.
    """
    result = np.zeros(len(motion), np.bool_)
    for start, stop in spans(motion.present, motion.shot, gap_max=0):
        x = motion.body[start:stop, :, 0]
        left_to_right = (
            x[:, BodyPoint.LEFT_SHOULDER]
            - x[:, BodyPoint.RIGHT_SHOULDER]
            + x[:, BodyPoint.LEFT_HIP]
            - x[:, BodyPoint.RIGHT_HIP]
        )
        scale = max(float(np.abs(left_to_right).max()), 1.0)
        smooth = one_euro(left_to_right[:, None], motion.frame_rate, cutoff=1.0, beta=0.0, scale=scale)[:, 0]
        widths = smooth / scale
        sure = np.flatnonzero(np.abs(widths) > -BACK_FROM)
        back = bool(len(sure)) and bool(widths[sure[0]] < 0)
        for k, width in enumerate(widths):
            back = bool(width < (BACK_UNTIL if back else BACK_FROM))
            result[start + k] = back
    return result


def as_facing(motion: Motion, back: Flags) -> Motion:
    """``motion`` with left and right exchanged in the frames that show the ``back`` (F,).

    The character is then driven as if it faced the camera: its picture shows no back, and the front with hair instead
    of a face is the best guess at it. Each turn begins a shot of its own, so that nothing is smoothed across it.
    """
    order = np.where(back[:, None], SWAPPED[None], np.arange(BODY_POINTS)[None])
    rows = np.arange(len(motion))[:, None]
    turns = np.r_[0, np.cumsum(np.diff(back.astype(int)) != 0)]
    sides = np.where(back[:, None], [1, 0], [0, 1])
    return replace(
        motion,
        body=motion.body[rows, order],
        depth=motion.depth[rows, order],
        visibility=motion.visibility[rows, order],
        hands=motion.hands[rows, sides],
        hand_weight=motion.hand_weight[rows, sides],
        shot=(motion.shot.astype(np.int64) * (len(motion) + 1) + turns).astype(np.int32),
    )


def limited_across(across: Array) -> Array:
    """(3,) the unit vector from right to left shoulder, turned away from the picture plane by ``TURN_MAX`` at most."""
    least = float(np.cos(TURN_MAX))
    if across[0] >= least:
        return across
    rest = across[1:] / max(float(np.linalg.norm(across[1:])), TINY)
    return np.array([least, *(rest * np.sqrt(1 - least**2))])
