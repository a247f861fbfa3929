"""What a smile does beside the mouth: cheeks rise, and the lower lids with them.

The face mesh hardly sees it, and an actor who smiles in every frame has no face without it. How much somebody smiles is
therefore told from the shape of the mouth alone, and the same for everybody.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LIFT, WIDTH = (0.0, 0.045), (0.36, 0.42)
"""Height of a mouth's corners in face heights, and its width in face widths, between which it comes to smile wholly.
Measured: resting mouths have -.02 and .35, smiles .03 to .07 and .43 to .48; a mouth that opens wide has one alone."""
CHEEKS = ((50, 205), (280, 425))
"""Face mesh points about the middle of each cheek, image left first."""
CHEEK_UP, CHEEK_OUT = 0.07, 0.015
"""Face heights by which cheeks rise, and widths by which they go outwards, in a whole smile. Chosen by eye."""
CHEEK_REACH = np.array([0.12, 0.3])
"""Face widths and heights from the middle of a cheek over which that fades (times the root of two)."""
LOWER_LIDS = ((145, 159), (374, 386))
"""Face mesh points in the middle of the lower and the upper lid of each eye, image left first."""
LID_UP = 0.16
"""Share of an eye's opening by which the lower lid rises in a whole smile. Chosen by eye."""
LID_REACH = np.array([0.11, 0.16])
"""The same as ``CHEEK_REACH`` about a lower lid."""
MESH_POINTS = 468
"""Points of the face mesh; the irises follow."""


def smile_of(width: float, lift: float) -> float:
    """0-1 how much a mouth smiles that is ``width`` face widths wide and has corners ``lift`` face heights above it."""
    return _rising(LIFT, lift) * _rising(WIDTH, width)


def with_smile(face: Array, smile: float) -> Array:
    """``face`` (478, 3) normalised with the cheeks and lower lids of a smile; below 0 without those that it shows."""
    if smile == 0:
        return face
    moved, mesh = face.copy(), face[:MESH_POINTS]
    for side, cheek, (lower, upper) in zip((-1, 1), CHEEKS, LOWER_LIDS, strict=True):
        near = _near(mesh, face[list(cheek), :2].mean(0), CHEEK_REACH)
        moved[:MESH_POINTS, 0] += smile * side * CHEEK_OUT * near
        lid, opening = face[lower, :2], max(float(face[lower, 1] - face[upper, 1]), 0.0)
        at_lid = _near(mesh, lid, LID_REACH) * np.clip((mesh[:, 1] - lid[1]) / max(opening, CHEEK_UP) * 2 + 1, 0, 1)
        # What is between follows the larger of both.
        moved[:MESH_POINTS, 1] -= smile * np.maximum(CHEEK_UP * near * (mesh[:, 1] > lid[1]), LID_UP * opening * at_lid)
    return moved


def _near(mesh: Array, middle: Array, reach: Array) -> Array:
    """(468,) 1 at ``middle`` (2,), less farther away."""
    return np.exp(-(((mesh[:, :2] - middle) / reach) ** 2).sum(1))


def _rising(limits: tuple[float, float], value: float) -> float:
    """0 below the first of the ``limits``, 1 above the second, smooth between."""
    share = min(max((value - limits[0]) / (limits[1] - limits[0]), 0.0), 1.0)
    return share * share * (3 - 2 * share)
