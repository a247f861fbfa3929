"""What an arm of the picture hides, as its twin shows it: clothes are alike on both sides."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Mask
from bodydouble.renderers.puppet.picture.sleeves import along_limb

Array = NDArray[np.float64]

TWICE = 2.0
"""How much of a bone's flesh and cloth the twin shows over what the arm shows, from which on it is believed. Measured:
2.1 to 50 of arms behind dresses, hands and cloaks; up to 1.6 of those whose own colours are better."""
LIGHT_MIN, LIGHT_MAX = 0.75, 1.1
"""Bounds of the light on an arm over that on its twin. Chosen by eye on pictures lit from one side."""
ALIKE_MIN, ALIKE_SHARE = 50, 0.05
"""Pixels that both arms show at the same place from which on their light is compared: at least, and as a share of those
taken from the twin. A narrow strip beside a dress or hair has their light. Measured: 0.02 of an arm behind a dress."""
TINY = 1e-9
"""Keeps the length of a vanishing bone finite."""


def as_the_twin(colour: Floats, known: Mask, joints: Array, twin_joints: Array, shape: tuple[int, int]) -> Floats:
    """(h, w, 4) the twin's ``colour`` and whether it is ``known``, in a mirror and where an arm of ``shape`` (h, w) is.

    ``colour`` (H, W, 3) is 0-255, ``known`` (H, W) what of the twin is seen. ``joints`` (3, 2) px are the arm's
    shoulder, elbow and wrist, ``twin_joints`` the twin's. Each bone is laid on its counterpart.
    """
    source = np.dstack([colour, known.astype(np.float32)])
    ys, xs = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    upper = along_limb(joints, shape) < 1
    result = np.zeros((*shape, 4), np.float32)
    for bone, where in ((0, upper), (1, ~upper)):
        start, along = joints[bone], joints[bone + 1] - joints[bone]
        twin_start, twin_along = twin_joints[bone], twin_joints[bone + 1] - twin_joints[bone]
        # Complex numbers turn and scale; the mirror is a conjugate.
        turn = complex(*twin_along) / (np.conj(complex(*along)) or TINY)
        place = turn * np.conj((xs - start[0]) + 1j * (ys - start[1])) + complex(*twin_start)
        laid = cv2.remap(
            source, place.real.astype(np.float32), place.imag.astype(np.float32), cv2.INTER_LINEAR, borderValue=(0,) * 4
        )
        result[where] = laid[where]
    return result


def with_twin(colour: Floats, known: Mask, hidden: Mask, forearm: Mask, twin: Floats) -> tuple[Floats, Mask]:
    """``colour`` (h, w, 3) 0-255 of an arm with what is ``hidden`` (h, w) as its ``twin`` (h, w, 4) of ``as_the_twin``.

    Of upper arm and ``forearm`` (h, w) each, if the twin shows far more of it than is ``known`` (h, w); in the light of
    the arm. Also the mask of what is taken.
    """
    shown = twin[..., 3] > 1 - 1e-3
    taken = np.zeros(known.shape, np.bool_)
    for bone in (~forearm, forearm):
        own, other = (np.count_nonzero(part & (known | hidden) & bone) for part in (known, shown))
        if other > TWICE * own:
            taken |= hidden & shown & ~known & bone
    if not taken.any():
        return colour, taken
    alike, light = known & shown, 1.0
    if np.count_nonzero(alike) >= max(ALIKE_MIN, ALIKE_SHARE * np.count_nonzero(taken)):
        own, other = (float(np.median(image[alike].mean(1))) for image in (colour, twin[..., :3]))
        light = float(np.clip(own / max(other, 1), LIGHT_MIN, LIGHT_MAX))
    result = colour.copy()
    result[taken] = np.clip(twin[taken][:, :3] * light, 0, 255)
    return result, taken
