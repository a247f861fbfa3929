"""The reference image: the person in it, and roughly which pixels are theirs.

Reaches, weights and widths that name no pictures have no recorded source. They are kept because cut-outs, and so the
bytes of results, depend on them.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Alpha, Image, Matte, PixelBox
from bodydouble.perception.face_and_hands import FaceHandsTracker
from bodydouble.perception.geometry import distance
from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.perception.matte import draw_capsules, pose_mask, stretched
from bodydouble.perception.pack import ModelPack
from bodydouble.perception.people import TILES, PeopleFinder
from bodydouble.perception.person_landmarks import PersonLandmarks, person_box, write_track_row
from bodydouble.perception.selfie import SelfieNet
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
MORE_PADS, MORE_REACHES = (0.05, 0.3), (1.2, 2.4, 3.5)
"""Margins and half sides, in the same units, of passes that only vote on what the others found."""
RIM, RIM_WEIGHT = 0.18, 0.02
"""Share of a pass's side along which its vote fades towards its own border, and what is left there: it sees no
surroundings beyond. At the picture's border nothing fades."""
DISSENT = (0.28, 0.45)
"""Mean votes between which a pixel begins to belong to the person where the backdrop's colours do not decide. Measured:
0.4 to 0.9 on wild hair, raised hands and patterned skirts, up to 0.3 on rocks, mirrors and shadows beside a person."""
HAT_VOTE, HAT_REACH = 0.8, 3.5
"""Mean vote from which what touches the head is a hat, a high bun or an animal's ears, and how far from the face's
middle, in mesh heights, one may reach."""
POSE_SURE = (0.6, 0.9)
"""Values of the pose network's mask between which it begins to outvote the other network: dark clothes before a dark
wall. Chosen by eye. On the body's thick lines alone: beside them it takes tables, cushions, rackets and water for the
person. Of somebody without a face, such as a dog, the lines say little."""
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
ARMS = tuple(
    tuple(BodyPoint[f"{side}_{part}"] for part in ("SHOULDER", "ELBOW", "WRIST", "PINKY", "INDEX", "THUMB"))
    for side in ("LEFT", "RIGHT")
)
LINE_POINTS, ON_THE_PERSON = 16, 0.5
"""Points of an upper arm that are looked up in the selfie network's mask, and their mean there up to which the arm is a
guess. Measured: 0.0 for an arm that is not there."""
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
    """One person in one picture: a track of one frame, and coarse masks (h, w) 0-1.

    ``mask`` has everything that a pass of the network found. ``agreed`` is the same without what most passes deny.
    """

    track: PersonTrack
    mask: Alpha
    agreed: Alpha


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
    face = tracker.face_in_picture(image, body)
    hands = tracker.hands(image, body)
    track = empty_track(1)
    person = PersonLandmarks(body=body, face=face, hands=(hands[0], hands[1]))
    mask, agreed = coarse_masks(SelfieNet(pack), image, person)
    write_track_row(track, 0, with_hanging_arms(person, agreed), width, height)
    return Portrait(track=track, mask=mask, agreed=agreed)


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


def coarse_masks(selfie: SelfieNet, image: Image, person: PersonLandmarks) -> tuple[Alpha, Alpha]:
    """The masks of a ``Portrait`` of ``image`` (h, w, 3).

    The passes that find the person are united, because often only one sees a hand or loose hair. But one alone also
    takes a rock for a shoulder. So more passes, mirrored ones too, vote on what was found.
    """
    height, width = image.shape[:2]
    whole = (0, 0, width, height)
    finding = [person_box(person, width, height, PERSON_PAD)]
    finding += _head_boxes(person, width, height, (HEAD_REACH,)) + _limb_boxes(person, width, height)
    voting = [person_box(person, width, height, pad) for pad in MORE_PADS]
    voting += _head_boxes(person, width, height, MORE_REACHES)
    votes = _Votes(height, width)
    found = WHOLE_PICTURE_WEIGHT * votes.ask(selfie, image, whole)
    for box in finding:
        part = found[_part(box)]
        np.maximum(part, votes.ask(selfie, image, box), out=part)
    for box in dict.fromkeys(voting):  # in a headshot some are the same
        votes.ask(selfie, image, box)
    vote = votes.mean()
    pose = pose_mask(person.body, (0.0, 0.0), 1.0, width, height).astype(np.float32) / np.float32(255)
    thick = draw_capsules(person, width, height, NEAR_WIDTH, (0.0, 0.0), 1.0)
    near = _near_the_body(pose, thick)
    # Around the head the selfie network is right; the pose network takes a dark backdrop for hair.
    pose[_head_rows(person, width, height)] = 0
    if _guessed_arms(person, found):
        pose[:] = 0
    mask = np.maximum(_gated(found, pose, near, person), _hat(vote, found, person))
    sure = stretched(pose, *POSE_SURE)
    if person.face is not None:
        sure *= _softened(thick)
    return mask, mask * np.maximum(stretched(vote, *DISSENT), sure)


def _guessed_arms(person: PersonLandmarks, found: Alpha) -> list[tuple[BodyPoint, ...]]:
    """The arms of ``person`` that are raised, show no hand and lie outside the mask ``found`` (h, w).

    Of a headshot the pose network guesses arms beside the head, and its mask shows what of them is not there.
    """
    body, arms = person.body, list[tuple[BodyPoint, ...]]()
    for arm, hand in zip(ARMS, person.hands, strict=True):
        shoulder, elbow, wrist = arm[:3]
        seen, hand_seen = (body.visibility[index] > LIMB_SEEN_MIN for index in (elbow, wrist))
        if seen and not hand_seen and hand is None and body.points[elbow, 1] < body.points[shoulder, 1]:
            line = np.linspace(body.points[shoulder], body.points[elbow], LINE_POINTS)
            x, y = np.clip(np.round(line).astype(int), 0, [found.shape[1] - 1, found.shape[0] - 1]).T
            if found[y, x].mean() < ON_THE_PERSON:
                arms.append(arm)
    return arms


def with_hanging_arms(person: PersonLandmarks, found: Alpha) -> PersonLandmarks:
    """``person`` with the arms that are guessed outside the mask ``found`` (h, w) below the shoulders, and not seen."""
    points, visibility = person.body.points.copy(), person.body.visibility.copy()
    for shoulder, *others in _guessed_arms(person, found):
        points[others, 1] = 2 * points[shoulder, 1] - points[others, 1]
        visibility[others] = 0
    return replace(person, body=replace(person.body, points=points, visibility=visibility))


class _Votes:
    """The mean of what the selfie network sees in parts of a picture of ``height`` and ``width`` pixels."""

    def __init__(self, height: int, width: int) -> None:
        self._total, self._weight = np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)

    def ask(self, selfie: SelfieNet, image: Image, box: PixelBox) -> Alpha:
        """(h, w) what ``selfie`` sees in the part of ``image`` in ``box``. That, and what it sees in a mirror, counts.

        Both count less towards the borders of the box that are not the picture's.
        """
        (height, width), (x0, y0, x1, y1) = self._total.shape, box
        part = image[_part(box)]
        seen = selfie.run(np.ascontiguousarray(part))
        mirrored = selfie.run(np.ascontiguousarray(part[:, ::-1]))[:, ::-1]
        weight = _faded(y1 - y0, y0 > 0, y1 < height)[:, None] * _faded(x1 - x0, x0 > 0, x1 < width)
        self._total[_part(box)] += weight * (seen + mirrored) / 2
        self._weight[_part(box)] += weight
        return seen

    def mean(self) -> Alpha:
        """(height, width) 0-1, once the whole picture was asked about."""
        return self._total / self._weight


def _faded(length: int, start: bool, end: bool) -> NDArray[np.float32]:
    """(length,) weights 0-1 that fall along the rims at ``start`` and ``end``."""
    rim = max(1, round(RIM * length))
    slope = np.linspace(RIM_WEIGHT, 1, rim, dtype=np.float32)
    weights = np.ones(length, np.float32)
    if start:
        weights[:rim] = slope
    if end:
        weights[-rim:] = np.minimum(weights[-rim:], slope[::-1])
    return weights


def _part(box: PixelBox) -> tuple[slice, slice]:
    x0, y0, x1, y1 = box
    return np.s_[y0:y1, x0:x1]


def _near_the_body(pose: Alpha, thick: Matte) -> Alpha:
    """(h, w) 0-1 near the body's ``thick`` lines (h, w; 0 or 255), or where ``pose`` (h, w) sees it."""
    near = _softened(np.asarray(cv2.dilate(thick, np.ones((NEAR_MARGIN, NEAR_MARGIN), np.uint8)), np.uint8))
    return np.clip(np.maximum(near, pose * POSE_GATE), 0, 1)


def _softened(lines: Matte) -> Alpha:
    """(h, w) 0-1 the body's ``lines`` (h, w; 0 or 255) with soft borders."""
    return np.asarray(
        cv2.GaussianBlur(lines.astype(np.float32) / 255, (0, 0), len(lines) / NEAR_BLUR_DIVISOR), np.float32
    )


def _gated(found: Alpha, pose: Alpha, near: Alpha, person: PersonLandmarks) -> Alpha:
    """(h, w) what is ``found`` or in ``pose`` as far as it is ``near`` the body, and what its thin lines add."""
    height, width = found.shape
    sure = draw_capsules(person, width, height, SURE_WIDTH, (0.0, 0.0), 1.0).astype(np.float32) / 255
    sure[_head_rows(person, width, height)] = 0
    sure *= stretched(np.maximum(found, pose), *EVIDENCE)
    fused = np.maximum(np.maximum(found, pose * POSE_WEIGHT) * near, sure * SURE_WEIGHT)
    return np.asarray(fused, np.float32)


def _hat(vote: Alpha, found: Alpha, person: PersonLandmarks) -> Alpha:
    """(h, w) what nearly all passes call the person above the shoulders, in one piece with what is ``found`` there."""
    result = np.zeros_like(vote)
    rows = _head_rows(person, vote.shape[1], vote.shape[0], HAT_REACH)
    near = vote[rows]
    if near.size:
        labels = np.asarray(cv2.connectedComponents((near > HAT_VOTE).astype(np.uint8))[1], np.int32)
        mine = np.bincount(labels[found[rows] > HAT_VOTE], minlength=int(labels.max()) + 1) > 0
        mine[0] = False
        result[rows] = np.where(mine[labels], near, 0)
    return result


def _head_rows(person: PersonLandmarks, width: int, height: int, reach: float = HEAD_REACH) -> tuple[slice, slice]:
    """The part of the picture that a pass over the head shows above the shoulders; nothing without a face."""
    boxes = _head_boxes(person, width, height, (reach,))
    if not boxes:
        return np.s_[0:0, 0:0]
    shoulders = person.body.points[[BodyPoint.LEFT_SHOULDER, BodyPoint.RIGHT_SHOULDER], 1]
    x0, y0, x1, y1 = boxes[0]
    return np.s_[y0 : max(y0, min(y1, int(shoulders.min()))), x0:x1]


def _head_boxes(person: PersonLandmarks, width: int, height: int, reaches: tuple[float, ...]) -> list[PixelBox]:
    """Boxes about the head, within the picture, of so many mesh heights from the middle; none without a face."""
    if person.face is None:
        return []
    mesh = person.face.points
    tall = float(np.ptp(mesh[:, 1]))
    x, y = float(mesh[:, 0].mean()), float(mesh[:, 1].mean())
    boxes = [_box(x, y - HEAD_RISE * reach * tall, reach * tall, width, height) for reach in reaches]
    return [box for box in boxes if _is_large(box)]


def _limb_boxes(person: PersonLandmarks, width: int, height: int) -> list[PixelBox]:
    """Boxes of each visible forearm and lower leg, within the picture."""
    body, boxes = person.body, list[PixelBox]()
    for a, b in LIMBS:
        if min(body.visibility[a], body.visibility[b]) > LIMB_SEEN_MIN:
            x, y = body.points[[a, b]].mean(0)
            reach = max(distance(body.points[a], body.points[b]) * LIMB_REACH, height * LIMB_REACH_MIN)
            boxes.append(_box(float(x), float(y), reach, width, height))
    return [box for box in boxes if _is_large(box)]


def _box(x: float, y: float, reach: float, width: int, height: int) -> PixelBox:
    """The square about (x, y) with half the side ``reach``, within the picture."""
    return (
        int(max(0, x - reach)),
        int(max(0, y - reach)),
        int(min(width, x + reach)),
        int(min(height, y + reach)),
    )


def _is_large(box: PixelBox) -> bool:
    return min(box[2] - box[0], box[3] - box[1]) >= PASS_SIDE_MIN
