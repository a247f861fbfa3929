"""Reading the reference picture."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.media.limits import MediaLimits
from bodydouble.media.probe import probe_image
from bodydouble.tasks.errors import MediaRejected

BACKDROP = 128
"""Transparent pixels are shown on neutral grey, so that neither light nor dark hair drowns in it."""


def read_image(path: Path, limits: MediaLimits = MediaLimits(), field: str = "image") -> NDArray[np.uint8]:
    """(H, W, 3) RGB, upright (EXIF orientation applied), 8 bit, transparency resolved.

    Raises:
        MediaRejected: see ``probe_image``; or the pixels cannot be decoded.
    """
    info = probe_image(path, limits, field)
    # IMREAD_UNCHANGED keeps alpha and 16 bits; JPEG and BMP have neither, and colour brings CMYK to RGB.
    flag = cv2.IMREAD_COLOR if info.format in ("JPEG", "BMP") else cv2.IMREAD_UNCHANGED
    image = cv2.imdecode(np.fromfile(path, np.uint8), flag | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise MediaRejected(f"{field}: the picture is damaged and cannot be decoded; save it again.", field=field)
    if image.dtype == np.uint16:
        image = ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    if image.shape[2] == 4:
        alpha = image[..., 3:].astype(np.float32) / 255
        image = (image[..., :3] * alpha + BACKDROP * (1 - alpha) + 0.5).astype(np.uint8)
    return np.ascontiguousarray(_upright(np.asarray(image, np.uint8), info.orientation)[..., ::-1])


def _upright(image: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo what EXIF orientation 1-8 says: which side of the scene row 0 and column 0 are."""
    if orientation >= 5:
        image = image.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    return image
