"""Landmark networks: body, hand, face and iris in a region of interest, and the region for the next frame.

Region rules and constants are those of MediaPipe's graphs (``pose_detection_to_roi``, ``hand_landmark_tracking``,
``face_detection_front_detection_to_roi``, ``iris_landmark_left_and_right``, version 0.10.21).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Points
from bodydouble.perception.detectors import Detection
from bodydouble.perception.geometry import Roi, crop, normalise_angle, rotation, transform
from bodydouble.perception.nets import Net, sigmoid, unit
from bodydouble.perception.pack import ModelPack

POSE_SIDE, HAND_SIDE, FACE_SIDE, IRIS_SIDE = 256, 224, 192, 64


@dataclass(frozen=True, kw_only=True)
class BodyLandmarks:
    """33 points; ``segmentation`` is (256, 256) 0-255 in the crop that ``matrix`` maps to the frame."""

    points: Points
    depth: NDArray[np.float64]
    visibility: NDArray[np.float32]
    score: float
    segmentation: NDArray[np.uint8]
    matrix: Points
    next_roi: Roi
    whole_body: Points | None = None  # (133, 3) x, y, confidence, where the network knows them


@dataclass(frozen=True, kw_only=True)
class HandLandmarks:
    """21 points of one hand."""

    points: Points
    depth: NDArray[np.float64]
    score: float


@dataclass(frozen=True, kw_only=True)
class FaceLandmarks:
    """468 mesh points, the two irises (2, 5, 2) and eye contours (2, 16, 2), image left first."""

    points: Points
    depth: NDArray[np.float64]
    score: float
    irises: Points
    eyes: Points


def body_roi(hip: Points, scale: Points) -> Roi:
    """The square around a person from the hip centre and the point that gives size and uprightness."""
    size = 2 * float(np.hypot(*(scale - hip))) * 1.25
    angle = normalise_angle(np.pi / 2 - np.arctan2(-(scale[1] - hip[1]), scale[0] - hip[0]))
    return Roi(x=float(hip[0]), y=float(hip[1]), size=size, angle=angle)


def detection_body_roi(found: Detection) -> Roi:
    """The square for the landmark network from a person detection."""
    return body_roi(found.points[0], found.points[1])


class BodyNet:
    """BlazePose landmarks."""

    def __init__(self, pack: ModelPack, variant: str = "heavy") -> None:
        self._net = Net(pack.path(f"pose_landmark_{variant}.tflite"))

    def run(self, image: Image, roi: Roi) -> BodyLandmarks:
        """The body in ``roi``; ``score`` says whether there is one."""
        matrix = roi.matrix(POSE_SIDE)
        outputs = {o.shape: o for o in self._net.run(unit(crop(image, matrix, POSE_SIDE)))}
        raw = outputs[(195,)].reshape(39, 5).astype(np.float64)
        _refine(raw, sigmoid(outputs[(64, 64, 39)]))
        points = transform(matrix, raw[:, :2])
        return BodyLandmarks(
            points=points[:33],
            depth=raw[:33, 2] * roi.size / POSE_SIDE,
            visibility=sigmoid(raw[:33, 3]),
            score=float(outputs[(1,)][0]),
            segmentation=(sigmoid(outputs[(256, 256, 1)][..., 0]) * 255 + 0.5).astype(np.uint8),
            matrix=matrix,
            next_roi=body_roi(points[33], points[34]),
        )


def _refine(raw: Points, heat: NDArray[np.float32]) -> None:
    """Move each point to the centre of mass of its heat map's 7x7 cells where that is sure (>= 0.5)."""
    for i in range(len(raw)):
        cx, cy = int(raw[i, 0] / 4), int(raw[i, 1] / 4)
        x0, x1, y0, y1 = max(cx - 3, 0), min(cx + 4, 64), max(cy - 3, 0), min(cy + 4, 64)
        if x0 >= x1 or y0 >= y1:
            continue
        patch = heat[y0:y1, x0:x1, i]
        if patch.max() >= 0.5:
            total = patch.sum()
            raw[i, 0] = (patch.sum(0) * np.arange(x0, x1)).sum() / total * 4
            raw[i, 1] = (patch.sum(1) * np.arange(y0, y1)).sum() / total * 4


class HandNet:
    """Hand landmarks."""

    def __init__(self, pack: ModelPack) -> None:
        self._net = Net(pack.path("hand_landmark_full.tflite"))

    def run(self, image: Image, roi: Roi) -> HandLandmarks:
        """The hand in ``roi``; ``score`` says whether there is one."""
        matrix = roi.matrix(HAND_SIDE)
        outputs = self._net.run(unit(crop(image, matrix, HAND_SIDE)))
        raw = outputs[0].reshape(21, 3).astype(np.float64)
        return HandLandmarks(
            points=transform(matrix, raw[:, :2]),
            depth=raw[:, 2] * roi.size / HAND_SIDE,
            score=float(outputs[1].ravel()[0]),
        )


def palm_roi(found: Detection) -> Roi:
    """The hand's square from a palm detection."""
    wrist, middle = found.points[0], found.points[2]
    angle = normalise_angle(np.pi / 2 - np.arctan2(-(middle[1] - wrist[1]), middle[0] - wrist[0]))
    centre = found.box.mean(0) + np.array([np.sin(angle), -np.cos(angle)]) * 0.5 * found.size
    return Roi(x=float(centre[0]), y=float(centre[1]), size=found.size * 2.6, angle=angle)


def hand_roi(points: Points) -> Roi:
    """The hand's square for the next frame from this one's points."""
    stable = points[[0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18]]
    target = ((points[6] + points[14]) / 2 + points[10]) / 2
    angle = normalise_angle(np.pi / 2 - np.arctan2(-(target[1] - points[0, 1]), target[0] - points[0, 0]))
    centre, extent = _rotated_box(stable, angle)
    centre = centre + np.array([np.sin(angle), -np.cos(angle)]) * 0.1 * extent[1]
    return Roi(x=float(centre[0]), y=float(centre[1]), size=float(extent.max()) * 2, angle=angle)


def _rotated_box(points: Points, angle: float) -> tuple[Points, Points]:
    """Centre in the frame and extent (2,) of the points' box in axes turned by ``angle``."""
    turn = rotation(angle)
    local = (points - points.mean(0)) @ turn.T
    low, high = local.min(0), local.max(0)
    return turn.T @ ((low + high) / 2) + points.mean(0), high - low


class FaceNet:
    """Face mesh and irises."""

    def __init__(self, pack: ModelPack) -> None:
        self._mesh = Net(pack.path("face_landmark.tflite"))
        self._iris = Net(pack.path("iris_landmark.tflite"))

    def run(self, image: Image, roi: Roi) -> FaceLandmarks:
        """The face in ``roi``; ``score`` says whether there is one."""
        matrix = roi.matrix(FACE_SIDE)
        mesh, flag = sorted(self._mesh.run(unit(crop(image, matrix, FACE_SIDE))), key=lambda o: -o.size)
        raw = mesh.reshape(468, 3).astype(np.float64)
        points = transform(matrix, raw[:, :2])
        score = float(sigmoid(flag.ravel())[0])
        irises, eyes = self._eyes(image, points) if score > 0.5 else (np.zeros((2, 5, 2)), np.zeros((2, 16, 2)))
        depth = raw[:, 2] * roi.size / FACE_SIDE
        return FaceLandmarks(points=points, depth=depth, score=score, irises=irises, eyes=eyes)

    def _eyes(self, image: Image, mesh: Points) -> tuple[Points, Points]:
        irises, eyes = np.zeros((2, 5, 2)), np.zeros((2, 16, 2))
        line = mesh[263] - mesh[33]
        angle = float(np.arctan2(line[1], line[0]))
        for k, (outer, inner) in enumerate(((33, 133), (263, 362))):
            centre = (mesh[outer] + mesh[inner]) / 2
            size = float(np.hypot(*(mesh[outer] - mesh[inner]))) * 2.3
            matrix = Roi(x=float(centre[0]), y=float(centre[1]), size=size, angle=angle).matrix(IRIS_SIDE)
            patch = crop(image, matrix, IRIS_SIDE, replicate=True)
            # The network knows eyes at image left only: the other one is shown mirrored.
            outputs = self._iris.run(unit(np.ascontiguousarray(patch[:, ::-1]) if k else patch))
            contour, iris = sorted(outputs, key=lambda o: -o.size)
            e, i = contour.reshape(71, 3)[:16, :2].astype(np.float64), iris.reshape(5, 3)[:, :2].astype(np.float64)
            if k:
                e[:, 0], i[:, 0] = IRIS_SIDE - 1 - e[:, 0], IRIS_SIDE - 1 - i[:, 0]
            eyes[k], irises[k] = transform(matrix, e), transform(matrix, i)
        return irises, eyes


def detection_face_roi(found: Detection) -> Roi:
    """The face's square from a face detection."""
    eye, other = found.points[0], found.points[1]
    centre = found.box.mean(0)
    angle = float(np.arctan2(other[1] - eye[1], other[0] - eye[0]))
    return Roi(x=float(centre[0]), y=float(centre[1]), size=found.size * 1.5, angle=angle)


def face_roi(points: Points) -> Roi:
    """The face's square for the next frame from this one's mesh."""
    line = points[263] - points[33]
    angle = float(np.arctan2(line[1], line[0]))
    centre, extent = _rotated_box(points, angle)
    return Roi(x=float(centre[0]), y=float(centre[1]), size=float(extent.max()) * 1.5, angle=angle)
