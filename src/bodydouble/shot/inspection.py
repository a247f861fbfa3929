"""What perception finds in a video, as a picture and as figures: the answer to "why did it fail?"."""

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
PERSON_COLOUR, OTHER_COLOUR = (80, 255, 120), (255, 160, 40)
DIM = 0.25


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """Figures of one video; frames count from 0, spans are ``start, stop`` with ``stop`` outside."""

    frames: int
    shots: int
    present: int  # frames in which the person is followed
    face: int
    hands: tuple[int, int]  # left, right
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
    """Perceive ``video`` and write a sheet to ``output``: person, matte, and what renderers are given of it.

    Raises:
        MediaRejected: the video cannot be read.
        NobodyFound: nobody in it, or not the person asked for.
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
    """Frames spread over the time, one a column. Rows: who was found; matte; what renderers are given."""
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
    """The frame with the person's skeleton and box, and the boxes of others, drawn at the size at which it is seen."""
    zoom = CELL_HEIGHT / image.shape[0]
    cell = _fitted(image, round(image.shape[1] * zoom))
    track = seen.track
    body = whole_body(track, i, (image.shape[1], image.shape[0]))
    skeleton = draw_skeleton(replace(body, points=body.points * zoom), cell.shape[1], cell.shape[0])
    drawn = skeleton.any(-1)
    cell[drawn] = np.maximum(skeleton[drawn], 60)
    boxes = [(track.box[i], PERSON_COLOUR), *((box, OTHER_COLOUR) for box in track.bystanders[i])]
    for box, colour in boxes:
        if not np.isnan(box).any():
            x0, y0, x1, y1 = (box * zoom).astype(int).tolist()
            cv2.rectangle(cell, (x0, y0), (x1, y1), colour, 1)
    return cell


def _fitted(image: Image, width: int) -> Image:
    """``image`` at ``CELL_HEIGHT``, in the middle of ``width``."""
    inner = max(1, round(image.shape[1] * CELL_HEIGHT / image.shape[0]))
    scaled = cv2.resize(image, (min(inner, width), CELL_HEIGHT), interpolation=cv2.INTER_AREA)
    side = width - scaled.shape[1]
    return np.asarray(
        cv2.copyMakeBorder(scaled, 0, 0, side // 2, side - side // 2, cv2.BORDER_CONSTANT, value=(24, 24, 24)),
        np.uint8,
    )


def _spans(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Runs of true as ``start, stop``."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
