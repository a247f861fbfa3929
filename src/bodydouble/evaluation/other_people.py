"""Who else is in the driving video: a limb that goes behind them is hidden, not torn."""

import cv2
import numpy as np

from bodydouble.perception import ModelPack
from bodydouble.perception.arrays import Image, Mask, Matte
from bodydouble.perception.selfie import SelfieNet

PERSON_LEVEL = 110
"""Level (0-255) of the selfie network's mask, and of the actor's matte, from which a pixel is somebody's."""
SQUARES = ((1.3, 0.5), (0.65, 1.0), (0.5, 1.0))
"""Squares that are searched: side over the longer side of the box around both persons, and where its middle is, from
the box's top (0) to its bottom (1), as far as the frame allows. The network was trained on squares around one person.
Who stands in front is lower in the frame, and cut off by its edge: only a small square there shows them. Chosen by eye
on a shop's camera."""


class OtherPeople:
    """Finds the people around the actor with a network that sees everybody."""

    def __init__(self, pack: ModelPack) -> None:
        self._pack = pack
        self._net: SelfieNet | None = None

    def mask(self, source: Image, actor: Matte, people: Mask) -> Mask:
        """(H, W) other people's pixels in ``source`` (H, W, 3) around ``people`` (H, W), the actor and the character.

        ``actor`` is the actor's matte.
        """
        result = np.zeros(actor.shape, np.bool_)
        x, y, w, h = cv2.boundingRect(people.astype(np.uint8))
        if w == 0:
            return result
        net = self._net = self._net or SelfieNet(self._pack)
        for size, place in SQUARES:
            side = min(round(size * max(w, h)), *actor.shape)
            middle = np.array([y + place * h, x + w / 2])
            top, left = np.clip(middle - side / 2, 0, np.array(actor.shape) - side).astype(int).tolist()
            here = np.s_[top : top + side, left : left + side]
            result[here] |= net.levels(np.ascontiguousarray(source[here])) > PERSON_LEVEL
        return result & (actor <= PERSON_LEVEL)
