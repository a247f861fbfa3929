"""Landmark networks: body, hand, face and iris in a region of interest, and the region for the next frame.

Region rules and constants are those of MediaPipe's graphs (``pose_detection_to_roi``, ``hand_landmark_tracking``,
``face_detection_front_detection_to_roi``, ``iris_landmark_left_and_right``, version 0.10.21).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Affine, Image, Points
from bodydouble.perception.detectors import Detection, FaceKeyPoint, PalmKeyPoint, PersonKeyPoint
from bodydouble.perception.geometry import Roi, crop, distance, normalise_angle, rotation, transform
from bodydouble.perception.iris_places import iris_shift
from bodydouble.perception.landmark_indices import FacePoint, HandPoint
from bodydouble.perception.litert import LiteRTNet, sigmoid, to_unit_range
from bodydouble.perception.pack import ModelPack

POSE_SIDE, HAND_SIDE, FACE_SIDE, IRIS_SIDE = 256, 224, 192, 64
"""Sides of the networks' square inputs, pixels."""

# Body network. Its 39 rows are 33 landmarks, two auxiliary points for the next region, and four that nothing uses.
BODY_ROWS, BODY_COLUMNS, BODY_LANDMARKS = 39, 5, 33
HIP_CENTRE_ROW, SCALE_ROW = 33, 34
HEAT_SIDE = 64
"""Cells of a heat map along each side."""
HEAT_CELL = POSE_SIDE // HEAT_SIDE
"""Pixels of the crop in each cell."""
HEAT_REACH = 3
"""Cells to each side of a landmark that refine it (``kernel_size: 7``)."""
HEAT_SURE_MIN = 0.5
"""``min_confidence_to_refine``."""
BODY_REGION_SCALE = 1.25
"""Side of the body's region over the diameter of the circle around the hip centre that reaches the scale point."""

# Hand network.
HAND_LANDMARKS = 21
PALM_REGION_SCALE, PALM_REGION_SHIFT = 2.6, 0.5
"""Region over the palm's box, and its shift towards the fingers in box sides."""
HAND_REGION_SCALE, HAND_REGION_SHIFT = 2.0, 0.1
"""Region over the box of the stable points, and its shift towards the fingers in box heights."""
STABLE_HAND_POINTS = (
    HandPoint.WRIST, HandPoint.THUMB_CMC, HandPoint.THUMB_MCP, HandPoint.THUMB_IP, HandPoint.INDEX_MCP,
    HandPoint.INDEX_PIP, HandPoint.MIDDLE_MCP, HandPoint.MIDDLE_PIP, HandPoint.RING_MCP, HandPoint.RING_PIP,
    HandPoint.PINKY_MCP, HandPoint.PINKY_PIP,
)  # fmt: skip
"""The points that bending fingers move least."""

# Face and iris networks.
MESH_LANDMARKS, IRIS_LANDMARKS, EYE_LANDMARKS, EYE_CONTOUR = 468, 5, 71, 16
BODY_KEPT_MIN = 0.5
"""Score 0-1 of the body network from which a tracked body is kept; below, it is lost. The threshold of MediaPipe's
graph ``tensors_to_pose_landmarks_and_segmentation``."""
MESH_SCORE_MIN = 0.5
"""Below this there is no face, and the irises are not measured."""
FACE_REGION_SCALE = 1.5
"""Region over the box of a detection or mesh."""
SETTLING_LOOKS = 3
"""Regions of a still face, each from the mesh before, until the mesh settles. Measured on drawn faces: from the
detector's region it may lie 6 % of the face's width off, after three looks it stays within 1 %."""
LOOK_SIZES, LOOK_ANGLES = (0.9, 1.0, 1.15), (-0.14, 0.0, 0.14)
"""Regions of a still face whose meshes are averaged: their sides over the settled region's, and their turns in radians.
Measured: these meshes spread by 0.5 % of the face's width on photographs, by 1 to 3 % on drawn faces."""
EYE_REGION_SCALE = 2.3
"""Region over the distance of the eye's corners."""
EYE_CORNERS = (
    (FacePoint.RIGHT_EYE_OUTER, FacePoint.RIGHT_EYE_INNER),
    (FacePoint.LEFT_EYE_OUTER, FacePoint.LEFT_EYE_INNER),
)
"""The eye at image left, then the other."""


@dataclass(frozen=True, kw_only=True)
class BodyLandmarks:
    """33 points; ``segmentation`` is (256, 256) 0-255 in the crop that ``matrix`` maps to the frame."""

    points: Points
    depth: NDArray[np.float64]
    visibility: NDArray[np.float32]
    score: float
    segmentation: NDArray[np.uint8]
    matrix: Affine
    next_roi: Roi
    whole_body: Points | None = None  # (133, 3) x, y, confidence, where the network provides them


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


def _upright_angle(base: Points, top: Points) -> float:
    """Rotation in radians of a person whose axis leads from ``base`` (2,) to ``top`` (2,); 0 is upright."""
    return normalise_angle(np.pi / 2 - np.arctan2(-(top[1] - base[1]), top[0] - base[0]))


def body_roi(hip: Points, scale: Points) -> Roi:
    """The square around a person from the hip centre and the point that gives size and uprightness."""
    size = 2 * distance(scale, hip) * BODY_REGION_SCALE
    return Roi(x=float(hip[0]), y=float(hip[1]), size=size, angle=_upright_angle(hip, scale))


def detection_body_roi(found: Detection) -> Roi:
    """The landmark network's square from a person detection."""
    return body_roi(found.points[PersonKeyPoint.HIP_CENTRE], found.points[PersonKeyPoint.ABOVE_HEAD])


class BodyNet:
    """BlazePose landmarks."""

    def __init__(self, pack: ModelPack, variant: str = "heavy") -> None:
        self._net = LiteRTNet(pack.path(f"pose_landmark_{variant}.tflite"))

    def run(self, image: Image, roi: Roi) -> BodyLandmarks:
        """The body in ``roi``; ``score`` (0-1) says whether there is one."""
        matrix = roi.matrix(POSE_SIDE)
        outputs = {o.shape: o for o in self._net.run(to_unit_range(crop(image, matrix, POSE_SIDE)))}
        raw = outputs[(BODY_ROWS * BODY_COLUMNS,)].reshape(BODY_ROWS, BODY_COLUMNS).astype(np.float64)
        _refine(raw, outputs[(HEAT_SIDE, HEAT_SIDE, BODY_ROWS)])
        points = transform(matrix, raw[:, :2])
        segmentation = sigmoid(outputs[(POSE_SIDE, POSE_SIDE, 1)][..., 0])
        return BodyLandmarks(
            points=points[:BODY_LANDMARKS],
            depth=raw[:BODY_LANDMARKS, 2] * roi.size / POSE_SIDE,
            visibility=sigmoid(raw[:BODY_LANDMARKS, 3]),
            score=float(outputs[(1,)][0]),
            segmentation=(segmentation * 255 + 0.5).astype(np.uint8),
            matrix=matrix,
            next_roi=body_roi(points[HIP_CENTRE_ROW], points[SCALE_ROW]),
        )


def _refine(raw: Points, heat: NDArray[np.float32]) -> None:
    """Move each point to the centre of mass of its heat map nearby, where the map is sure. ``heat`` are logits."""
    for i in range(len(raw)):
        cx, cy = int(raw[i, 0] / HEAT_CELL), int(raw[i, 1] / HEAT_CELL)
        x0, x1 = max(cx - HEAT_REACH, 0), min(cx + HEAT_REACH + 1, HEAT_SIDE)
        y0, y1 = max(cy - HEAT_REACH, 0), min(cy + HEAT_REACH + 1, HEAT_SIDE)
        if x0 >= x1 or y0 >= y1:
            continue
        patch = sigmoid(heat[y0:y1, x0:x1, i])
        if patch.max() >= HEAT_SURE_MIN:
            total = patch.sum()
            raw[i, 0] = (patch.sum(0) * np.arange(x0, x1)).sum() / total * HEAT_CELL
            raw[i, 1] = (patch.sum(1) * np.arange(y0, y1)).sum() / total * HEAT_CELL


class HandNet:
    """Hand landmarks."""

    def __init__(self, pack: ModelPack) -> None:
        self._net = LiteRTNet(pack.path("hand_landmark_full.tflite"))

    def run(self, image: Image, roi: Roi) -> HandLandmarks:
        """The hand in ``roi``; ``score`` (0-1) says whether there is one."""
        matrix = roi.matrix(HAND_SIDE)
        outputs = self._net.run(to_unit_range(crop(image, matrix, HAND_SIDE)))
        raw = outputs[0].reshape(HAND_LANDMARKS, 3).astype(np.float64)
        return HandLandmarks(
            points=transform(matrix, raw[:, :2]),
            depth=raw[:, 2] * roi.size / HAND_SIDE,
            score=float(outputs[1].ravel()[0]),
        )


def palm_roi(found: Detection) -> Roi:
    """The hand's square from a palm detection."""
    angle = _upright_angle(found.points[PalmKeyPoint.WRIST], found.points[PalmKeyPoint.MIDDLE_FINGER])
    centre = found.box.mean(0) + np.array([np.sin(angle), -np.cos(angle)]) * PALM_REGION_SHIFT * found.size
    return Roi(x=float(centre[0]), y=float(centre[1]), size=found.size * PALM_REGION_SCALE, angle=angle)


def hand_roi(points: Points) -> Roi:
    """The hand's square for the next frame from this one's points."""
    knuckles = (points[HandPoint.INDEX_PIP] + points[HandPoint.RING_PIP]) / 2
    angle = _upright_angle(points[HandPoint.WRIST], (knuckles + points[HandPoint.MIDDLE_PIP]) / 2)
    centre, extent = _rotated_box(points[list(STABLE_HAND_POINTS)], angle)
    centre = centre + np.array([np.sin(angle), -np.cos(angle)]) * HAND_REGION_SHIFT * extent[1]
    return Roi(x=float(centre[0]), y=float(centre[1]), size=float(extent.max()) * HAND_REGION_SCALE, angle=angle)


def _rotated_box(points: Points, angle: float) -> tuple[Points, Points]:
    """Centre in the frame and extent (2,) of the points' box in axes turned by ``angle``."""
    turn = rotation(angle)
    local = (points - points.mean(0)) @ turn.T
    low, high = local.min(0), local.max(0)
    return turn.T @ ((low + high) / 2) + points.mean(0), high - low


class FaceNet:
    """Face mesh and irises."""

    def __init__(self, pack: ModelPack) -> None:
        self._mesh = LiteRTNet(pack.path("face_landmark.tflite"))
        self._iris = LiteRTNet(pack.path("iris_landmark.tflite"))

    def run(self, image: Image, roi: Roi) -> FaceLandmarks:
        """The face in ``roi``; ``score`` (0-1) says whether there is one."""
        face = self._mesh_of(image, roi)
        return self._with_eyes(image, face) if face.score > MESH_SCORE_MIN else face

    def averaged(self, image: Image, face: FaceLandmarks) -> FaceLandmarks:
        """``face`` of a still picture as several looks see it: one is off by more, most of all at drawn faces.

        ``face`` itself where a look at its own region sees none.
        """
        settled = face
        for _ in range(SETTLING_LOOKS):
            settled = self._mesh_of(image, face_roi(settled.points))
            if settled.score <= MESH_SCORE_MIN:
                return face
        roi = face_roi(settled.points)
        regions = [
            replace(roi, size=roi.size * size, angle=roi.angle + turn) for size in LOOK_SIZES for turn in LOOK_ANGLES
        ]
        looks = [look for look in (self._mesh_of(image, region) for region in regions) if look.score > MESH_SCORE_MIN]
        points, depth = (
            np.mean([getattr(look, name) for look in looks or [settled]], axis=0) for name in ("points", "depth")
        )
        # Light irises below painted lids look like ones that look up, and a still picture has no gaze to follow.
        return self._with_eyes(image, replace(face, points=points, depth=depth), look_up=False)

    def _mesh_of(self, image: Image, roi: Roi) -> FaceLandmarks:
        """The mesh in ``roi``, without eyes."""
        matrix = roi.matrix(FACE_SIDE)
        mesh, flag = sorted(self._mesh.run(to_unit_range(crop(image, matrix, FACE_SIDE))), key=lambda o: -o.size)
        raw = mesh.reshape(MESH_LANDMARKS, 3).astype(np.float64)
        return FaceLandmarks(
            points=transform(matrix, raw[:, :2]),
            depth=raw[:, 2] * roi.size / FACE_SIDE,
            score=float(sigmoid(flag.ravel())[0]),
            irises=np.zeros((2, IRIS_LANDMARKS, 2)),
            eyes=np.zeros((2, EYE_CONTOUR, 2)),
        )

    def _with_eyes(self, image: Image, face: FaceLandmarks, *, look_up: bool = True) -> FaceLandmarks:
        irises, eyes = self._eyes(image, face.points, look_up=look_up)
        return replace(face, irises=irises, eyes=eyes)

    def _eyes(self, image: Image, mesh: Points, *, look_up: bool) -> tuple[Points, Points]:
        """Irises and contours; with ``look_up`` irises that look up are searched for."""
        irises, eyes = np.zeros((2, IRIS_LANDMARKS, 2)), np.zeros((2, EYE_CONTOUR, 2))
        angle = _face_angle(mesh)
        for k, (outer, inner) in enumerate(EYE_CORNERS):
            centre = (mesh[outer] + mesh[inner]) / 2
            size = distance(mesh[outer], mesh[inner]) * EYE_REGION_SCALE
            matrix = Roi(x=float(centre[0]), y=float(centre[1]), size=size, angle=angle).matrix(IRIS_SIDE)
            patch = crop(image, matrix, IRIS_SIDE, replicate=True)
            # The network was trained on eyes at image left: the other one is mirrored.
            outputs = self._iris.run(to_unit_range(np.ascontiguousarray(patch[:, ::-1]) if k else patch))
            contour, iris = sorted(outputs, key=lambda o: -o.size)
            eye = contour.reshape(EYE_LANDMARKS, 3)[:EYE_CONTOUR, :2].astype(np.float64)
            ring = iris.reshape(IRIS_LANDMARKS, 3)[:, :2].astype(np.float64)
            if k:
                eye[:, 0], ring[:, 0] = IRIS_SIDE - 1 - eye[:, 0], IRIS_SIDE - 1 - ring[:, 0]
            if look_up:
                ring += iris_shift(patch, ring, eye)
            eyes[k], irises[k] = transform(matrix, eye), transform(matrix, ring)
        return irises, eyes


def detection_face_roi(found: Detection) -> Roi:
    """The face's square from a face detection."""
    line = found.points[FaceKeyPoint.LEFT_EYE] - found.points[FaceKeyPoint.RIGHT_EYE]
    centre = found.box.mean(0)
    angle = float(np.arctan2(line[1], line[0]))
    return Roi(x=float(centre[0]), y=float(centre[1]), size=found.size * FACE_REGION_SCALE, angle=angle)


def face_roi(points: Points) -> Roi:
    """The face's square for the next frame from this one's mesh."""
    angle = _face_angle(points)
    centre, extent = _rotated_box(points, angle)
    return Roi(x=float(centre[0]), y=float(centre[1]), size=float(extent.max()) * FACE_REGION_SCALE, angle=angle)


def _face_angle(mesh: Points) -> float:
    """Turn of the line through the outer corners of the eyes, radians."""
    line = mesh[FacePoint.LEFT_EYE_OUTER] - mesh[FacePoint.RIGHT_EYE_OUTER]
    return float(np.arctan2(line[1], line[0]))
