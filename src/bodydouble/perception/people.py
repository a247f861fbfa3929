"""Finding everybody in one picture.

The person detector alone finds one of four people in a street photograph: it was made for one person near the
camera. So it is run over overlapping tiles too, and every face found seeds a body; each candidate is then confirmed
by the landmark network and counted once.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Points
from bodydouble.perception.detectors import Detection, face_detector, overlap, person_detector
from bodydouble.perception.geometry import Roi
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
ROUGH_SCORE_MIN = 0.2
FACE_SCORE_MIN = 0.6
SAME_PERSON_OVERLAP = 0.45
CONTAINED_MIN = 0.6
TILT_MAX = 1.0  # radians from upright
CANDIDATES_MAX = 24
TILES = (1.0, 0.55)
"""Sides, over the short side of the picture, of the squares that are searched one by one beside the whole picture."""
# A face detection's box is about 3/4 of a head, a body 7.5 heads, its hips 3.5 heads below the crown.
HIP_BELOW_FACE, REACH_OF_FACE = 3.9, 5.2


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody in a picture: box x0, y0, x1, y1 in pixels, score 0-1, and the body as the network sees it."""

    box: NDArray[np.float64]
    score: float
    body: BodyLandmarks
    face: Points | None = None  # (468, 2)

    @property
    def area(self) -> float:
        """Pixels of the box."""
        return float(np.prod(self.box[2:] - self.box[:2]))


def body_box(body: BodyLandmarks, width: int, height: int) -> NDArray[np.float64]:
    """The visible body's box, widened for hair, hands and clothes, inside the frame."""
    seen = body.points[body.visibility > 0.3] if (body.visibility > 0.3).sum() >= 4 else body.points[:25]
    low, high = seen.min(0), seen.max(0)
    # Hair reaches as far above the eyes as the mouth is below them, twice over; shoulders give the scale
    # when the head is turned away.
    head = max(
        float(np.hypot(*(body.points[7] - body.points[8]))),
        0.35 * float(np.hypot(*(body.points[11] - body.points[12]))),
    )
    low, high = low - head * np.array([0.3, 1.0]), high + 0.3 * head
    limit = np.array([width, height], np.float64)
    return np.concatenate([np.clip(low, 0, limit), np.clip(high, 0, limit)])


class PeopleFinder:
    """Holds the networks; not safe to call from two threads at once."""

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
    ) -> list[Person]:
        """Everybody in the picture, largest first. With fewer ``tiles`` only those nearer to the camera, quickly.

        ``known`` is somebody whose place is sure: they are in the answer and cost nothing. With ``rough`` it is enough
        to know where people are: their bodies are the small network's.
        """
        height, width = image.shape[:2]
        regions = _regions(width, height, tiles)
        seeds: list[tuple[float, Roi, Detection | None]] = []
        for region in regions:
            seeds += [(d.score, detection_body_roi(d), None) for d in self._persons.detect(image, region)]
            seeds += [(d.score, _roi_below_face(d), d) for d in self._faces.detect(image, region)]
        seeds.sort(key=lambda s: -s[0])
        found = [known] if known is not None else []
        for _, roi, face in seeds[:CANDIDATES_MAX]:
            if not roi.inside(width, height):
                continue
            covered = _covering(found, roi, face)
            if covered is None:
                person = self._confirm(image, roi, face, rough=rough)
                if person is not None:
                    found.append(person)
            elif face is not None and found[covered].face is None:
                found[covered] = replace(found[covered], face=self._face(image, face))
        return sorted(_distinct(found), key=lambda p: -p.area)

    def find_others(self, image: Image, known: Person) -> list[NDArray[np.float64]]:
        """Boxes of those near the camera beside ``known``, who may be among them; the small network is enough."""
        return [person.box for person in self.find(image, tiles=(), known=known, rough=True)]

    def _confirm(self, image: Image, roi: Roi, face: Detection | None, *, rough: bool) -> Person | None:
        height, width = image.shape[:2]
        body: BodyLandmarks | None = None
        for _ in range(2):  # the region settles on the person within two rounds
            if not roi.inside(width, height):
                return None
            body = self._rough_body.run(image, roi)
            roi = body.next_roi
            if body.score < ROUGH_SCORE_MIN:
                return None
        if not roi.inside(width, height):
            return None
        if body is None or not rough:
            body = self.body_net.run(image, roi)
        if body.score < BODY_SCORE_MIN:
            return None
        head = body.points[[0, 2, 5, 7, 8]].mean(0)
        if face is not None and np.hypot(*(head - face.box.mean(0))) > 1.2 * face.size:
            return None  # the region slid to somebody else, who has a seed of their own
        mesh = self._face(image, face) if face is not None else None
        if mesh is None and abs(body.next_roi.angle) > TILT_MAX:
            return None  # without a face, what lies on its side is more often a thing than a person
        box = body_box(body, width, height)
        if (box[2:] - box[:2]).min() < 8:
            return None
        return Person(box=box, score=body.score, body=body, face=mesh)

    def _face(self, image: Image, face: Detection) -> Points | None:
        landmarks = self._mesh.run(image, detection_face_roi(face))
        return landmarks.points if landmarks.score > FACE_SCORE_MIN else None


def _regions(width: int, height: int, tiles: tuple[float, ...]) -> list[Roi]:
    """The whole frame, then squares of each size in ``tiles``, overlapping by a third."""
    result = [Roi(x=width / 2, y=height / 2, size=max(width, height))]
    for size in (share * min(width, height) for share in tiles):
        if size >= 0.95 * max(width, height):
            continue
        nx, ny = (max(1, int(np.ceil((n - size) / (size * 0.66))) + 1) for n in (width, height))
        xs = np.linspace(size / 2, width - size / 2, nx) if nx > 1 else [width / 2]
        ys = np.linspace(size / 2, height - size / 2, ny) if ny > 1 else [height / 2]
        result += [Roi(x=float(x), y=float(y), size=float(size)) for y in ys for x in xs]
    return result


def _roi_below_face(face: Detection) -> Roi:
    """A guess of the body's square from a face: along the face's own down direction."""
    eye, other = face.points[0], face.points[1]
    across = (other - eye) / max(float(np.hypot(*(other - eye))), 1e-6)
    down = np.array([-across[1], across[0]])
    hip = face.box.mean(0) + down * HIP_BELOW_FACE * face.size
    return body_roi(hip, hip - down * REACH_OF_FACE * face.size)


def _covering(found: list[Person], roi: Roi, face: Detection | None) -> int | None:
    """The place in ``found`` of the person that a seed belongs to: this saves the landmark network's time."""
    for k, person in enumerate(found):
        if face is not None:
            head = person.body.points[[0, 2, 5, 7, 8]].mean(0)
            if np.hypot(*(head - face.box.mean(0))) < 0.8 * face.size:
                return k
        else:
            known = person.body.next_roi
            near = np.hypot(known.x - roi.x, known.y - roi.y) < 0.12 * known.size
            if near and 0.6 < roi.size / known.size < 1.6:
                return k
    return None


def _distinct(found: list[Person]) -> list[Person]:
    """Each person once: a finding that lies in a surer one is a part of it (an arm taken for a body), unless it
    has a face of its own. Those with faces, then the surest, come first."""
    kept: list[Person] = []
    for person in sorted(found, key=lambda p: (p.face is None, -p.score)):
        if not any(_same(person, other) for other in kept):
            kept.append(person)
    return kept


def _same(a: Person, b: Person) -> bool:
    if a.face is not None and b.face is not None:
        apart = np.hypot(*(a.face.mean(0) - b.face.mean(0)))
        return bool(apart < 0.5 * max(np.ptp(a.face[:, 0]), np.ptp(b.face[:, 0])))
    if overlap(a.box, b.box[None])[0] > SAME_PERSON_OVERLAP:
        return True
    low, high = np.maximum(a.box[:2], b.box[:2]), np.minimum(a.box[2:], b.box[2:])
    common = float(np.prod(np.clip(high - low, 0, None)))
    return common > CONTAINED_MIN * min(a.area, b.area)
