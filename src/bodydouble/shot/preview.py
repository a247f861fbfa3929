"""A small picture of the newest rendered frame, shown while a task runs."""

from pathlib import Path

import cv2
import numpy as np

from bodydouble.perception.arrays import Image
from bodydouble.tasks.atomic_files import atomic_write

PREVIEW_NAME = "preview.jpg"
"""File in the workspace, from the first finished segment on. Replaced atomically, so it is always complete."""
SIDE_MAX = 480
"""Pixels of the longer side."""
JPEG_QUALITY = 80


def write_preview(path: Path, image: Image) -> None:
    """Write ``image`` (H, W, 3) RGB as a JPEG whose longer side is at most ``SIDE_MAX`` pixels."""
    zoom = min(1.0, SIDE_MAX / max(image.shape[:2]))
    size = max(1, round(image.shape[1] * zoom)), max(1, round(image.shape[0] * zoom))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    atomic_write(path, np.asarray(data).tobytes())
