"""The actor's lips on another face: where a mouth opens, its outline is the actor's, and its lips are the character's.

Offsets from a resting mouth say how far each point of it moves. Added to other lips they make corners square and lips
as thick as at rest, because landmarks of both lie elsewhere on them, and smiling lips are thin.
"""

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.landmark_indices import FacePoint

Array = NDArray[np.float64]

COLUMNS = np.array((
    (61, 76, 62, 78, 78, 62, 76, 61),
    (185, 184, 183, 191, 95, 96, 77, 146), (40, 74, 42, 80, 88, 89, 90, 91), (39, 73, 41, 81, 178, 179, 180, 181),
    (37, 72, 38, 82, 87, 86, 85, 84), (0, 11, 12, 13, 14, 15, 16, 17), (267, 302, 268, 312, 317, 316, 315, 314),
    (269, 303, 271, 311, 402, 403, 404, 405), (270, 304, 272, 310, 318, 319, 320, 321),
    (409, 408, 407, 415, 324, 325, 307, 375), (291, 306, 292, 308, 308, 292, 306, 291),
))  # fmt: skip
"""(11, 8) points of the lips that lie below each other, from the edge of the upper lip to that of the lower one, from
the corner at image left to the other. The corners are a column each, whose second half repeats the first."""
INNER, OUTER = (3, 4), (0, 7)
"""Places of the inner and the outer edges, upper first, in a column."""
MIDDLE = slice(3, 8)
"""The columns in the middle."""
TALLER_MAX, WHOLLY_ROUNDED = 2.0, 0.25
"""Largest height of a rounded mouth over the actor's, and the share of its resting width that a wholly rounded one has
lost at least. Chosen by eye."""
THICKNESS = (0.4, 1.3)
"""Bounds of the thickness of lips over that at rest."""
SKIN_REACH = np.array([0.16, 0.32])
"""Face widths and heights over which skin follows the lips' outer edge (times the root of two: one standard deviation).
Chosen by eye."""
SEAM_SOFT = 0.04
"""Face heights about the line between the lips over which skin beside the corners goes from following the upper edge to
following the lower one."""
TINY = 1e-6
"""Length, normalised, below which it counts as zero."""


def lips_of(face: Array) -> Array:
    """(11, 8, 2) the lips of a normalised ``face`` (478, 3), as ``COLUMNS`` has them."""
    return face[COLUMNS, :2]


def with_actor_lips(
    face: Array, rest: Array, lips: Array, lips_rest: Array, share: float, rounded: float = 0.0
) -> Array:
    """``face`` (478, 3) with its lips in the shape of the actor's, as far as ``share`` (0-1) says.

    The mouth keeps its middle and its width. A ``rounded`` one, which has lost that share (0-1) of its width, keeps its
    height too if that is larger than the actor's: landmarks see lips that form an "o" too close together.

    ``rest`` (478, 3) is the same face at rest; ``lips`` (11, 8, 2) are the actor's, ``lips_rest`` (11, 8, 2) the same
    at rest. All are normalised. The lips are as thick as those of ``rest``, times what the actor's are thicker than at
    rest. Skin above follows the upper edge, skin below the lower one.
    """
    if share <= 0:
        return face
    own, own_rest = lips_of(face), lips_of(rest)
    middle, actors = (inner[[0, -1], INNER[0]].mean(0) for inner in (own, lips))
    wider = _width(own) / max(_width(lips), TINY)
    taller = 1 + min(rounded / WHOLLY_ROUNDED, 1) * (np.clip(_gap(own) / max(_gap(lips), TINY), 1, TALLER_MAX) - 1)
    wanted = middle + (lips - actors) * [wider, taller]
    for edge, towards in zip(OUTER, INNER, strict=True):
        upper = edge < towards
        thick, thick_rest, mine = (_thickness(part, edge, towards) for part in (lips, lips_rest, own_rest))
        ratio = np.clip(thick / max(thick_rest, TINY), *THICKNESS) * mine / max(thick, TINY)
        columns = slice(0, towards) if upper else slice(towards + 1, None)
        inner = wanted[:, towards, None]
        wanted[1:-1, columns] = (inner + (wanted[:, columns] - inner) * [1.0, ratio])[1:-1]
    moved = face.copy()
    shift = (wanted - own) * share
    about = np.flatnonzero(face[:, 1] > face[FacePoint.UNDER_NOSE, 1] - SKIN_REACH[1])
    middles = own[:, INNER].mean(1)
    below = np.clip((face[about, 1] - np.interp(face[about, 0], *middles.T)) / SEAM_SOFT + 0.5, 0, 1)[:, None]
    away = (face[about, None, :2] - own[:, OUTER].reshape(-1, 2)) / SKIN_REACH
    near = np.exp(-(away * away).sum(-1)).reshape(len(about), -1, 2)
    near[..., 0] *= 1 - below
    near[..., 1] *= below
    near, pulls = near.reshape(len(about), -1), shift[:, OUTER].reshape(-1, 2)
    moved[about, :2] += near.max(1, keepdims=True) * (near @ pulls) / np.maximum(near.sum(1, keepdims=True), TINY)
    moved[COLUMNS, :2] = own + shift
    return moved


def _width(lips: Array) -> float:
    return float(lips[-1, 0, 0] - lips[0, 0, 0])


def _gap(lips: Array) -> float:
    """Mean height of the opening between the ``lips`` (11, 8, 2) in the middle."""
    return float(np.abs(lips[MIDDLE, INNER[1], 1] - lips[MIDDLE, INNER[0], 1]).mean())


def _thickness(lips: Array, edge: int, towards: int) -> float:
    """Mean thickness of one of the ``lips`` (11, 8, 2) in the middle: at the corners landmarks say little."""
    return float(np.abs(lips[MIDDLE, edge, 1] - lips[MIDDLE, towards, 1]).mean())
