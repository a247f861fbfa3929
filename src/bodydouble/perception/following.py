"""The forward pass: the body in every frame, measured where it has to be and foretold where that does."""

from dataclasses import dataclass, field

import numpy as np

from bodydouble.perception.arrays import Image, Points
from bodydouble.perception.inbetween import between, is_even
from bodydouble.perception.landmarks import BodyLandmarks
from bodydouble.perception.tracking import BYSTANDERS_EVERY_FRAMES, BodyState, BodyTracker

RECENT = 5
"""Bodies that are remembered: a block of four and the one before it."""
CALM_BLOCKS = 2
"""Even blocks in a row after which every fourth frame is measured instead of every other."""


@dataclass(kw_only=True)
class FollowState:
    """What is carried from frame to frame beside the tracker's own state."""

    recent: list[BodyLandmarks | None] = field(default_factory=list[BodyLandmarks | None])  # of this shot, newest last
    calm: int = 0  # even blocks in a row
    shot: int = 0


@dataclass(frozen=True, kw_only=True)
class Followed:
    """Bodies of consecutive frames."""

    bodies: list[BodyLandmarks | None]
    uneven: list[int]  # frames whose body is only foretold from its neighbours and does not move evenly
    bystanders: list[Points]  # (N, 4) boxes of others in each frame


class Follower:
    """Leads a tracker forward in time; as little safe to call from two threads at once as the tracker is."""

    def __init__(self, tracker: BodyTracker, size: tuple[int, int], *, foretells: bool = True) -> None:
        """``size`` is the pictures' width and height. Without ``foretells`` every frame is measured."""
        self._tracker, self._size, self._foretells = tracker, size, foretells
        self.state = FollowState()

    def restore(self, body: BodyState, follow: FollowState) -> None:
        """Go on from what ``saved`` answered."""
        self._tracker.state, self.state = body, follow

    def saved(self) -> tuple[BodyState, FollowState]:
        """What the next window starts from; a copy."""
        return BodyState(**vars(self._tracker.state)), FollowState(**vars(self.state))

    def follow(self, start: int, images: list[Image], shots: list[int]) -> Followed:
        """The bodies of ``images``, which are the frames from ``start`` on and belong to ``shots``."""
        bodies: list[BodyLandmarks | None] = []
        uneven: list[int] = []
        others: list[Points] = []
        while len(bodies) < len(images):
            i = len(bodies)
            if shots[i] != self.state.shot:
                self._tracker.cut()
                self.state = FollowState(shot=shots[i])
            stop = next((k for k in range(i, len(images)) if shots[k] != shots[i]), len(images))
            found, foretold = self._next(images[i:stop])
            uneven += [i + k for k in foretold]
            bodies += found
            self.state.recent = [*self.state.recent, *found][-RECENT:]
            self._look_for_others(start + i, len(found), images[len(bodies) - 1], found[-1])
            known = self._tracker.state.bystanders
            others += [known if known is not None else np.zeros((0, 4))] * len(found)
        return Followed(bodies=bodies, uneven=uneven, bystanders=others)

    def _look_for_others(self, index: int, frames: int, image: Image, body: BodyLandmarks | None) -> None:
        """Now and then; half as often where nobody else was."""
        known = self._tracker.state.bystanders
        every = BYSTANDERS_EVERY_FRAMES * (1 if known is not None and len(known) else 2)
        if body is not None and any((index + k) % every == BYSTANDERS_EVERY_FRAMES // 2 for k in range(frames)):
            self._tracker.refresh_bystanders(image, body)

    def _back(self, frames: int) -> BodyLandmarks | None:
        """The body so many frames before the next one, in the same shot."""
        recent = self.state.recent
        return recent[-frames] if len(recent) >= frames else None

    def _next(self, images: list[Image]) -> tuple[list[BodyLandmarks | None], list[int]]:
        """The bodies of the next frames, one at least, and which of them are foretold although they move unevenly."""
        before = self._back(1)
        if before is not None and self._foretells:
            found = self._four(images, before) or self._two(images, before)
            if found is not None:
                return found
        self.state.calm = 0
        return [self._tracker.step(images[0])], []

    def _four(self, images: list[Image], before: BodyLandmarks) -> tuple[list[BodyLandmarks | None], list[int]] | None:
        """Four frames after ``before``, one or two of them measured; None where more have to be."""
        earlier = self._back(5)
        if self.state.calm < CALM_BLOCKS or earlier is None or len(images) < 4:
            return None
        tracker = self._tracker
        after = tracker.look_ahead(images[3])
        if after is None:
            return None
        if is_even(earlier, before, after, self._size):
            self.state.calm += 1
            tracker.accept(images[3], after)
            return [*(between(before, after, k / 4) for k in (1, 2, 3)), after], []
        self.state.calm = 0
        middle = tracker.look_ahead(images[1])
        if middle is None:
            return None
        tracker.accept(images[1], middle)
        tracker.accept(images[3], after)
        halves = ((0, self._back(3), before, middle), (2, before, middle, after))
        uneven = [k for k, e, b, a in halves if e is None or not is_even(e, b, a, self._size)]
        return [between(before, middle), middle, between(middle, after), after], uneven

    def _two(self, images: list[Image], before: BodyLandmarks) -> tuple[list[BodyLandmarks | None], list[int]] | None:
        """Two frames after ``before``, the second one measured; None where both have to be."""
        after = self._tracker.look_ahead(images[1]) if len(images) >= 2 else None
        if after is None:
            return None
        earlier = self._back(3)
        even = earlier is not None and is_even(earlier, before, after, self._size)
        self.state.calm = self.state.calm + 1 if even else 0
        self._tracker.accept(images[1], after)
        return [between(before, after), after], [] if even else [0]
