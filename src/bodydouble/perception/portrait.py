"""The reference image: the person in it, and roughly which pixels are theirs.

Reaches, weights and widths that name no pictures have no recorded source. They are kept because cut-outs, and so the
bytes of results, depend on them.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from bodydouble.perception.arrays import Alpha, Image, PixelBox, Points
from bodydouble.perception.face_and_hands import FaceHandsTracker
from bodydouble.perception.geometry import distance
from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.perception.matte import SelfieNet, draw_capsules, pose_mask, stretched
from bodydouble.perception.pack import ModelPack
from bodydouble.perception.people import TILES, PeopleFinder
from bodydouble.perception.person_landmarks import PersonLandmarks, person_box, write_track_row
from bodydouble.perception.track import PersonTrack, empty_track
from bodydouble.tasks.errors import NobodyFound

TURNS = {180: cv2.ROTATE_180, 90: cv2.ROTATE_90_COUNTERCLOCKWISE, 270: cv2.ROTATE_90_CLOCKWISE}
"""Clockwise degrees by which a picture may be turned, and what undoes it."""
# Zoomed passes of the selfie network. All values chosen by eye on the development pictures.
WHOLE_PICTURE_WEIGHT = 0.8
"""Weight (0-1) of the pass over the whole picture, which may include other people."""
PERSON_PAD = 0.15
"""Margin of the pass over the person, of the box's longer side."""
HEAD_REACH, HEAD_RISE = 1.6, 0.2
"""Half side of the pass over the head in mesh heights, and its shift upwards in half sides, for hair."""
LIMB_REACH, LIMB_REACH_MIN = 1.2, 0.12
"""Half side of the pass over a limb in limb lengths, and its smallest value as a share of the picture's height."""
LIMB_SEEN_MIN = 0.3
"""Visibility of both ends below which a limb gets no pass."""
PASS_SIDE_MIN = 20
"""Pixels of the shorter side: a smaller pass shows the network too little."""
LIMBS = (
    (BodyPoint.LEFT_ELBOW, BodyPoint.LEFT_WRIST),
    (BodyPoint.RIGHT_ELBOW, BodyPoint.RIGHT_WRIST),
    (BodyPoint.LEFT_KNEE, BodyPoint.LEFT_ANKLE),
    (BodyPoint.RIGHT_KNEE, BodyPoint.RIGHT_ANKLE),
)
# Gates. The body drawn as thick lines limits the selfie network to the person; thin lines are the person for sure.
NEAR_WIDTH, SURE_WIDTH = 1.3, 0.35
"""Width factors of the thick and the thin lines."""
NEAR_MARGIN = 15
"""Pixels, side of the square that widens the thick lines."""
NEAR_BLUR_DIVISOR = 90
"""Picture height over sigma."""
EVIDENCE = (0.3, 0.6)
"""Values of the networks' masks between which the thin lines begin to count: where the picture cuts the trunk off, its
lower end is a guess, and the lines may lie beside the person. Chosen by eye on half bodies."""
POSE_GATE, POSE_WEIGHT, SURE_WEIGHT = 1.5, 0.9, 0.95
"""Gain of the pose network's mask as a gate; weights of that mask and of the thin lines in the result. Chosen by eye on
the development pictures."""


@dataclass(frozen=True, kw_only=True)
class Portrait:
    """One person in one picture: a track of one frame, and a coarse mask."""

    track: PersonTrack
    mask: Alpha


def analyse_portrait(pack: ModelPack, image: Image) -> Portrait:
    """The largest person in ``image``.

    Raises:
        NobodyFound: the picture shows no person.
    """
    finder = PeopleFinder(pack)
    *coarse, finest = TILES
    people = finder.find(image, tiles=tuple(coarse))
    # The finest tiles show nobody who is larger than they are.
    if not people or people[0].area < (finest * min(image.shape[:2])) ** 2:
        people = finder.find(image)
    if not people:
        raise _nobody(finder, image)
    body = people[0].body
    height, width = image.shape[:2]
    tracker = FaceHandsTracker(pack)
    face = tracker.face(image, body)
    hands = tracker.hands(image, body)
    track = empty_track(1)
    person = PersonLandmarks(body=body, face=face, hands=(hands[0], hands[1]))
    write_track_row(track, 0, person, width, height)
    return Portrait(track=track, mask=coarse_mask(SelfieNet(pack), image, person))


def _nobody(finder: PeopleFinder, image: Image) -> NobodyFound:
    """The error for a picture without a person; says so where the picture is only turned."""
    for degrees, turn in TURNS.items():
        turned = np.asarray(cv2.rotate(image, turn), np.uint8)
        if any(person.face is not None for person in finder.find(turned, tiles=())):
            return NobodyFound(
                f"image: the person in the picture is turned by {degrees}°. Turn the picture upright.", field="image"
            )
    return NobodyFound(
        "image: no person was found in the picture. Use one that shows the character's upper body or whole body, "
        "upright and not too small.",
        field="image",
    )


def coarse_mask(selfie: SelfieNet, image: Image, person: PersonLandmarks) -> Alpha:
    """The selfie network zoomed on body, head and limbs, gated by the body's thick lines and pose segmentation."""
    height, width = image.shape[:2]
    mask = np.maximum(
        WHOLE_PICTURE_WEIGHT * selfie.run(image),
        _zoomed(selfie, image, person_box(person, width, height, PERSON_PAD)),
    )
    for box in _zoom_boxes(person, width, height):
        mask = np.maximum(mask, _zoomed(selfie, image, box))
    pose = pose_mask(person.body, (0.0, 0.0), 1.0, width, height).astype(np.float32) / 255
    thick = draw_capsules(person, width, height, NEAR_WIDTH, (0.0, 0.0), 1.0)
    wide = cv2.dilate(thick, np.ones((NEAR_MARGIN, NEAR_MARGIN), np.uint8))
    near = cv2.GaussianBlur(wide.astype(np.float32) / 255, (0, 0), height / NEAR_BLUR_DIVISOR)
    sure = draw_capsules(person, width, height, SURE_WIDTH, (0.0, 0.0), 1.0).astype(np.float32) / 255
    gate = np.clip(np.maximum(near, pose * POSE_GATE), 0, 1)
    head = _head_rows(person, width, height)
    # Around the head the selfie network is right; the pose network takes a dark backdrop for hair.
    pose[head], sure[head] = 0, 0
    sure *= stretched(np.maximum(mask, pose), *EVIDENCE)
    fused = np.maximum(np.maximum(mask, pose * POSE_WEIGHT) * gate, sure * SURE_WEIGHT)
    return np.asarray(fused, np.float32)


def _head_rows(person: PersonLandmarks, width: int, height: int) -> tuple[slice, slice]:
    """The part of the picture that the pass over the head shows above the shoulders; nothing without a face."""
    if person.face is None:
        return np.s_[0:0, 0:0]
    shoulders = person.body.points[[BodyPoint.LEFT_SHOULDER, BodyPoint.RIGHT_SHOULDER], 1]
    x0, y0, x1, y1 = _head_box(person.face.points, width, height)
    return np.s_[y0 : max(y0, min(y1, int(shoulders.min()))), x0:x1]


def _head_box(mesh: Points, width: int, height: int) -> PixelBox:
    """The box of the pass over the head with the face ``mesh`` (N, 2 or 3), within the picture."""
    reach = float(np.ptp(mesh[:, 1])) * HEAD_REACH
    x, y = float(mesh[:, 0].mean()), float(mesh[:, 1].mean()) - HEAD_RISE * reach
    return int(max(0, x - reach)), int(max(0, y - reach)), int(min(width, x + reach)), int(min(height, y + reach))


def _zoom_boxes(person: PersonLandmarks, width: int, height: int) -> list[PixelBox]:
    """Boxes of the head and of each visible forearm and lower leg, within the picture."""
    regions: list[tuple[float, float, float]] = []  # x, y of the middle, half side
    body = person.body
    for a, b in LIMBS:
        if min(body.visibility[a], body.visibility[b]) > LIMB_SEEN_MIN:
            middle = body.points[[a, b]].mean(0)
            reach = max(distance(body.points[a], body.points[b]) * LIMB_REACH, height * LIMB_REACH_MIN)
            regions.append((float(middle[0]), float(middle[1]), reach))
    boxes = [_head_box(person.face.points, width, height)] if person.face is not None else []
    boxes += [
        (int(max(0, x - r)), int(max(0, y - r)), int(min(width, x + r)), int(min(height, y + r))) for x, y, r in regions
    ]
    return [box for box in boxes if min(box[2] - box[0], box[3] - box[1]) >= PASS_SIDE_MIN]


def _zoomed(selfie: SelfieNet, image: Image, box: PixelBox) -> Alpha:
    x0, y0, x1, y1 = box
    result = np.zeros(image.shape[:2], np.float32)
    result[y0:y1, x0:x1] = selfie.run(np.ascontiguousarray(image[y0:y1, x0:x1]))
    return result
