"""The findings of perception in a video, as a picture and as figures, for diagnosing a bad result."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.media import MediaLimits, VideoReader, probe_video, working_size
from bodydouble.perception import ModelPack, Perception, PersonChoice, perceive
from bodydouble.perception.arrays import Image, Matte
from bodydouble.perception.skeleton import draw_skeleton
from bodydouble.perception.whole_body import whole_body
from bodydouble.renderers.plugin import InspectionRows
from bodydouble.renderers.registry import installed_plugins
from bodydouble.shot.sheet import framed, write_picture

COLUMNS = 8
CELL_HEIGHT = 300
"""Pixels."""
PERSON_COLOUR, OTHER_COLOUR = (80, 255, 120), (255, 160, 40)
MARGIN_COLOUR = (24, 24, 24)
"""RGB, like the two above."""
DIM = 0.25
"""Brightness factor outside the matte."""
SKELETON_LEVEL_MIN = 60
"""Lowest RGB value below a drawn skeleton, so that dark limbs stay visible."""


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """Figures of one video. Frames count from 0; a span is ``start, stop`` without ``stop``."""

    frames: int
    shots: int
    present: int  # frames in which the person is followed
    face: int  # frames with a face
    hands: tuple[int, int]  # frames with a left hand, with a right hand
    absent: list[tuple[int, int]]  # spans without the person


def inspect_video(
    video: Path,
    output: Path,
    pack: ModelPack,
    choice: PersonChoice,
    limits: MediaLimits,
    short_side: int,
    report: Callable[[float], None],
) -> Inspection:
    """Figures of ``video``; also writes a sheet of person, matte and renderer inputs to ``output``.

    Raises:
        MediaRejected: the video cannot be read.
        NobodyFound: the video shows nobody, or not the chosen person.
    """
    info = probe_video(video, limits, "video")
    reader = VideoReader(video, info, *working_size(info.width, info.height, short_side))
    with TemporaryDirectory(prefix="bodydouble-inspect-") as folder:
        seen = perceive(pack, reader, choice, Path(folder), report)
        write_sheet(output, reader, seen)
    track = seen.track
    return Inspection(
        frames=len(track),
        shots=int(track.shot[-1]) + 1,
        present=int(track.present.sum()),
        face=int(track.face_found.sum()),
        hands=(int(track.hand_found[:, 0].sum()), int(track.hand_found[:, 1].sum())),
        absent=_spans(~track.present),
    )


def write_sheet(output: Path, reader: VideoReader, seen: Perception, columns: int = COLUMNS) -> None:
    """Write a sheet with one column for each of ``columns`` frames, spread evenly over the video.

    Rows: detected people; matte; the inputs that each installed renderer derives.
    """
    makers = [p.inspection_rows(reader, seen) for p in installed_plugins() if p.inspection_rows is not None]
    strips: list[NDArray[np.uint8]] = []
    for index in np.unique(np.linspace(0, reader.frames - 1, columns).astype(int)).tolist():
        _, image = next(reader.read(index, index + 1))
        _, matte = next(seen.mattes.read(index, index + 1))
        strips.append(_column(seen, index, image, matte, makers))
    sheet = np.hstack(strips)
    write_picture(output, sheet)


def _column(seen: Perception, i: int, image: Image, matte: Matte, makers: list[InspectionRows]) -> NDArray[np.uint8]:
    lit = image * (DIM + (1 - DIM) / 255 * matte[..., None])
    cells = [
        (_found(seen, i, image), f"frame {i}, shot {seen.track.shot[i]}"),
        (np.asarray(lit, np.uint8), "matte"),
        *((picture, label) for maker in makers for label, picture in maker(i)),
    ]
    width = round(image.shape[1] * CELL_HEIGHT / image.shape[0])
    return np.vstack([framed(_fitted(cell, width), label) for cell, label in cells])


def _found(seen: Perception, i: int, image: Image) -> Image:
    """The frame at cell size with the person's skeleton and box, and the boxes of other people."""
    zoom = CELL_HEIGHT / image.shape[0]
    cell = _fitted(image, round(image.shape[1] * zoom))
    track = seen.track
    body = whole_body(track, i, (image.shape[1], image.shape[0]))
    skeleton = draw_skeleton(replace(body, points=body.points * zoom), cell.shape[1], cell.shape[0])
    drawn = skeleton.any(-1)
    cell[drawn] = np.maximum(skeleton[drawn], SKELETON_LEVEL_MIN)
    boxes = [(track.box[i], PERSON_COLOUR), *((box, OTHER_COLOUR) for box in track.bystanders[i])]
    for box, colour in boxes:
        if not np.isnan(box).any():
            x0, y0, x1, y1 = (box * zoom).astype(int).tolist()
            cv2.rectangle(cell, (x0, y0), (x1, y1), colour, 1)
    return cell


def _fitted(image: Image, width: int) -> Image:
    """``image`` at ``CELL_HEIGHT``, centred in ``width`` pixels."""
    inner = max(1, round(image.shape[1] * CELL_HEIGHT / image.shape[0]))
    scaled = cv2.resize(image, (min(inner, width), CELL_HEIGHT), interpolation=cv2.INTER_AREA)
    side = width - scaled.shape[1]
    return np.asarray(
        cv2.copyMakeBorder(scaled, 0, 0, side // 2, side - side // 2, cv2.BORDER_CONSTANT, value=MARGIN_COLOUR),
        np.uint8,
    )


def _spans(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Runs of true flags as ``start, stop`` without ``stop``."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
