"""Which pixels the person leaves: there the plate is shown, and nothing is learned of the background."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Matte

MATTE_EDGE, MATTE_SURE = 24, 110
"""Of 255: the faintest matte that may be the person, and one from which on it is."""
FAINT_REACH = 0.012
"""Picture heights from what is surely the person, or half as thick as a piece, from which on a faint matte is not."""
RIM = 0.011
"""How far beyond the matte a person's darkened rim and the blur of their motion reach, in picture heights."""


def removal_mask(matte: Matte, height: int) -> Matte:
    """0 or 255: the matte widened over hair fringe, motion blur and the darkened rim around a person."""
    faint, sure = (cv2.threshold(matte, edge, 255, cv2.THRESH_BINARY)[1] for edge in (MATTE_EDGE, MATTE_SURE))
    thick = _disc(FAINT_REACH * height)
    # Foliage behind a person passes for wisps of them; a blurred hand or shoe is faint too, but in one piece.
    near = cv2.bitwise_and(faint, cv2.dilate(sure, thick))
    person = cv2.bitwise_or(near, cv2.morphologyEx(faint, cv2.MORPH_OPEN, thick))
    return np.asarray(cv2.dilate(person, _disc(RIM * height)), np.uint8)


def _disc(radius: float) -> NDArray[np.uint8]:
    """A structuring element of at least 5 x 5."""
    side = 2 * max(2, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
