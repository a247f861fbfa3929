"""Tracking one body through consecutive frames, and finding it again after a loss.

The thresholds have no recorded source. They are kept because tracks, and so the bytes of results, depend on them.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Boxes, Image, Points
from bodydouble.perception.detectors import box_iou
from bodydouble.perception.geometry import Roi, distance
from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.perception.landmarks import BODY_KEPT_MIN, BodyLandmarks
from bodydouble.perception.networks import PeopleSource
from bodydouble.perception.people import HEAD_POINTS, Person, body_box
from bodydouble.perception.rivals import NOBODY, regions_of
from bodydouble.perception.track import NEIGHBOURS_MAX, PersonChoice
from bodydouble.perception.trunk import HIPS, SHOULDERS
from bodydouble.tasks.errors import NobodyFound

SEARCH_EVERY_FRAMES = 4
"""While lost: a search of the whole frame costs as much as about ten tracked frames."""
LONG_LOST_FRAMES, LONG_LOST_SEARCH_EVERY_FRAMES = 24, 12
"""After a long absence searches are rarer: the backward pass fills in the frames in which the person came back."""
BYSTANDERS_EVERY_FRAMES = 24
"""Interval between two searches for other people, about a second. In between their boxes stay as they are."""
BYSTANDER_OVERLAP_MAX = 0.4
"""Intersection over union with the tracked person's box from which a box is that person."""
LEGS_BELOW_HIPS = 0.6
"""Trunk lengths below the hips about which who hides the legs is searched for: the middle of the thighs."""
SAME_BOX_MIN = 0.85
"""Intersection over union from which the search has found one person twice. Two people are never seen so."""
BYSTANDER_KEPT_OVERLAP_MAX = 0.3
"""A bystander of the search before without a new box that overlaps by more is still there, only hidden."""
ALIKE_MIN = 0.45
"""Similarity (0-1) from which a person found after a loss or a cut counts as the same person."""
ALIKE_WHILE_TRACKED = 0.6 * ALIKE_MIN
"""Smallest similarity while a person is tracked: light and pose change slowly there."""
SCENE_ALIKE_MIN = 0.5
"""Similarity (0-1) of two whole frames below which the light has changed: a flash, a lamp, the sun in the lens. Clothes
cannot be compared across that. Measured six frames apart: 0.08 where a light leak ends, 0.44 under stage lights, 0.83
or more in 23 other clips."""
SAME_PLACE_MAX = 1.0
"""Sides of the last region. Who is found within them right after such a change is the same person."""
SCENE_SIZE = (64, 36)
"""Width and height to which a frame is reduced before its colours are counted."""
JUMP_MAX = 0.45
"""Largest move of the body between two frames, in sides of its region."""
SUSPICIOUS_MOVE = 0.06
"""Move in sides of the region from which the clothes are compared: another person may have taken the region over."""
GROWTH_RANGE = (0.4, 2.5)
"""Smallest and largest change of the region's side between two frames."""
APPEARANCE_EVERY_FRAMES = 6
"""How often the clothes of a tracked body are added to the remembered histogram."""
APPEARANCE_NEW_SHARE = 0.1
"""Weight of a new histogram in the remembered one."""

HISTOGRAM_BINS = (12, 8, 6)
"""Hue, saturation and value: hue identifies clothes, value changes with light."""
HUES, LEVELS = 180, 256
"""Values of hue (OpenCV counts it in steps of 2 degrees), and of saturation and value, in an 8-bit picture."""
TORSO_SHRINK = 0.85
"""The torso's corners move towards its middle by this factor, away from the background."""
HISTOGRAM_BLUR = (3, 3)
"""Bins of saturation-and-value by hue: a small shift of light must not separate neighbours."""

HEAD_REGION_SCALE = 4.0
"""Side of the face search over the head's size."""
HEAD_OF_SHOULDERS, HEAD_OF_TORSO = 0.4, 0.3
"""Head size over shoulder width and torso length of an adult, where the ears are not seen."""
NEAR_HEAD_MAX = 0.3
"""Distance of a face from the head, in sides of the head's region."""

TORSO_CORNERS = [
    BodyPoint.LEFT_SHOULDER,
    BodyPoint.RIGHT_SHOULDER,
    BodyPoint.RIGHT_HIP,
    BodyPoint.LEFT_HIP,
]


def torso_length(points: NDArray[np.floating]) -> float:
    """Middle of the shoulders to middle of the hips, pixels; ``points`` is (33, 2)."""
    left, right, right_hip, left_hip = points[TORSO_CORNERS]
    return float(np.hypot(*((left + right - left_hip - right_hip) / 2)))


def appearance(image: Image, body: BodyLandmarks) -> NDArray[np.float32]:
    """(12, 8, 6) histogram of hue, saturation and value over torso and head, sums to 1: identifies the clothes."""
    height, width = image.shape[:2]
    torso = body.points[TORSO_CORNERS]
    centre = torso.mean(0)
    ears = body.points[[BodyPoint.LEFT_EAR, BodyPoint.RIGHT_EAR]]
    polygon = np.concatenate([centre + (torso - centre) * TORSO_SHRINK, ears])
    x0, y0 = np.clip(np.floor(polygon.min(0)).astype(int), 0, [width - 1, height - 1])
    x1, y1 = np.clip(np.ceil(polygon.max(0)).astype(int) + 1, 1, [width, height])
    if x1 - x0 < 2 or y1 - y0 < 2:
        return np.full(HISTOGRAM_BINS, 1 / np.prod(HISTOGRAM_BINS), np.float32)
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull((polygon - [x0, y0]).astype(np.int32)), 255)
    return _histogram(image[y0:y1, x0:x1], mask)


def scene_colours(image: Image) -> NDArray[np.float32]:
    """(12, 8, 6) histogram of hue, saturation and value of the whole frame, sums to 1: tells that the light changed."""
    return _histogram(np.asarray(cv2.resize(image, SCENE_SIZE, interpolation=cv2.INTER_AREA), np.uint8), None)


def _histogram(image: Image, mask: NDArray[np.uint8] | None) -> NDArray[np.float32]:
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    histogram = cv2.calcHist([hsv], [0, 1, 2], mask, list(HISTOGRAM_BINS), [0, HUES, 0, LEVELS, 0, LEVELS])
    return np.asarray(histogram / max(float(histogram.sum()), 1.0), np.float32)


def appearance_similarity(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Intersection of two blurred histograms, 0-1."""
    soft = [cv2.blur(x.reshape(HISTOGRAM_BINS[0], -1), HISTOGRAM_BLUR) for x in (a, b)]
    return float(np.minimum(soft[0] / soft[0].sum(), soft[1] / soft[1].sum()).sum())


def search_is_due(lost_frames: int) -> bool:
    """Whether the whole frame is searched for a body that has been absent for ``lost_frames`` frames."""
    every = SEARCH_EVERY_FRAMES if lost_frames < LONG_LOST_FRAMES else LONG_LOST_SEARCH_EVERY_FRAMES
    return lost_frames % every == 0


@dataclass(kw_only=True)
class BodyState:
    """The tracker's state from one frame to the next; small enough to be saved with each window."""

    roi: Roi | None = None
    last_roi: Roi | None = None  # where the body was last seen
    appearance: NDArray[np.float32] | None = None
    scene: NDArray[np.float32] | None = None  # the colours of the whole frame when the appearance was last learned
    lost_frames: int = 0
    frames_seen: int = 0
    bystanders: Boxes | None = None
    others: NDArray[np.float64] | None = None  # (N, 4) regions of their bodies, as the last search of all found them
    started: bool = False


class BodyTracker:
    """Tracks the chosen person's body in one direction of time.

    It uses the finder's networks, so all trackers of one finder belong in one thread.
    """

    def __init__(self, finder: PeopleSource, choice: PersonChoice) -> None:
        self._net = finder.body_net
        self._finder = finder
        self._choice = choice
        self.state = BodyState()

    def start_shot(self) -> None:
        """Forget where people are; remember what the tracked person wears."""
        self.state.roi = self.state.last_roi = None
        self.state.lost_frames = 0
        self.state.bystanders = self.state.others = None

    def step(self, image: Image) -> BodyLandmarks | None:
        """The chosen person's body in the next frame, or None where it is not seen."""
        body = self.peek(image)
        if body is None and search_is_due(self.state.lost_frames):
            body = self._search(image)
        return self.accept(image, body)

    def peek(self, image: Image) -> BodyLandmarks | None:
        """The body in ``image`` near its last position. Changes no state: ``accept`` does."""
        return self._measure_near(image, self.state.roi) if self.state.roi is not None else None

    def accept(self, image: Image, body: BodyLandmarks | None) -> BodyLandmarks | None:
        """Continue from ``body`` in ``image``; returns it."""
        state = self.state
        if body is None:
            state.roi = None
            state.lost_frames += 1
            return None
        state.roi = state.last_roi = body.next_roi
        state.lost_frames = 0
        state.frames_seen += 1
        if state.frames_seen % APPEARANCE_EVERY_FRAMES == 1:
            now = appearance(image, body)
            light_changed, state.scene = self._light_changed(image), scene_colours(image)
            if state.appearance is not None and not light_changed:
                kept = (1 - APPEARANCE_NEW_SHARE) * state.appearance
                now = np.asarray(kept + APPEARANCE_NEW_SHARE * now, np.float32)
            state.appearance = now
        return body

    def _measure_near(self, image: Image, roi: Roi) -> BodyLandmarks | None:
        state = self.state
        if not roi.inside(image.shape[1], image.shape[0]):
            return None
        body = self._net.run(image, roi)
        if body.score < BODY_KEPT_MIN:
            return None
        moved = np.hypot(body.next_roi.x - roi.x, body.next_roi.y - roi.y)
        grown = body.next_roi.size / roi.size
        if moved > JUMP_MAX * roi.size or not GROWTH_RANGE[0] < grown < GROWTH_RANGE[1]:
            return None
        # Somebody who passes in front captures the region: the clothes identify the right person.
        near_others = state.bystanders is not None and _any_within(state.bystanders, roi)
        if (moved > SUSPICIOUS_MOVE * roi.size or near_others) and state.appearance is not None:
            similarity = appearance_similarity(appearance(image, body), state.appearance)
            if similarity < ALIKE_WHILE_TRACKED and not self._light_changed(image):
                return None
        return body

    def _search(self, image: Image) -> BodyLandmarks | None:
        state = self.state
        people = self._finder.find(image)
        if not people:
            return None
        if not state.started:
            chosen = choose(people, self._choice, image.shape[1], image.shape[0])
        else:
            assert state.appearance is not None
            known = state.appearance
            people = [p for p in people if self._may_be_as_large(p.body.next_roi)]
            if not people:
                return None
            scored = [(appearance_similarity(appearance(image, p.body), known), p) for p in people]
            best = max(scored, key=lambda s: s[0])
            chosen = best[1] if best[0] >= ALIKE_MIN else self._at_last_place(image, people)
            if chosen is None:
                return None
        state.started = True
        others = [p for p in people if box_iou(chosen.box, p.box[None])[0] < SAME_BOX_MIN]
        state.bystanders = np.array([p.box for p in others]).reshape(-1, 4)
        state.others = regions_of([p.body for p in others])
        return chosen.body

    def _may_be_as_large(self, found: Roi) -> bool:
        """Whether the region ``found`` is about as large as the person's was, if the person was lost shortly before."""
        last = self.state.last_roi
        if last is None or self.state.lost_frames >= LONG_LOST_FRAMES:
            return True
        return GROWTH_RANGE[0] < found.size / last.size < GROWTH_RANGE[1]

    def _light_changed(self, image: Image) -> bool:
        """Whether ``image`` as a whole looks otherwise than when the clothes were last learned."""
        known = self.state.scene
        return known is not None and appearance_similarity(scene_colours(image), known) < SCENE_ALIKE_MIN

    def _at_last_place(self, image: Image, people: list[Person]) -> Person | None:
        """Who of ``people`` is where the body was lost shortly before, if changed light hides what it wears."""
        last = self.state.last_roi
        if last is None or self.state.lost_frames >= LONG_LOST_FRAMES or not self._light_changed(image):
            return None
        away = [float(np.hypot(p.body.next_roi.x - last.x, p.body.next_roi.y - last.y)) for p in people]
        nearest = int(np.argmin(away))
        return people[nearest] if away[nearest] <= SAME_PLACE_MAX * last.size else None

    def refresh_bystanders(self, image: Image, body: BodyLandmarks) -> None:
        """Search for other people again; between two searches their boxes stand still."""
        own = body_box(body, image.shape[1], image.shape[0])
        boxes = self._finder.find_others(image, Person(box=own, score=body.score, body=body))
        others = [box for box in boxes if box_iou(own, box[None])[0] < BYSTANDER_OVERLAP_MAX]
        fresh = np.array(others).reshape(-1, 4)
        before = self.state.bystanders
        if before is not None and len(before):
            hidden = [b for b in before if not len(fresh) or box_iou(b, fresh).max() < BYSTANDER_KEPT_OVERLAP_MAX]
            fresh = np.concatenate([fresh, np.array(hidden).reshape(-1, 4)])
        self.state.bystanders = fresh

    def search_before_legs(self, image: Image, body: BodyLandmarks) -> bool:
        """Search about the hidden legs of ``body`` for who stands before them; whether somebody new is there."""
        own = body_box(body, image.shape[1], image.shape[0])
        hips, shoulders = body.points[HIPS].mean(0), body.points[SHOULDERS].mean(0)
        place = hips + LEGS_BELOW_HIPS * (hips - shoulders)
        people = self._finder.find_near(image, Person(box=own, score=body.score, body=body), place)
        state = self.state
        boxes = state.bystanders if state.bystanders is not None else NOBODY
        known = np.concatenate([own[None], boxes])
        fresh = [
            p
            for p in people
            if (p.box[:2] < place).all()
            and (place < p.box[2:]).all()
            and box_iou(p.box, known).max() < BYSTANDER_OVERLAP_MAX
        ]
        if fresh:
            state.bystanders = np.concatenate([np.array([p.box for p in fresh]), boxes])
            others = state.others if state.others is not None else NOBODY
            state.others = np.concatenate([regions_of([p.body for p in fresh]), others])[:NEIGHBOURS_MAX]
        return bool(fresh)


def _any_within(boxes: Boxes, roi: Roi) -> bool:
    """Whether some box of ``boxes`` (N, 4) reaches into the region ``roi``: farther away nobody captures it."""
    low, high = (np.array([roi.x, roi.y]) + sign * roi.size / 2 for sign in (-1, 1))
    return bool(((boxes[:, :2] < high) & (boxes[:, 2:] > low)).all(1).any())


def choose(people: list[Person], choice: PersonChoice, width: int, height: int) -> Person:
    """The person that ``choice`` names.

    Raises:
        NobodyFound: nobody at the point or of that rank; the message lists the people found.
    """
    listing = "; ".join(
        f"{i}: centre ({(p.box[0] + p.box[2]) / 2 / width:.2f}, {(p.box[1] + p.box[3]) / 2 / height:.2f})"
        for i, p in enumerate(people)
    )
    if choice.point is not None:
        at = np.array(choice.point) * [width, height]
        inside = [p for p in people if (p.box[:2] <= at).all() and (at <= p.box[2:]).all()]
        if not inside:
            raise NobodyFound(
                f"person: nobody at ({choice.point[0]:.2f}, {choice.point[1]:.2f}) in the first frame that shows "
                f"people. People found, largest first: {listing}",
                field="person",
            )
        # If boxes overlap, the one with the nearest centre is chosen.
        return min(inside, key=lambda p: distance((p.box[:2] + p.box[2:]) / 2, at))
    if choice.rank >= len(people):
        raise NobodyFound(
            f"person: {choice.rank} was requested, but the last one found is {len(people) - 1}. People found, largest "
            f"first: {listing}",
            field="person",
        )
    return people[choice.rank]


def head_region(body: BodyLandmarks) -> Roi:
    """Where to search for the face, from the body alone."""
    points = body.points
    centre = points[HEAD_POINTS].mean(0)
    ears = distance(points[BodyPoint.LEFT_EAR], points[BodyPoint.RIGHT_EAR])
    shoulders = distance(points[BodyPoint.LEFT_SHOULDER], points[BodyPoint.RIGHT_SHOULDER])
    head = max(ears, shoulders * HEAD_OF_SHOULDERS, torso_length(points) * HEAD_OF_TORSO)
    return Roi(x=float(centre[0]), y=float(centre[1]), size=head * HEAD_REGION_SCALE)


def near_head(points: Points, body: BodyLandmarks) -> bool:
    """Whether a face mesh belongs to the head of this body and not to another person."""
    region = head_region(body)
    centre = points.mean(0)
    return bool(np.hypot(centre[0] - region.x, centre[1] - region.y) < NEAR_HEAD_MAX * region.size)
