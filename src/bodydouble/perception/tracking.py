"""Following one body through consecutive frames, and finding it again when it was lost."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Points
from bodydouble.perception.detectors import overlap
from bodydouble.perception.geometry import Roi
from bodydouble.perception.landmarks import BodyLandmarks
from bodydouble.perception.networks import PeopleSource
from bodydouble.perception.people import Person, body_box
from bodydouble.perception.track import PersonChoice
from bodydouble.tasks.errors import NobodyFound

KEEP_SCORE_MIN = 0.5
SEARCH_EVERY_FRAMES = 4
"""While lost: a search of the whole frame costs as much as some ten tracked frames."""
LONG_LOST_FRAMES, LONG_LOST_SEARCH_EVERY_FRAMES = 24, 12
"""Who is away for long is looked for less often: the backward pass fills in the frames in which they came back."""
BYSTANDERS_EVERY_FRAMES = 24
ALIKE_MIN = 0.45
"""Smallest histogram intersection at which somebody found after a loss or a cut is taken for the same person."""
JUMP_MAX = 0.45
"""Largest move of the body between two frames, in side lengths of its region."""


def appearance(image: Image, body: BodyLandmarks) -> NDArray[np.float32]:
    """(12, 8, 6) hue, saturation, value histogram of torso and head, sums to 1: what somebody wears."""
    height, width = image.shape[:2]
    torso = body.points[[11, 12, 24, 23]]
    centre = torso.mean(0)
    polygon = np.concatenate([centre + (torso - centre) * 0.85, body.points[[7, 8]]])
    x0, y0 = np.clip(np.floor(polygon.min(0)).astype(int), 0, [width - 1, height - 1])
    x1, y1 = np.clip(np.ceil(polygon.max(0)).astype(int) + 1, 1, [width, height])
    if x1 - x0 < 2 or y1 - y0 < 2:
        return np.full((12, 8, 6), 1 / 576, np.float32)
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull((polygon - [x0, y0]).astype(np.int32)), 255)
    hsv = cv2.cvtColor(image[y0:y1, x0:x1], cv2.COLOR_RGB2HSV)
    histogram = cv2.calcHist([hsv], [0, 1, 2], mask, [12, 8, 6], [0, 180, 0, 256, 0, 256])
    return np.asarray(histogram / max(float(histogram.sum()), 1.0), np.float32)


def alike(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Histogram intersection, 0-1, softened so that a small shift of light does not part neighbours."""
    soft = [cv2.blur(x.reshape(12, -1), (3, 3)) for x in (a, b)]
    return float(np.minimum(soft[0] / soft[0].sum(), soft[1] / soft[1].sum()).sum())


def search_is_due(lost_frames: int) -> bool:
    """Whether a body lost, or not yet found, for so many frames is looked for in the whole frame now."""
    every = SEARCH_EVERY_FRAMES if lost_frames < LONG_LOST_FRAMES else LONG_LOST_SEARCH_EVERY_FRAMES
    return lost_frames % every == 0


@dataclass(kw_only=True)
class BodyState:
    """What the tracker carries from frame to frame; small enough to be saved with each window."""

    roi: Roi | None = None
    look: NDArray[np.float32] | None = None
    lost_frames: int = 0
    frames_seen: int = 0
    bystanders: NDArray[np.float64] | None = None  # (N, 4)
    started: bool = False


class BodyTracker:
    """Follows the chosen person's body. One instance runs in one direction of time.

    It uses the finder's networks, so trackers of one finder belong into one thread.
    """

    def __init__(self, finder: PeopleSource, choice: PersonChoice) -> None:
        self._net = finder.body_net
        self._finder = finder
        self._choice = choice
        self.state = BodyState()

    def cut(self) -> None:
        """A new shot: the place is forgotten, what the person wears is not."""
        self.state.roi = None
        self.state.lost_frames = 0
        self.state.bystanders = None

    def step(self, image: Image) -> BodyLandmarks | None:
        """The chosen person's body in the next frame, or None where it is not to be seen."""
        body = self.look_ahead(image)
        if body is None and search_is_due(self.state.lost_frames):
            body = self._search(image)
        return self.accept(image, body)

    def look_ahead(self, image: Image) -> BodyLandmarks | None:
        """The body in ``image`` if it is where it was last; nothing is remembered until it is accepted."""
        return self._follow(image) if self.state.roi is not None else None

    def accept(self, image: Image, body: BodyLandmarks | None) -> BodyLandmarks | None:
        """Go on from ``body`` in ``image``; answers it."""
        state = self.state
        if body is None:
            state.roi = None
            state.lost_frames += 1
            return None
        state.roi, state.lost_frames = body.next_roi, 0
        state.frames_seen += 1
        if state.frames_seen % 6 == 1:
            now = appearance(image, body)
            state.look = now if state.look is None else np.asarray(0.9 * state.look + 0.1 * now, np.float32)
        return body

    def _follow(self, image: Image) -> BodyLandmarks | None:
        state = self.state
        assert state.roi is not None
        if not state.roi.inside(image.shape[1], image.shape[0]):
            return None
        body = self._net.run(image, state.roi)
        if body.score < KEEP_SCORE_MIN:
            return None
        moved = np.hypot(body.next_roi.x - state.roi.x, body.next_roi.y - state.roi.y)
        grown = body.next_roi.size / state.roi.size
        if moved > JUMP_MAX * state.roi.size or not 0.4 < grown < 2.5:
            return None
        # Somebody who passes in front takes the region with them: what is worn tells.
        near_others = state.bystanders is not None and len(state.bystanders) > 0
        suspicious = (moved > 0.06 * state.roi.size or near_others) and state.look is not None
        if suspicious and state.look is not None and alike(appearance(image, body), state.look) < 0.6 * ALIKE_MIN:
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
            assert state.look is not None
            scored = [(alike(appearance(image, p.body), state.look), p) for p in people]
            best = max(scored, key=lambda s: s[0])
            if best[0] < ALIKE_MIN:
                return None
            chosen = best[1]
        state.started = True
        state.bystanders = np.array([p.box for p in people if p is not chosen]).reshape(-1, 4)
        return chosen.body

    def refresh_bystanders(self, image: Image, body: BodyLandmarks) -> None:
        """Look again who else is there; between two looks the boxes stand still."""
        own = body_box(body, image.shape[1], image.shape[0])
        boxes = self._finder.find_others(image, Person(box=own, score=body.score, body=body))
        fresh = np.array([box for box in boxes if overlap(own, box[None])[0] < 0.4]).reshape(-1, 4)
        before = self.state.bystanders
        if before is not None and len(before):
            gone = [b for b in before if not len(fresh) or overlap(b, fresh).max() < 0.3]
            fresh = np.concatenate([fresh, np.array(gone).reshape(-1, 4)])
        self.state.bystanders = fresh


def choose(people: list[Person], choice: PersonChoice, width: int, height: int) -> Person:
    """The person asked for.

    Raises:
        NobodyFound: nobody at the point or of that rank; the message lists who there is.
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
                f"person: nobody at ({choice.point[0]:.2f}, {choice.point[1]:.2f}) of the first frame with people in "
                f"it; there are, by size: {listing}",
                field="person",
            )
        # Among overlapping boxes the one whose middle is nearest is meant.
        return min(inside, key=lambda p: float(np.hypot(*((p.box[:2] + p.box[2:]) / 2 - at))))
    if choice.rank >= len(people):
        raise NobodyFound(
            f"person: index {choice.rank} asked for, but only {len(people)} found; by size: {listing}", field="person"
        )
    return people[choice.rank]


def head_region(body: BodyLandmarks) -> Roi:
    """Where the face detector should look, from the body alone."""
    points = body.points
    centre = points[[0, 2, 5, 7, 8]].mean(0)
    ears = float(np.hypot(*(points[7] - points[8])))
    shoulders = float(np.hypot(*(points[11] - points[12])))
    torso = float(np.hypot(*((points[11] + points[12] - points[23] - points[24]) / 2)))
    return Roi(x=float(centre[0]), y=float(centre[1]), size=max(ears, shoulders * 0.4, torso * 0.3) * 4)


def near_head(points: Points, body: BodyLandmarks) -> bool:
    """Whether a face mesh sits on this body's head and not on somebody else's."""
    region = head_region(body)
    centre = points.mean(0)
    return bool(np.hypot(centre[0] - region.x, centre[1] - region.y) < 0.3 * region.size)
