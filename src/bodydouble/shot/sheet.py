"""A picture that compares: source above, result below."""

from pathlib import Path

import cv2
import numpy as np

from bodydouble.media import MediaLimits, VideoReader, probe_video, working_size

COLUMNS = 6
CELL_HEIGHT = 240
GAP = 6


def compare_sheet(source: Path, result: Path, output: Path, limits: MediaLimits = MediaLimits()) -> None:
    """Write a PNG of ``COLUMNS`` frames spread over the shot: the source's above, the result's below.

    Raises:
        MediaRejected: one of the videos cannot be read.
    """
    rows: list[np.ndarray] = []
    for path, field in ((source, "video"), (result, "result")):
        info = probe_video(path, limits, field)
        reader = VideoReader(path, info, *working_size(info.width, info.height, CELL_HEIGHT * 2))
        wanted = [int(i) for i in np.linspace(0, reader.frames - 1, COLUMNS)]
        cells: list[np.ndarray] = []
        for index in wanted:
            _, image = next(reader.read(index, index + 1))
            size = (round(image.shape[1] * CELL_HEIGHT / image.shape[0]), CELL_HEIGHT)
            cell = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            cells.append(cv2.copyMakeBorder(cell, GAP, GAP, GAP, GAP, cv2.BORDER_CONSTANT, value=(24, 24, 24)))
        rows.append(np.hstack(cells))
    width = min(row.shape[1] for row in rows)
    sheet = np.vstack([row[:, :width] for row in rows])
    part = output.with_name(output.name + ".part.png")
    cv2.imwrite(str(part), np.ascontiguousarray(sheet[..., ::-1]))
    part.replace(output)
