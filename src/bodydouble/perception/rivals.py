"""The other people near the tracked person, as bodies, and the pixels that are theirs.

The pose network segments one person at a time, and spills onto others who touch them. A pixel that two segmentations
claim belongs to the person whose skeleton is nearer; distances are in widths of that person's body. Thresholds are
chosen by eye on a film and an interview.
"""

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Floats, Image, Mask, Matte
from bodydouble.perception.geometry import Roi, distance, in_window
from bodydouble.perception.interpolation import TRUNK_OUTLINE, body_width
from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.perception.landmarks import BODY_KEPT_MIN, BodyLandmarks, BodyNet
from bodydouble.perception.pack import ModelPack
from bodydouble.perception.people import HEAD_OF_SHOULDERS, HEAD_POINTS, body_box
from bodydouble.perception.person_landmarks import PersonLandmarks
from bodydouble.perception.track import NEIGHBOURS_MAX

NEAR_EVERY, FAR_EVERY = 2, 8
"""Frames between two measurements of somebody near the tracked person, and of others, who may come near."""
TRIES = 4
"""Measurements without anybody near, after which all others are measured as seldom as those who are far."""
NEAR_MARGIN = 0.2
"""Share of the tracked person's box, on each side, in which others are near."""
SAME_HEAD, SAME_TRUNK = 0.7, 0.6
"""Distance of two heads, in sizes of the larger one, and of two trunks' middles, in widths of the larger one, below
which both bodies are of one person. Heads alone are as near in an embrace: there, trunks are 1.0 to 1.5 apart."""
OWN_HEAD_MAX = 0.3
"""Share of the tracked person's head above which another's segmentation is a mistake: it holds both people."""
LIMBS = (
    (BodyPoint.LEFT_SHOULDER, BodyPoint.LEFT_ELBOW),
    (BodyPoint.RIGHT_SHOULDER, BodyPoint.RIGHT_ELBOW),
    (BodyPoint.LEFT_HIP, BodyPoint.LEFT_KNEE),
    (BodyPoint.RIGHT_HIP, BodyPoint.RIGHT_KNEE),
    (BodyPoint.LEFT_KNEE, BodyPoint.LEFT_ANKLE),
    (BodyPoint.RIGHT_KNEE, BodyPoint.RIGHT_ANKLE),
)
FOREARMS = ((BodyPoint.LEFT_ELBOW, BodyPoint.LEFT_WRIST), (BodyPoint.RIGHT_ELBOW, BodyPoint.RIGHT_WRIST))
ARMS = tuple(
    tuple(BodyPoint[f"{side}_{part}"] for part in ("ELBOW", "WRIST", "PINKY", "INDEX", "THUMB"))
    for side in ("LEFT", "RIGHT")
)
SEEN_MIN = 0.3
"""Visibility (0-1) of both ends below which a limb is not drawn."""
HEAD_RADIUS, HAND_LENGTH = 0.6, 0.35
"""Radius of a head in its sizes; a hand's length beyond the wrist in forearms."""
TOUCHING = 2 * HEAD_RADIUS
"""Distance of two heads, in sizes of the larger one, below which one's segmentation may well hold some of the other."""
TRUNK_DEPTH = 0.14
"""Distance in widths of a body that every pixel of its trunk has: an arm that is seen there is in front."""
SAME_WRIST = 0.35
"""Distance of two people's wrists, in widths of the tracked body, below which both are one hand's."""
CLAIMED_LEVEL = 127
"""Level (0-255) of a segmentation from which a pixel is claimed: half of the range."""
SKELETON_SIDE = 160
"""Pixels of the longer side at which distances to skeletons are computed."""
NOBODY = np.zeros((0, 4))
"""Regions of nobody."""


@dataclass(kw_only=True)
class RivalState:
    """Regions of the people who are followed, ``regions`` (N, 4): x, y, side, angle; ``seeds`` as last given."""

    regions: NDArray[np.float64] = field(default_factory=NOBODY.copy)
    seeds: NDArray[np.float64] = field(default_factory=NOBODY.copy)


class RivalTracker:
    """Follows the people near a tracked one. Not thread-safe."""

    def __init__(self, pack: ModelPack) -> None:
        self._pack = pack
        self._net: BodyNet | None = None
        self._bodies: list[BodyLandmarks] = []
        self._age = 0  # frames since the last measurement
        self._tries = 0  # measurements that are left until nobody is near
        self.state = RivalState()

    def restore(self, state: RivalState) -> None:
        """Continue from ``state``. Bodies are measured anew: a run that was interrupted gives the same then."""
        self.state = RivalState(regions=state.regions.copy(), seeds=state.seeds.copy())
        self._bodies, self._age, self._tries = [], FAR_EVERY, 0

    def follow(self, image: Image, person: BodyLandmarks, seeds: NDArray[np.float64]) -> list[BodyLandmarks]:
        """The bodies near ``person`` in the next frame, which is ``image``; as old as ``NEAR_EVERY`` frames.

        ``seeds`` (N, 4) are regions of other people, as a search found them last: x, y, side, angle.
        """
        state = self.state
        if not np.array_equal(seeds, state.seeds):
            state.seeds = seeds
            state.regions = np.concatenate([seeds, state.regions])[:NEIGHBOURS_MAX]
            self._age = FAR_EVERY
        if len(state.regions) == 0:
            return []
        self._age += 1
        if self._age >= (NEAR_EVERY if self._tries else FAR_EVERY):
            self._age = 0
            self._bodies = self._measured(image, person)
        height, width = image.shape[:2]
        near = [body for body in self._bodies if is_near(body, person, width, height)]
        if self._age == 0:
            self._tries = TRIES if near else max(0, self._tries - 1)
        return near

    def _measured(self, image: Image, person: BodyLandmarks) -> list[BodyLandmarks]:
        """The bodies in the known regions, surest first, each person once and without ``person``.

        The regions move with them. That of somebody who is not seen stays.
        """
        height, width = image.shape[:2]
        if self._net is None:
            self._net = BodyNet(self._pack, "full")
        found: list[tuple[int, BodyLandmarks]] = []
        for k, (x, y, size, angle) in enumerate(self.state.regions.tolist()):
            roi = Roi(x=x, y=y, size=size, angle=angle)
            if roi.inside(width, height):
                found.append((k, self._net.run(image, roi)))
        kept: list[BodyLandmarks] = []
        regions = self.state.regions.copy()
        for k, body in sorted(found, key=lambda pair: -pair[1].score):
            if body.score > BODY_KEPT_MIN and not any(_same_person(body, other) for other in [person, *kept]):
                regions[k] = _numbers(body.next_roi)
                kept.append(body)
        self.state.regions = regions
        return kept


def _numbers(roi: Roi) -> tuple[float, float, float, float]:
    return roi.x, roi.y, roi.size, roi.angle


def regions_of(bodies: list[BodyLandmarks]) -> NDArray[np.float64]:
    """(N, 4) where to look for ``bodies`` next: x, y, side, angle."""
    return np.array([_numbers(body.next_roi) for body in bodies]).reshape(-1, 4)


def head_size(body: BodyLandmarks) -> float:
    """Pixels from ear to ear of somebody seen from the front."""
    points = body.points
    return max(
        distance(points[BodyPoint.LEFT_EAR], points[BodyPoint.RIGHT_EAR]),
        HEAD_OF_SHOULDERS * distance(points[BodyPoint.LEFT_SHOULDER], points[BodyPoint.RIGHT_SHOULDER]),
        1.0,
    )


def _same_person(a: BodyLandmarks, b: BodyLandmarks) -> bool:
    """Whether both bodies have their heads and their trunks at one place."""
    return _heads_apart(a, b) < SAME_HEAD and not _trunks_apart(a, b)


def _heads_apart(a: BodyLandmarks, b: BodyLandmarks) -> float:
    """The distance of two heads in sizes of the larger one."""
    apart = distance(a.points[HEAD_POINTS].mean(0), b.points[HEAD_POINTS].mean(0))
    return apart / max(head_size(a), head_size(b))


def _trunks_apart(a: BodyLandmarks, b: BodyLandmarks) -> bool:
    away = distance(a.points[TRUNK_OUTLINE].mean(0), b.points[TRUNK_OUTLINE].mean(0))
    return away > SAME_TRUNK * max(body_width(a.points), body_width(b.points))


def is_near(other: BodyLandmarks, person: BodyLandmarks, width: int, height: int) -> bool:
    """Whether the box of ``other`` overlaps that of ``person``, somewhat widened."""
    a, b = body_box(other, width, height), body_box(person, width, height)
    margin = NEAR_MARGIN * (b[2:] - b[:2]).max()
    return bool((a[:2] < b[2:] + margin).all() and (a[2:] > b[:2] - margin).all())


def claimed_by(
    rivals: list[tuple[BodyLandmarks, Matte]], person: BodyLandmarks, origin: tuple[float, float], zoom: float
) -> Matte:
    """(h, w) 0-255 what of a window belongs to ``rivals``, bodies with their segmentations (h, w), 0-255.

    The window starts at ``origin`` and is scaled by ``zoom``.
    """
    h, w = rivals[0][1].shape
    shrink = min(1.0, SKELETON_SIDE / max(h, w))
    size, scale = (max(1, round(w * shrink)), max(1, round(h * shrink))), zoom * shrink
    head = np.zeros((size[1], size[0]), np.uint8)
    _draw_head(head, person, origin, scale)
    own = _far(person, size, origin, scale, without=taken_forearms(person, [body for body, _ in rivals]))
    claimed = np.zeros((size[1], size[0]), np.uint8)
    for body, segmentation in rivals:
        small = cv2.resize(segmentation, size, interpolation=cv2.INTER_AREA) > CLAIMED_LEVEL
        holds_head = np.count_nonzero(small & (head > 0)) > OWN_HEAD_MAX * np.count_nonzero(head)
        if holds_head and not (_heads_apart(person, body) < TOUCHING and _trunks_apart(person, body)):
            continue
        claimed[small & (_far(body, size, origin, scale) < own)] = 255
    large = cv2.resize(claimed, (w, h), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.uint8)


def taken_forearms(person: BodyLandmarks, rivals: list[BodyLandmarks]) -> Mask:
    """(2,) whether left and right forearm of ``person`` end in a hand of ``rivals``, whose arm is better seen."""
    reach = SAME_WRIST * body_width(person.points)
    taken = np.zeros(2, np.bool_)
    for k, forearm in enumerate(FOREARMS):
        for other in rivals:
            for arm in FOREARMS:
                near = distance(person.points[forearm[1]], other.points[arm[1]]) < reach
                taken[k] |= near and other.visibility[list(arm)].min() > person.visibility[list(forearm)].min()
    return taken


def without_arms(person: PersonLandmarks, taken: NDArray[np.bool_]) -> PersonLandmarks:
    """``person`` with the arms that are ``taken`` (2,), left and right, hidden from the elbow on."""
    if not taken.any():
        return person
    visibility = person.body.visibility.copy()
    for k, arm in enumerate(ARMS):
        if taken[k]:
            visibility[list(arm)] = 0
    left, right = (None if gone else hand for gone, hand in zip(taken, person.hands, strict=True))
    return replace(person, body=replace(person.body, visibility=visibility), hands=(left, right))


def _far(
    body: BodyLandmarks,
    size: tuple[int, int],
    origin: tuple[float, float],
    scale: float,
    *,
    without: NDArray[np.bool_] | None = None,
) -> Floats:
    """(h, w) the distance of each pixel to the skeleton of ``body``, in its widths.

    ``without`` (2,) leaves out forearms.
    """
    limbs, trunk = np.zeros((2, size[1], size[0]), np.uint8)
    at = in_window(body.points, origin, scale)
    cv2.fillConvexPoly(trunk, at[TRUNK_OUTLINE], 255)
    forearms = [arm for k, arm in enumerate(FOREARMS) if without is None or not without[k]]
    for a, b in (*LIMBS, *forearms):
        if min(body.visibility[a], body.visibility[b]) > SEEN_MIN:
            cv2.line(limbs, at[a].tolist(), at[b].tolist(), 255, 1)
    for elbow, wrist in forearms:
        if min(body.visibility[elbow], body.visibility[wrist]) > SEEN_MIN:
            tip = body.points[wrist] + HAND_LENGTH * (body.points[wrist] - body.points[elbow])
            cv2.line(limbs, at[wrist].tolist(), in_window(tip, origin, scale).tolist(), 255, 1)
    _draw_head(limbs, body, origin, scale)
    width = max(body_width(body.points) * scale, 1.0)
    away, inside = (cv2.distanceTransform(cv2.bitwise_not(x), cv2.DIST_L2, cv2.DIST_MASK_3) for x in (limbs, trunk))
    return np.asarray(np.minimum(away, np.maximum(inside, TRUNK_DEPTH * width)) / np.float32(width), np.float32)


def _draw_head(mask: Matte, body: BodyLandmarks, origin: tuple[float, float], scale: float) -> None:
    centre = in_window(body.points[HEAD_POINTS].mean(0), origin, scale).tolist()
    cv2.circle(mask, centre, max(1, round(HEAD_RADIUS * head_size(body) * scale)), 255, -1)
