"""Single-shot detectors: people, palms, faces.

Anchor layouts, score thresholds and box decoding are those of MediaPipe's graphs (``pose_detection_cpu.pbtxt``,
``palm_detection_cpu.pbtxt``, ``face_detection_full_range.pbtxt``, version 0.10.21).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Points
from bodydouble.perception.geometry import Roi, crop, transform
from bodydouble.perception.nets import Net, sigmoid, unit
from bodydouble.perception.pack import ModelPack

NMS_OVERLAP = 0.3


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


def _anchors(side: int, strides: list[int], per_cell: int) -> NDArray[np.float32]:
    """(N, 2) anchor centres 0-1. Layers of equal stride share cells, each adding ``per_cell`` anchors."""
    result: list[NDArray[np.float64]] = []
    for stride in dict.fromkeys(strides):
        cells = int(np.ceil(side / stride))
        centres = (np.arange(cells) + 0.5) / cells
        yy, xx = np.meshgrid(centres, centres, indexing="ij")
        result.append(np.repeat(np.stack([xx.ravel(), yy.ravel()], 1), per_cell * strides.count(stride), 0))
    return np.concatenate(result).astype(np.float32)


def overlap(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """Intersection over union of box ``a`` (4,) with boxes ``b`` (N, 4)."""
    low, high = np.maximum(a[:2], b[:, :2]), np.minimum(a[2:], b[:, 2:])
    inner = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(b[:, 2:] - b[:, :2], axis=1)
    return inner / (np.prod(a[2:] - a[:2]) + areas - inner + 1e-9)


def _weighted_nms(boxes: NDArray[np.floating], scores: NDArray[np.float32]) -> list[tuple[NDArray[np.float64], float]]:
    """Blend overlapping candidates by score, as BlazeFace does, instead of keeping one of them."""
    order = np.argsort(-scores, kind="stable")
    kept: list[tuple[NDArray[np.float64], float]] = []
    while len(order):
        same = overlap(boxes[order[0], :4], boxes[order, :4]) > NMS_OVERLAP
        same[0] = True
        weights = scores[order[same]]
        blended = np.average(boxes[order[same]], axis=0, weights=weights)
        kept.append((np.asarray(blended, np.float64), float(weights.max())))
        order = order[~same]
    return kept


class Detector:
    """One single-shot detector."""

    def __init__(self, net: Net, anchors: NDArray[np.float32], *, points: int, signed: bool, threshold: float) -> None:
        self._net = net
        self._anchors = anchors
        self._points = points
        self._signed = signed  # the network wants -1 to 1 instead of 0 to 1
        self._threshold = threshold

    def detect(self, image: Image, roi: Roi | None = None) -> list[Detection]:
        """What is in ``roi`` (default: the whole frame, letterboxed), best first."""
        height, width = image.shape[:2]
        side = self._net.width
        region = roi or Roi(x=width / 2, y=height / 2, size=max(width, height))
        matrix = region.matrix(side)
        x = unit(crop(image, matrix, side))
        outputs = self._net.run(x * 2 - 1 if self._signed else x)
        raw, logits = sorted(outputs, key=lambda o: -o.shape[-1])
        scores = sigmoid(logits[:, 0])
        good = scores > self._threshold
        if not good.any():
            return []
        raw, scores, anchors = raw[good], scores[good], self._anchors[good]
        centre = raw[:, :2] / side + anchors
        half = raw[:, 2:4] / side / 2
        points = raw[:, 4 : 4 + 2 * self._points].reshape(-1, self._points, 2) / side + anchors[:, None]
        flat = np.concatenate([centre - half, centre + half, points.reshape(len(points), -1)], 1)
        found: list[Detection] = []
        for box, score in _weighted_nms(flat, scores):
            frame = transform(matrix, box.reshape(-1, 2) * side)
            found.append(Detection(box=frame[:2], points=frame[2:], score=score))
        return found


def person_detector(pack: ModelPack) -> Detector:
    """Key points: hip centre, a point above the head, and two of the upper body."""
    net = Net(pack.path("pose_detection.tflite"))
    return Detector(net, _anchors(224, [8, 16, 32, 32, 32], 2), points=4, signed=True, threshold=0.4)


def palm_detector(pack: ModelPack) -> Detector:
    """Key points: wrist, the four finger roots, two of the thumb."""
    net = Net(pack.path("palm_detection_full.tflite"))
    return Detector(net, _anchors(192, [8, 16, 16, 16], 2), points=7, signed=False, threshold=0.4)


def face_detector(pack: ModelPack) -> Detector:
    """Key points: eye at image left, other eye, nose tip, mouth, two ears. Finds faces up to some 5 m away."""
    net = Net(pack.path("face_detection_full_range_sparse.tflite"))
    return Detector(net, _anchors(192, [4], 1), points=6, signed=True, threshold=0.5)
