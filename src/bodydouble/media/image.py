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
    data = np.fromfile(path, np.uint8)
    # IMREAD_UNCHANGED keeps alpha but ignores EXIF; only PNG and WebP have alpha, and cameras write neither.
    flag = cv2.IMREAD_COLOR if info.format in ("JPEG", "BMP") else cv2.IMREAD_UNCHANGED
    image = cv2.imdecode(data, flag)
    if image is None:
        raise MediaRejected(f"{field}: the picture is cut off or damaged.", field=field)
    if image.dtype == np.uint16:
        image = (image // 257).astype(np.uint8)
    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    if image.shape[2] == 4:
        alpha = image[..., 3:].astype(np.float32) / 255
        image = (image[..., :3] * alpha + BACKDROP * (1 - alpha) + 0.5).astype(np.uint8)
    return np.ascontiguousarray(image[..., ::-1], np.uint8)
