"""Single-shot detectors: people, palms, faces.

Anchor layouts, score thresholds and box decoding are those of MediaPipe's graphs (``pose_detection_cpu.pbtxt``,
``palm_detection_cpu.pbtxt``, ``face_detection_full_range.pbtxt``, version 0.10.21).
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Points
from bodydouble.perception.geometry import Roi, crop, transform
from bodydouble.perception.litert import LiteRTNet, sigmoid, to_unit_range
from bodydouble.perception.pack import ModelPack

NMS_OVERLAP = 0.3
"""Intersection over union from which two candidates are one object (``min_suppression_threshold`` of the graphs)."""
AREA_MIN = 1e-9
"""Keeps the ratio finite for empty boxes."""


class PersonKeyPoint(IntEnum):
    """Key points of the person detector that are used here."""

    HIP_CENTRE = 0
    ABOVE_HEAD = 1  # at a distance from the hip centre that gives size and uprightness


class PalmKeyPoint(IntEnum):
    """Key points of the palm detector that are used here."""

    WRIST = 0
    MIDDLE_FINGER = 2


class FaceKeyPoint(IntEnum):
    """Key points of the face detector that are used here. The subject's right is at image left."""

    RIGHT_EYE = 0
    LEFT_EYE = 1


@dataclass(frozen=True, kw_only=True)
class Detection:
    """A box (2, 2) of top left and bottom right, and key points (K, 2), in frame pixels; score 0-1."""

    box: Points
    points: Points
    score: float

    @property
    def size(self) -> float:
        """The longer side of the box."""
        return float(np.max(self.box[1] - self.box[0]))


@dataclass(frozen=True, kw_only=True)
class AnchorLayout:
    """Anchors of a single-shot detector. Layers of equal stride share cells, each adding ``per_cell`` anchors."""

    side: int  # of the network's input, pixels
    strides: tuple[int, ...]  # pixels, one for each layer
    per_cell: int

    def centres(self) -> NDArray[np.float32]:
        """(N, 2) anchor centres, 0-1."""
        result: list[NDArray[np.float64]] = []
        for stride in dict.fromkeys(self.strides):
            cells = int(np.ceil(self.side / stride))
            centres = (np.arange(cells) + 0.5) / cells
            yy, xx = np.meshgrid(centres, centres, indexing="ij")
            repeats = self.per_cell * self.strides.count(stride)
            result.append(np.repeat(np.stack([xx.ravel(), yy.ravel()], 1), repeats, 0))
        return np.concatenate(result).astype(np.float32)


PERSON_ANCHORS = AnchorLayout(side=224, strides=(8, 16, 32, 32, 32), per_cell=2)
PALM_ANCHORS = AnchorLayout(side=192, strides=(8, 16, 16, 16), per_cell=2)
FACE_ANCHORS = AnchorLayout(side=192, strides=(4,), per_cell=1)
BOX_NUMBERS = 4
"""A candidate's centre x, y, width and height, before its key points (``keypoint_coord_offset`` of the graphs)."""
PERSON_POINTS, PALM_POINTS, FACE_POINTS = 4, 7, 6
"""Key points of a candidate (``num_keypoints`` of the graphs)."""
PERSON_SCORE_MIN, PALM_SCORE_MIN = 0.4, 0.4
"""The graphs have 0.5; candidates are confirmed by the landmark networks here. Chosen on the development clips."""
FACE_SCORE_MIN = 0.5
"""The graph has 0.6; confirmed by the face mesh here. Chosen on the development clips."""


def box_iou(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N,) intersection over union of box ``a`` (4,) with each of the boxes ``b`` (N, 4)."""
    low, high = np.maximum(a[:2], b[:, :2]), np.minimum(a[2:], b[:, 2:])
    inner = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(b[:, 2:] - b[:, :2], axis=1)
    return inner / (np.prod(a[2:] - a[:2]) + areas - inner + AREA_MIN)


def _weighted_nms(boxes: NDArray[np.floating], scores: NDArray[np.float32]) -> list[tuple[NDArray[np.float64], float]]:
    """Blend overlapping candidates by score, as BlazeFace does, instead of keeping one of them."""
    order = np.argsort(-scores, kind="stable")
    kept: list[tuple[NDArray[np.float64], float]] = []
    while len(order):
        same = box_iou(boxes[order[0], :4], boxes[order, :4]) > NMS_OVERLAP
        same[0] = True
        weights = scores[order[same]]
        blended = np.average(boxes[order[same]], axis=0, weights=weights)
        kept.append((np.asarray(blended, np.float64), float(weights.max())))
        order = order[~same]
    return kept


class Detector:
    """One single-shot detector."""

    def __init__(
        self, net: LiteRTNet, anchors: AnchorLayout, *, points: int, signed_input: bool, score_min: float
    ) -> None:
        """``signed_input``: the network takes -1 to 1 instead of 0 to 1."""
        self._net = net
        self._anchors = anchors.centres()
        self._points = points
        self._signed_input = signed_input
        self._score_min = score_min

    def detect(self, image: Image, roi: Roi | None = None) -> list[Detection]:
        """The objects in ``roi`` (default: the whole frame, letterboxed), best first."""
        height, width = image.shape[:2]
        side = self._net.width
        region = roi or Roi(x=width / 2, y=height / 2, size=max(width, height))
        matrix = region.matrix(side)
        x = to_unit_range(crop(image, matrix, side))
        outputs = self._net.run(x * 2 - 1 if self._signed_input else x)
        raw, logits = sorted(outputs, key=lambda o: -o.shape[-1])
        scores = sigmoid(logits[:, 0])
        good = scores > self._score_min
        if not good.any():
            return []
        raw, scores, anchors = raw[good], scores[good], self._anchors[good]
        centre = raw[:, :2] / side + anchors
        half = raw[:, 2:4] / side / 2
        points = (
            raw[:, BOX_NUMBERS : BOX_NUMBERS + 2 * self._points].reshape(-1, self._points, 2) / side + anchors[:, None]
        )
        flat = np.concatenate([centre - half, centre + half, points.reshape(len(points), -1)], 1)
        found: list[Detection] = []
        for box, score in _weighted_nms(flat, scores):
            frame = transform(matrix, box.reshape(-1, 2) * side)
            found.append(Detection(box=frame[:2], points=frame[2:], score=score))
        return found


def person_detector(pack: ModelPack) -> Detector:
    """Key points: ``PersonKeyPoint``, and two of the upper body."""
    net = LiteRTNet(pack.path("pose_detection.tflite"))
    return Detector(net, PERSON_ANCHORS, points=PERSON_POINTS, signed_input=True, score_min=PERSON_SCORE_MIN)


def palm_detector(pack: ModelPack) -> Detector:
    """Key points: wrist, the four finger roots, two of the thumb."""
    net = LiteRTNet(pack.path("palm_detection_full.tflite"))
    return Detector(net, PALM_ANCHORS, points=PALM_POINTS, signed_input=False, score_min=PALM_SCORE_MIN)


def face_detector(pack: ModelPack) -> Detector:
    """Key points: eye at image left, other eye, nose tip, mouth, two ears. Finds faces up to about 5 m away."""
    net = LiteRTNet(pack.path("face_detection_full_range_sparse.tflite"))
    return Detector(net, FACE_ANCHORS, points=FACE_POINTS, signed_input=True, score_min=FACE_SCORE_MIN)
