"""Finding everybody in one picture.

The person detector alone finds one of four people in a street photograph: it was made for one person near the
camera. Therefore it also runs over overlapping tiles, and every face found seeds a body. The landmark network confirms
each candidate, and each person counts once.

Thresholds that name no clips have no recorded source. They are kept because the choice of the person depends on them.
"""

from dataclasses import dataclass, replace

import numpy as np

from bodydouble.perception.arrays import Box, Image, Points
from bodydouble.perception.detectors import Detection, FaceKeyPoint, box_iou, face_detector, person_detector
from bodydouble.perception.geometry import Roi, distance
from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.perception.landmarks import (
    BodyLandmarks,
    BodyNet,
    FaceNet,
    body_roi,
    detection_body_roi,
    detection_face_roi,
)
from bodydouble.perception.pack import ModelPack

BODY_SCORE_MIN = 0.6
"""Score 0-1 of the body network from which a candidate is a person."""
ROUGH_SCORE_MIN = 0.2
"""Score (0-1) that the small network needs while the region still moves from step to step."""
FACE_SCORE_MIN = 0.6
"""Score 0-1 of the face mesh from which a detected face is one."""
SAME_PERSON_OVERLAP = 0.45
"""Intersection over union of two boxes from which they are one person."""
CONTAINED_MIN = 0.6
"""Share of the smaller box inside the larger one from which both are one person."""
TILT_MAX = 1.0
"""Radians from upright: without a face, what lies on its side is more often a thing than a person."""
CANDIDATES_MAX = 24
"""Regions measured in one picture: bounds the time of a crowd."""
SETTLING_ROUNDS = 2
"""Runs of the small network after which a region has moved onto the person."""
TILES = (1.0, 0.55)
"""Sides of the square tiles that are searched besides the whole picture, over the picture's short side."""
TILE_SHARE_MAX = 0.95
"""A tile this large, of the picture's long side, shows nothing that the whole picture does not."""
TILE_STEP = 0.66
"""Distance of tiles over their side: they overlap by a third."""
# A face detection's box is about 3/4 of a head, a body 7.5 heads, its hips 3.5 heads below the crown.
HIP_BELOW_FACE, REACH_OF_FACE = 3.9, 5.2
"""Hip centre below the face, and the region's scale point above it, in sides of the face's box."""
EYES_DISTANCE_MIN = 1e-6
"""Pixels: keeps the face's direction finite where both eyes are one point."""
HEAD_POINTS = [
    BodyPoint.NOSE,
    BodyPoint.LEFT_EYE,
    BodyPoint.RIGHT_EYE,
    BodyPoint.LEFT_EAR,
    BodyPoint.RIGHT_EAR,
]
FACE_REACH_MAX, FACE_REACH_SAME = 1.2, 0.8
"""Distance of a body's head from a face, in sides of the face's box: beyond the first the body is another person's,
below the second it certainly belongs to the face. Chosen on the development clips."""
SAME_REGION_SHIFT = 0.12
"""Share of a region's side. A candidate within this distance and within ``SAME_REGION_SCALES`` is known already."""
SAME_REGION_SCALES = (0.6, 1.6)
SAME_FACE_SHARE = 0.5
"""Share of a face's width within which two face meshes are one face."""
PERSON_SIDE_MIN = 8
"""Pixels of the box's shorter side."""
# Box of a body, in head sizes around its landmarks: hair reaches as far above the eyes as the mouth is below them,
# twice over. Where the head is turned away its size comes from the shoulders.
BOX_SEEN_MIN, BOX_POINTS_MIN = 0.3, 4
"""Visibility from which a landmark counts, and how many have to; else the 25 down to the hips do."""
HEAD_OF_SHOULDERS = 0.35
"""Distance of the ears over shoulder width, where the head is turned away."""
BOX_MARGIN = np.array([0.3, 1.0])
"""Margins of a box at the sides and above, in head sizes."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody in a picture: box in pixels, score 0-1, and the body as the network measured it."""

    box: Box
    score: float
    body: BodyLandmarks
    face: Points | None = None  # (468, 2)

    @property
    def area(self) -> float:
        """Area of the box in square pixels."""
        return float(np.prod(self.box[2:] - self.box[:2]))


def body_box(body: BodyLandmarks, width: int, height: int) -> Box:
    """The visible body's box, widened for hair, hands and clothes, inside the frame."""
    points = body.points
    visible = body.visibility > BOX_SEEN_MIN
    seen = points[visible] if visible.sum() >= BOX_POINTS_MIN else points[: BodyPoint.LEFT_KNEE]
    low, high = seen.min(0), seen.max(0)
    head = max(
        distance(points[BodyPoint.LEFT_EAR], points[BodyPoint.RIGHT_EAR]),
        HEAD_OF_SHOULDERS * distance(points[BodyPoint.LEFT_SHOULDER], points[BodyPoint.RIGHT_SHOULDER]),
    )
    low, high = low - head * BOX_MARGIN, high + BOX_MARGIN[0] * head
    limit = np.array([width, height], np.float64)
    return np.concatenate([np.clip(low, 0, limit), np.clip(high, 0, limit)])


class PeopleFinder:
    """Holds the networks. Not thread-safe."""

    def __init__(self, pack: ModelPack) -> None:
        self._persons = person_detector(pack)
        self._faces = face_detector(pack)
        self.body_net = BodyNet(pack)
        self._rough_body = BodyNet(pack, "full")  # a third of the time: enough to settle a region
        self._mesh = FaceNet(pack)

    def find(
        self,
        image: Image,
        *,
        tiles: tuple[float, ...] = TILES,
        known: Person | None = None,
        rough: bool = False,
        place: Points | None = None,
    ) -> list[Person]:
        """Everybody in the picture, largest first. Fewer ``tiles`` find only people nearer to the camera, faster.

        ``known`` is a person whose position is certain: included in the answer at no cost. With ``rough`` the bodies
        are the small network's, enough to know where people are. Of the tiles only those about a ``place`` (2,) px
        are searched, if it is given.
        """
        height, width = image.shape[:2]
        seeds: list[tuple[float, Roi, Detection | None]] = []
        for region in _regions(width, height, tiles):
            if place is not None and max(abs(region.x - place[0]), abs(region.y - place[1])) > region.size / 2:
                continue
            seeds += [(d.score, detection_body_roi(d), None) for d in self._persons.detect(image, region)]
            seeds += [(d.score, _roi_below_face(d), d) for d in self._faces.detect(image, region)]
        seeds.sort(key=lambda s: -s[0])
        found = [known] if known is not None else []
        for _, roi, face in seeds[:CANDIDATES_MAX]:
            if not roi.inside(width, height):
                continue
            covered = _covering(found, roi, face)
            if covered is None:
                person = self._confirm(image, roi, face, found, rough=rough)
                if person is not None:
                    found.append(person)
            elif face is not None and found[covered].face is None:
                found[covered] = replace(found[covered], face=self._face(image, face))
        return sorted(_distinct(found), key=lambda p: -p.area)

    def find_others(self, image: Image, known: Person) -> list[Box]:
        """Boxes of people near the camera, possibly including ``known``; measured with the small network."""
        return [person.box for person in self.find(image, tiles=(), known=known, rough=True)]

    def find_near(self, image: Image, known: Person, place: Points) -> list[Person]:
        """People in the tiles about ``place`` (2,) px other than ``known``; measured with the small network.

        The tiles show people whom ``find_others`` misses: cut off by the frame's edge, or very near to the camera.
        """
        return [person for person in self.find(image, known=known, rough=True, place=place) if person is not known]

    def _confirm(
        self, image: Image, roi: Roi, face: Detection | None, found: list[Person], *, rough: bool
    ) -> Person | None:
        """The person that a seed belongs to; those that ``_distinct`` drops are the small network's as well."""
        height, width = image.shape[:2]
        body = self._settled_body(image, roi)
        if body is None:
            return None
        if not rough and (face is not None or not _is_known(body, found, width, height)):
            body = self.body_net.run(image, body.next_roi)
        if body.score < BODY_SCORE_MIN:
            return None
        head = body.points[HEAD_POINTS].mean(0)
        if face is not None and distance(head, face.box.mean(0)) > FACE_REACH_MAX * face.size:
            return None  # the region moved to another person, who is searched from a seed of their own
        mesh = self._face(image, face) if face is not None else None
        if mesh is None and abs(body.next_roi.angle) > TILT_MAX:
            return None
        box = body_box(body, width, height)
        if (box[2:] - box[:2]).min() < PERSON_SIDE_MIN:
            return None
        return Person(box=box, score=body.score, body=body, face=mesh)

    def _settled_body(self, image: Image, roi: Roi) -> BodyLandmarks | None:
        """The body near ``roi`` after the region has moved onto it, as the small network sees it; None for nobody."""
        height, width = image.shape[:2]
        body: BodyLandmarks | None = None
        for _ in range(SETTLING_ROUNDS):
            if not roi.inside(width, height):
                return None
            body = self._rough_body.run(image, roi)
            roi = body.next_roi
            if body.score < ROUGH_SCORE_MIN:
                return None
        return body if roi.inside(width, height) else None

    def _face(self, image: Image, face: Detection) -> Points | None:
        landmarks = self._mesh.run(image, detection_face_roi(face))
        return landmarks.points if landmarks.score > FACE_SCORE_MIN else None


def _regions(width: int, height: int, tiles: tuple[float, ...]) -> list[Roi]:
    """The whole frame, then squares of each size in ``tiles``, overlapping by a third."""
    result = [Roi(x=width / 2, y=height / 2, size=max(width, height))]
    for size in (share * min(width, height) for share in tiles):
        if size >= TILE_SHARE_MAX * max(width, height):
            continue
        nx, ny = (max(1, int(np.ceil((n - size) / (size * TILE_STEP))) + 1) for n in (width, height))
        xs = np.linspace(size / 2, width - size / 2, nx) if nx > 1 else [width / 2]
        ys = np.linspace(size / 2, height - size / 2, ny) if ny > 1 else [height / 2]
        result += [Roi(x=float(x), y=float(y), size=float(size)) for y in ys for x in xs]
    return result


def _roi_below_face(face: Detection) -> Roi:
    """An estimate of the body's square from a face: along the face's own down direction."""
    line = face.points[FaceKeyPoint.LEFT_EYE] - face.points[FaceKeyPoint.RIGHT_EYE]
    across = line / max(float(np.hypot(*line)), EYES_DISTANCE_MIN)
    down = np.array([-across[1], across[0]])
    hip = face.box.mean(0) + down * HIP_BELOW_FACE * face.size
    return body_roi(hip, hip - down * REACH_OF_FACE * face.size)


def _covering(found: list[Person], roi: Roi, face: Detection | None) -> int | None:
    """The index in ``found`` of the person that a seed belongs to: this saves the landmark network's time."""
    for k, person in enumerate(found):
        if face is not None:
            head = person.body.points[HEAD_POINTS].mean(0)
            if distance(head, face.box.mean(0)) < FACE_REACH_SAME * face.size:
                return k
        else:
            known = person.body.next_roi
            near = np.hypot(known.x - roi.x, known.y - roi.y) < SAME_REGION_SHIFT * known.size
            if near and SAME_REGION_SCALES[0] < roi.size / known.size < SAME_REGION_SCALES[1]:
                return k
    return None


def _is_known(body: BodyLandmarks, found: list[Person], width: int, height: int) -> bool:
    """Whether ``_distinct`` drops a person with this ``body`` and no face, because one of ``found`` has a face."""
    person = Person(box=body_box(body, width, height), score=body.score, body=body)
    return any(other.face is not None and _same(person, other) for other in found)


def _distinct(found: list[Person]) -> list[Person]:
    """Each person once. A candidate inside a surer one is a part of it (an arm taken for a body), unless it has a
    face of its own. Those with faces come first, then the surest."""
    kept: list[Person] = []
    for person in sorted(found, key=lambda p: (p.face is None, -p.score)):
        if not any(_same(person, other) for other in kept):
            kept.append(person)
    return kept


def _same(a: Person, b: Person) -> bool:
    if a.face is not None and b.face is not None:
        apart = distance(a.face.mean(0), b.face.mean(0))
        return bool(apart < SAME_FACE_SHARE * max(np.ptp(a.face[:, 0]), np.ptp(b.face[:, 0])))
    if box_iou(a.box, b.box[None])[0] > SAME_PERSON_OVERLAP:
        return True
    low, high = np.maximum(a.box[:2], b.box[:2]), np.minimum(a.box[2:], b.box[2:])
    common = float(np.prod(np.clip(high - low, 0, None)))
    return common > CONTAINED_MIN * min(a.area, b.area)
