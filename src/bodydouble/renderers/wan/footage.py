"""The frames of a segment: prepared for the model, and as the source has them."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image
from bodydouble.perception.footage import Footage
from bodydouble.renderers.wan.preprocess import MovePreprocessor, Preprocessor
from bodydouble.renderers.wan.timeline import FrameRange, mirrored_index


@dataclass(frozen=True, kw_only=True)
class SegmentVideo:
    """The model's input for one segment, F = 4n + 1 frames of uint8."""

    pose: NDArray[np.uint8]  # (F, H, W, 3) skeleton on black
    face: NDArray[np.uint8]  # (F, S, S, 3) crops; S is 512
    background: NDArray[np.uint8] | None  # (F, H, W, 3), black where the person was; None: there is none to keep
    mask: NDArray[np.uint8] | None  # (F, H, W), 255 where the model may paint


def read_segment(
    preprocessor: Preprocessor | MovePreprocessor, frame_range: FrameRange, face_side: int
) -> SegmentVideo:
    """The frames of ``frame_range``, lengthened by going back where there are fewer than its length."""
    read = list(preprocessor.read(frame_range.first, frame_range.segment.stop))
    inputs = [read[mirrored_index(i, len(read))] for i in range(frame_range.length)]
    return SegmentVideo(
        pose=np.stack([frame.pose for frame in inputs]),
        face=np.stack([_squared(frame.face, face_side) for frame in inputs]),
        background=_stacked([frame.background for frame in inputs]),
        mask=_stacked([frame.mask for frame in inputs]),
    )


def _stacked(images: list[NDArray[np.uint8] | None]) -> NDArray[np.uint8] | None:
    there = [image for image in images if image is not None]
    return np.stack(there) if there else None


def read_frames(footage: Footage, frame_range: FrameRange) -> list[Image]:
    """The real frames that are kept of ``frame_range``."""
    return [image for _, image in footage.read(frame_range.segment.start, frame_range.segment.stop)]


def _squared(face: Image, side: int) -> Image:
    if face.shape[0] == side:
        return face
    return np.asarray(cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
