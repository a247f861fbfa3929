"""Discs under elbows and knees: a limb that folds otherwise than in its picture would gape there."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Bytes

JOINT_ALPHA, JOINT_SHARE = 200, 0.8
"""Alpha (0-255) from which a limb is whole at its joint, and the disc under the joint over the largest one in the
limb."""


@dataclass(frozen=True, kw_only=True)
class JointPatch:
    """What is under an elbow or knee: a disc within the limb, in its colour."""

    radius: float  # px in the picture
    colour: Bytes  # (4,) premultiplied


def joint_patch(rgba: Bytes, front: Bytes | None, point: NDArray[np.float64]) -> JointPatch | None:
    """What is under the joint at ``point`` (2,) px of a limb's ``rgba`` (h, w, 4) and its visible part ``front``.

    None where the limb, or what is visible of it, is not whole at the joint.
    """
    whole = ((rgba if front is None else front)[..., 3] > JOINT_ALPHA).astype(np.uint8)
    x, y = np.round(point).astype(int)
    if not (0 <= y < whole.shape[0] and 0 <= x < whole.shape[1] and whole[y, x]):
        return None
    radius = JOINT_SHARE * float(cv2.distanceTransform(whole, cv2.DIST_L2, cv2.DIST_MASK_3)[y, x])
    disc = np.zeros(whole.shape, np.uint8)
    cv2.circle(disc, (int(x), int(y)), max(1, round(radius)), 1, -1)
    return JointPatch(radius=radius, colour=np.round(rgba[(disc & whole) > 0].mean(0)).astype(np.uint8))
