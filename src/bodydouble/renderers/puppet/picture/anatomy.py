"""The character's measures, as the reference image shows them."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Mask
from bodydouble.perception.landmark_indices import FEET, BodyPoint, FacePoint
from bodydouble.perception.track import PersonTrack
from bodydouble.perception.trunk import hip_centre, hip_vector, shoulder_centre, shoulder_vector
from bodydouble.renderers.puppet.compositing.light import GAMMA
from bodydouble.renderers.puppet.motion.head import CHEEKS, Head, head_of_body, head_of_face
from bodydouble.renderers.puppet.picture.cutout import Cutout

Array = NDArray[np.float64]

SPINE_UNIT = 0.6
"""Smallest shoulder width over spine length, for persons seen from the side. Chosen by eye."""
CHIN_BELOW_CENTRE = 0.6
"""Face widths from the middle of a face to its chin, where the picture shows no face."""
SKIN_REACH, SOLID = 0.3, 0.8
"""Face widths about a head without a face that are surely skin, and the alpha (0-1) of its pixels."""
PALE_SKIN = np.array([200.0, 160.0, 140.0])
"""RGB where no skin is seen."""
BEHIND = 0.2
"""Width of shoulders and of hips over the spine's length from which on left and right may be exchanged."""
MIRRORED = np.array([0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9, *np.arange(11, 33).reshape(-1, 2)[:, ::-1].ravel()])
"""The landmark of the other side for each of the 33: eyes, ears, mouth, then pairs from the shoulders down."""
LENGTH_MIN = 2.0
"""Pixels: keeps measures that are divided by from 0."""

LIMBS = (
    (BodyPoint.LEFT_SHOULDER, BodyPoint.LEFT_ELBOW, BodyPoint.LEFT_WRIST),
    (BodyPoint.RIGHT_SHOULDER, BodyPoint.RIGHT_ELBOW, BodyPoint.RIGHT_WRIST),
    (BodyPoint.LEFT_HIP, BodyPoint.LEFT_KNEE, BodyPoint.LEFT_ANKLE, BodyPoint.LEFT_TOE),
    (BodyPoint.RIGHT_HIP, BodyPoint.RIGHT_KNEE, BodyPoint.RIGHT_ANKLE, BodyPoint.RIGHT_TOE),
)
TRUNK = (BodyPoint.LEFT_SHOULDER, BodyPoint.RIGHT_SHOULDER, BodyPoint.RIGHT_HIP, BodyPoint.LEFT_HIP)
"""Landmarks along the limbs, and around the trunk."""
FOOT_REACH = 0.3
"""Anatomy units around the lines between ankle, heel and toe that hold a foot with its shoe."""
BONE_WIDTH, TRUNK_SHARE, FACE_SHARE = 0.12, 0.85, 0.35
"""Thickness in anatomy units of the line along a limb that is surely within it, the share of the trunk's outline from
its middle, and the radius in face widths of the face's middle. Chosen by eye."""


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """The character's measures at texture size, px. ``face`` is None where the reference shows no face."""

    body: Array  # (33, 3)
    visibility: Array  # (33,)
    face: Array | None  # (478, 3)
    hands: Array  # (2, 21, 2), NaN where not seen
    head: Head

    @property
    def shoulders(self) -> Array:
        return shoulder_centre(self.body)[:2]

    @property
    def hips(self) -> Array:
        return hip_centre(self.body)[:2]

    @property
    def shoulder_width(self) -> float:
        return max(float(np.hypot(*shoulder_vector(self.body)[:2])), LENGTH_MIN)

    @property
    def spine(self) -> float:
        return max(float(np.hypot(*(self.shoulders - self.hips))), LENGTH_MIN)

    @property
    def unit(self) -> float:
        """Pixels, the unit of limbs' thicknesses: the shoulder width, estimated for a person seen from the side."""
        return max(self.shoulder_width, SPINE_UNIT * self.spine)

    @property
    def chin(self) -> Array:
        if self.face is not None:
            return self.face[FacePoint.CHIN, :2]
        return self.head.centre + [0, CHIN_BELOW_CENTRE * self.head.width]


def anatomy_of(track: PersonTrack) -> Anatomy:
    """The measures of the person in ``track``, which has one frame.

    Somebody whom the network sees from behind gets left and right exchanged: a character faces the camera. Of figures
    without a face that it knows, the network often says so.
    """
    body, visibility, hands = track.body[0].astype(np.float64), track.visibility[0], track.hands[0, :, :, :2]
    if _from_behind(body):
        body, visibility, hands = body[MIRRORED], visibility[MIRRORED], hands[::-1]
    face = track.face[0].astype(np.float64) if track.face_found[0] and np.isfinite(track.face[0]).all() else None
    return Anatomy(
        body=body,
        visibility=visibility.astype(np.float64),
        face=face,
        hands=hands.astype(np.float64),
        head=head_of_face(face) if face is not None else head_of_body(body),
    )


def bones_within(anatomy: Anatomy, shape: tuple[int, ...]) -> Mask:
    """(h, w) pixels well within the person: lines along the limbs, the middle of trunk and face."""
    mask = np.zeros(shape[:2], np.uint8)
    points = anatomy.body[:, :2]
    for limb in LIMBS:
        cv2.polylines(
            mask, [np.round(points[list(limb)]).astype(np.int32)], False, 1, max(1, round(BONE_WIDTH * anatomy.unit))
        )
    trunk = points[list(TRUNK)]
    middle = trunk.mean(0)
    cv2.fillConvexPoly(mask, np.round(middle + TRUNK_SHARE * (trunk - middle)).astype(np.int32), 1)
    centre = np.round(anatomy.head.centre).astype(int).tolist()
    cv2.circle(mask, centre, max(1, round(FACE_SHARE * anatomy.head.width)), 1, -1)
    return mask > 0


def about_feet(anatomy: Anatomy, shape: tuple[int, ...]) -> Mask:
    """(h, w) pixels about ankles, heels and toes."""
    mask = np.zeros(shape[:2], np.uint8)
    for foot in FEET:
        corners = np.round(anatomy.body[list(foot), :2]).astype(np.int32)
        cv2.polylines(mask, [corners], True, 1, max(1, round(2 * FOOT_REACH * anatomy.unit)))
    return mask > 0


def _from_behind(body: Array) -> bool:
    """Whether the ``body`` (33, 3) turns its back to the camera, and not only its side."""
    spine = float(np.hypot(*(shoulder_centre(body) - hip_centre(body))[:2]))
    return all(float(across[0]) < -BEHIND * spine for across in (shoulder_vector(body), hip_vector(body)))


def scaled(anatomy: Anatomy, zoom: float) -> Anatomy:
    """All measures times ``zoom``."""
    head = anatomy.head
    return replace(
        anatomy,
        body=anatomy.body * zoom,
        face=None if anatomy.face is None else anatomy.face * zoom,
        hands=anatomy.hands * zoom,
        head=replace(
            head,
            centre=head.centre * zoom,
            origin=head.origin * zoom,
            width=head.width * zoom,
            height=head.height * zoom,
        ),
    )


def shifted(anatomy: Anatomy, x: float, y: float) -> Anatomy:
    """All positions moved by ``x`` and ``y`` pixels."""
    head, flat, deep = anatomy.head, np.array([x, y]), np.array([x, y, 0.0])
    return replace(
        anatomy,
        body=anatomy.body + deep,
        face=None if anatomy.face is None else anatomy.face + deep,
        hands=anatomy.hands + flat,
        head=replace(head, centre=head.centre + flat, origin=head.origin + deep),
    )


def skin_of(anatomy: Anatomy, cutout: Cutout) -> Array:
    """(3,) colour of the cheeks, or of the middle of the head where there is no face.

    The mean in linear light: of a face lit from one side the median is that of the shade alone, or of the light.
    """
    area = np.zeros(cutout.alpha.shape, np.uint8)
    if anatomy.face is not None:
        cv2.fillConvexPoly(area, cv2.convexHull(anatomy.face[CHEEKS, :2].astype(np.int32)), 1)
    else:
        centre = tuple(np.round(anatomy.head.centre).astype(int).tolist())
        cv2.circle(area, centre, max(2, int(SKIN_REACH * anatomy.head.width)), 1, -1)
    pixels = cutout.colour[(area > 0) & (cutout.alpha > SOLID)]
    if len(pixels) == 0:
        return PALE_SKIN.copy()
    return 255 * np.asarray((pixels / 255) ** GAMMA).mean(0, dtype=np.float64) ** (1 / GAMMA)
