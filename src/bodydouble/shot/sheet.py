"""A picture that compares two videos: frames of the source above, of the result below."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.media import MediaLimits, VideoReader, probe_video, working_size
from bodydouble.tasks.atomic_files import atomic_write

COLUMNS = 6
CELL_HEIGHT, GAP, STRIP = 240, 6, 22
"""Pixels: frame, border around it, strip with the label below it."""
DARK, LABEL_COLOUR = (24, 24, 24), (220, 220, 220)
LABEL_SCALE = 0.45
"""OpenCV font scale at which a label fits into the strip."""


def compare_sheet(source: Path, result: Path, output: Path, limits: MediaLimits = MediaLimits()) -> None:
    """Write a picture of ``COLUMNS`` frames spread evenly over each video: the source's above, the result's below.

    Raises:
        MediaRejected: one of the videos cannot be read.
    """
    rows: list[list[NDArray[np.uint8]]] = []
    for path, title in ((source, "source"), (result, "result")):
        info = probe_video(path, limits, title)
        reader = VideoReader(path, info, *working_size(info.width, info.height, CELL_HEIGHT * 2))
        wanted = [int(i) for i in np.linspace(0, reader.frames - 1, COLUMNS)]
        cells: list[NDArray[np.uint8]] = []
        for index in wanted:
            _, image = next(reader.read(index, index + 1))
            size = (round(image.shape[1] * CELL_HEIGHT / image.shape[0]), CELL_HEIGHT)
            cell = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            label = f"{title} {float((reader.pts[index] - reader.pts[0]) * info.time_base):.1f} s"
            cells.append(framed(np.asarray(cell, np.uint8), label))
        rows.append(cells)
    width = max(row[0].shape[1] for row in rows)
    sheet = np.vstack([np.hstack([_widened(cell, width) for cell in row]) for row in rows])
    write_picture(output, sheet)


def write_picture(path: Path, picture: NDArray[np.uint8]) -> None:
    """Write ``picture`` (H, W, 3) RGB in the format of the path's suffix. Raises OSError."""
    encoded, data = cv2.imencode(path.suffix, np.ascontiguousarray(picture[..., ::-1]))
    if not encoded:
        raise OSError(f"{path} cannot be written: OpenCV could not encode it")
    atomic_write(path, np.asarray(data).tobytes())


def framed(cell: NDArray[np.uint8], label: str) -> NDArray[np.uint8]:
    """``cell`` with a dark border, and its label on a dark strip below."""
    border = cv2.copyMakeBorder(cell, GAP, STRIP, GAP, GAP, cv2.BORDER_CONSTANT, value=DARK)
    at = (GAP, border.shape[0] - GAP)
    cv2.putText(border, label, at, cv2.FONT_HERSHEY_SIMPLEX, LABEL_SCALE, LABEL_COLOUR, 1, cv2.LINE_AA)
    return np.asarray(border, np.uint8)


def _widened(cell: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """``cell`` centred in a column. In mode animate, source and result differ in shape."""
    left = (width - cell.shape[1]) // 2
    right = width - cell.shape[1] - left
    return np.asarray(cv2.copyMakeBorder(cell, 0, 0, left, right, cv2.BORDER_CONSTANT, value=DARK), np.uint8)
