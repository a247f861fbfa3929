"""The selfie network: it segments everybody near the camera."""

import cv2
import numpy as np

from bodydouble.perception.arrays import Alpha, Image, Matte
from bodydouble.perception.litert import LiteRTNet, to_unit_range
from bodydouble.perception.pack import ModelPack

AREA_SHRINK_MIN = 1.6
"""Below this factor bilinear sampling skips no pixel that is missed by the eye."""


class SelfieNet:
    """Segments everybody near the camera."""

    def __init__(self, pack: ModelPack) -> None:
        self._net = LiteRTNet(pack.path("selfie_segmentation.tflite"))

    def run(self, image: Image) -> Alpha:
        """(h, w) soft mask of ``image``."""
        height, width = image.shape[:2]
        mask = cv2.resize(self._mask(image), (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(mask, np.float32)

    def levels(self, image: Image) -> Matte:
        """(h, w) 0-255, as ``run``, but rounded at the network's own size: that takes a fifth of the time."""
        height, width = image.shape[:2]
        mask = cv2.convertScaleAbs(self._mask(image), alpha=255)
        return np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)

    def _mask(self, image: Image) -> Alpha:
        """At the network's size."""
        small = shrunk(image, self._net.width, self._net.height)
        return self._net.run(to_unit_range(small))[0][..., -1]


def shrunk(image: Image, width: int, height: int) -> Image:
    """``image`` at ``width`` x ``height``, none of its pixels skipped.

    OpenCV averages by whole factors twenty times as fast as by others: bilinear sampling does the rest.
    """
    factor = max(image.shape[1] / width, image.shape[0] / height)
    if factor >= 2:
        step = int(factor)
        whole = image[: image.shape[0] // step * step, : image.shape[1] // step * step]
        size = whole.shape[1] // step, whole.shape[0] // step
        image = np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.uint8)
    elif factor > AREA_SHRINK_MIN:
        image = np.asarray(cv2.resize(image, (2 * width, 2 * height), interpolation=cv2.INTER_LINEAR), np.uint8)
        return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
