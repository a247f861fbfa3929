"""One picture over another."""

import cv2
import numpy as np

from bodydouble.perception.arrays import Image, Matte


def blended(under: Image, over: Image, alpha: Matte) -> Image:
    """``under`` where ``alpha`` (h, w) is 0, ``over`` where it is 255. Rounded twice: a level may be lost."""
    front = cv2.multiply(over, cv2.merge([alpha] * 3), scale=1 / 255)
    back = cv2.multiply(under, cv2.merge([cv2.bitwise_not(alpha)] * 3), scale=1 / 255)
    return np.asarray(cv2.add(front, back), np.uint8)
