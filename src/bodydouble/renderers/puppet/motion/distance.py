"""How large an actor who is seen down to the feet is in each frame, told by the bones that are least foreshortened."""

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.smoothing import fill_gaps
from bodydouble.perception.trunk import shoulder_vector, spine_vector
from bodydouble.renderers.puppet.body.skeleton import ARMS, LEGS
from bodydouble.renderers.puppet.motion.actor_motion import Motion
from bodydouble.renderers.puppet.motion.actor_skeleton import size_of

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

SEEN_MIN = 0.4
"""Visibility of a joint from which the bones that end there tell a length."""
SEEN_SHARE_MIN = 0.25
"""Share of the frames with whole legs in which a bone has to be seen."""
BONES_COUNTED = 3
"""Bones that tell the size of a frame: those that look longest. In any pose some lie across the line of sight."""
FULL_PERCENTILE = 90
"""Percentile of a bone's length that counts as its full length."""
ROUNDS = 3
"""Rounds in which full lengths and sizes are told from each other."""
CHANGE_MIN = 1.05
"""Largest over smallest size from which on an actor may come nearer or walk away."""
AGREE = 0.65
"""Spread of the longest bones' lengths at a changing size, over that at a steady one, below which the size changes.
Measured: 0.2 to 0.6 of those who come, go, or jump away from the camera, 0.67 to 1 of most others."""
FACES_DENY = 0.5
"""Faces deny a change of size if they vary more once divided by it: the variance of their logarithms then, less that
before, over the variance of the size's. Faces that change as much give -1, faces that stay as large give 1.
Measured: -1.5 to 0.1 of four who come, go or turn; 1.0 to 2.0 of three who stay, but swing their arms or bow."""
TINY = 1e-6
"""Lengths in pixels below it count as zero."""


def changing_size(motion: Motion) -> Array:
    """(F,) the size of the actor over the usual; 1 throughout unless a change explains the bones' lengths far better.

    It is 1 as well if the actor's face, which no pose foreshortens, denies the change. Frames in which no whole leg is
    seen follow the head.
    """
    steady = np.ones(len(motion))
    whole = _whole(motion)
    if not whole.any():
        return steady
    lengths = _apparent(motion)
    lengths = lengths[:, np.isfinite(lengths[whole]).mean(0) >= SEEN_SHARE_MIN]
    longest = steady
    for _ in range(ROUNDS):
        longest = _longest(lengths / _full(lengths[whole] / longest[whole, None]))
    bones, head = (np.log(sizes / np.median(sizes[whole])) for sizes in (longest, np.maximum(motion.head_size, TINY)))
    size = size_of(motion, head + fill_gaps(bones - head, whole), CHANGE_MIN)
    agree = _spread(lengths[whole] / size[whole, None]) < AGREE * _spread(lengths[whole])
    return size if agree and not _faces_deny(motion, size) else steady


def _faces_deny(motion: Motion, size: Array) -> bool:
    """Whether the faces that are seen do not grow and shrink by ``size`` (F,), though it changes where they are."""
    seen, change = motion.face_found, np.log(size)
    if not seen.any():
        return False
    face = np.log(np.maximum(motion.head_size[seen], TINY))
    worse = np.var(face - change[seen]) - np.var(face)
    return bool(worse > FACES_DENY * np.var(change[motion.present]))


def _whole(motion: Motion) -> Flags:
    """(F,) where at least one leg is seen down to the ankle."""
    legs = [motion.visibility[:, list(leg.joints[1:])].min(1) for leg in LEGS.values()]
    return motion.present & (np.max(legs, axis=0) > SEEN_MIN)


def _apparent(motion: Motion) -> Array:
    """(F, 10) px, lengths on screen of spine, shoulders and limbs; NaN where an end of a limb is not seen."""
    points = motion.body
    columns = [np.linalg.norm(vector, axis=1) for vector in (spine_vector(points), shoulder_vector(points))]
    for chain in (*ARMS.values(), *LEGS.values()):
        for start, stop in zip(chain.joints, chain.joints[1:], strict=False):
            seen = motion.visibility[:, [start, stop]].min(1) > SEEN_MIN
            columns.append(np.where(seen, np.linalg.norm(points[:, stop] - points[:, start], axis=1), np.nan))
    return np.stack(columns, 1)


def _longest(lengths: Array) -> Array:
    """(F,) the mean of the longest few of ``lengths`` (F, N); more than 0."""
    return np.maximum(np.sort(np.nan_to_num(lengths), axis=1)[:, -BONES_COUNTED:].mean(1), TINY)


def _full(lengths: Array) -> Array:
    """(N,) how long bones of ``lengths`` (F, N) are when they are not foreshortened; more than 0."""
    return np.maximum(np.nanpercentile(lengths, FULL_PERCENTILE, axis=0), TINY)


def _spread(lengths: Array) -> float:
    """Standard deviation of the logarithms of the longest of ``lengths`` (F, N), each over its own full length."""
    return float(np.std(np.log(_longest(lengths / _full(lengths)))))
