"""Where feet stand: in the video by landmarks and mattes, in the picture by landmarks and layers."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bodydouble.perception.arrays import Bytes
from bodydouble.perception.footage import Mattes
from bodydouble.perception.landmark_indices import KNEES
from bodydouble.perception.smoothing import gaussian_smoothed, spans
from bodydouble.perception.track import PersonTrack
from bodydouble.perception.trunk import spine_vector
from bodydouble.renderers.puppet.body.skeleton import LEGS, Joints
from bodydouble.renderers.puppet.motion.actor_motion import Motion
from bodydouble.renderers.puppet.motion.actor_skeleton import ActorSkeleton

Array = NDArray[np.float64]

KNEES_SEEN_MIN = 0.2
"""Visibility of the better seen knee from which the matte's lower end may be a foot. See ``KNEES_UNSEEN_MAX``."""
ALPHA_MIN, WIDTH_MIN = 128, 4
"""Alpha (0-255) and pixels in a row from which the row belongs to somebody."""
SOLE_BELOW_MAX = 0.5
"""Trunk lengths that a matte may reach below the landmarks of the feet. Measured: 0.02 to 0.1 of who is seen well, up
to 0.45 of somebody in wide trousers, whose legs the network takes for shorter than they are."""
MEDIAN_FRAMES, SIGMA = 5, 2.0
"""Frames of the median and of the Gaussian that steady this: single mattes lose a foot."""
OWN_BELOW = (-0.15, 0.3)
"""Bounds of the same in the picture, in calf lengths."""


def ground_contact(ankle: Array, foot: Array) -> Array:
    """(..., 2) px where a foot stands: in its middle, as low as its sole.

    ``ankle``: (..., 2 or more), and ``foot``: (..., 2, 2 or more) its heel and toe.
    """
    middle = (ankle[..., 0] + foot[..., 0].sum(-1)) / 3
    return np.stack([middle, foot[..., 1].max(-1)], -1)


def lowest_rows(track: PersonTrack, mattes: Mattes, height: int) -> Array:
    """(F,) px, the lowest row of the person in ``mattes`` of ``height`` rows.

    NaN without a matte, and where no knee is seen, nor guessed inside a frame that shows nobody else: a matte may hold
    somebody who stands before the legs.
    """
    result = np.full(len(track), np.nan)
    alone = np.isnan(track.bystanders).all((1, 2)) & np.isnan(track.neighbours).all((1, 2))
    guessed = alone & (track.body[:, KNEES, 1].min(1) < height)
    wanted = np.flatnonzero(track.present & (guessed | (track.visibility[:, KNEES].max(1) > KNEES_SEEN_MIN)))
    if not len(wanted):
        return result
    needed = set(wanted.tolist())
    for index, matte in mattes.read(int(wanted[0]), int(wanted[-1]) + 1):
        if index in needed:
            rows = np.flatnonzero(np.count_nonzero(matte >= ALPHA_MIN, axis=1) >= WIDTH_MIN)
            result[index] = rows[-1] if len(rows) else np.nan
    return result


def actor_contacts(motion: Motion, actor: ActorSkeleton) -> Array:
    """(F, 2, 2) px where the actor's left and right foot stand in each frame.

    Both are as far below their landmarks as the matte is below the lower one's.
    """
    points = actor.points
    contacts = np.stack(
        [ground_contact(points[:, leg.joints[2]], points[:, leg.extremity]) for leg in LEGS.values()], 1
    )
    spine = np.linalg.norm(spine_vector(points[..., :2]), axis=1)
    below = np.clip(motion.lowest - contacts[..., 1].max(1), 0, SOLE_BELOW_MAX * spine)
    below[~np.isfinite(below)] = 0
    for start, stop in spans(motion.present, motion.shot, gap_max=0):
        padded = np.pad(below[start:stop], MEDIAN_FRAMES // 2, mode="edge")
        below[start:stop] = gaussian_smoothed(np.median(sliding_window_view(padded, MEDIAN_FRAMES), axis=1), SIGMA)
    contacts[..., 1] += below[:, None]
    return contacts


def sole_below(joints: Joints, alphas: dict[str, Bytes]) -> float:
    """Picture pixels from the lower landmarks of the feet down to the soles, on average; 0 without legs.

    ``alphas``: (h, w) 0-255 of each leg's layer, by side.
    """
    result: list[float] = []
    for side, alpha in alphas.items():
        rows = np.flatnonzero(np.count_nonzero(alpha >= ALPHA_MIN, axis=1) >= WIDTH_MIN)
        _, knee, ankle = LEGS[side].joints
        calf = float(np.linalg.norm(joints.points[knee] - joints.points[ankle]))
        drop = rows[-1] - joints.points[list(LEGS[side].extremity), 1].max() if len(rows) else 0.0
        result.append(float(np.clip(drop, OWN_BELOW[0] * calf, OWN_BELOW[1] * calf)))
    return float(np.mean(result)) if result else 0.0
