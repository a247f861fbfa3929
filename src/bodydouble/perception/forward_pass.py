"""The forward pass: the body in every frame, measured where needed, interpolated where motion is smooth."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Boxes, Image
from bodydouble.perception.interpolation import interpolate_body, is_motion_even
from bodydouble.perception.landmark_indices import KNEES
from bodydouble.perception.landmarks import BodyLandmarks
from bodydouble.perception.rivals import NOBODY
from bodydouble.perception.tracking import BYSTANDERS_EVERY_FRAMES, BodyState, BodyTracker
from bodydouble.perception.trunk import legs_hidden

LONG_BLOCK, SHORT_BLOCK = 4, 2
"""Frames that one measurement at the block's end can cover."""
RECENT_FRAMES = LONG_BLOCK + 1
"""Bodies that are remembered: a block of four and the one before it."""
EVEN_BLOCKS_MIN = 2
"""Even blocks in a row after which every fourth frame is measured instead of every other."""
ALONE_FACTOR = 2
"""How much less often bystanders are searched for where none is known."""

KNEES_SEEN_MIN = 0.5
"""Visibility of a knee from which legs are in sight."""
HIDDEN_FRAMES_MIN = 2
"""Frames in which the legs are hidden before somebody is searched for who hides them: single ones are mistakes."""
HIDDEN_WAIT_FRAMES, HIDDEN_WAIT_FRAMES_MAX = 2, 64
"""Frames to the next such search. Each one that finds nobody doubles them: what hides the legs may be a desk."""


@dataclass(kw_only=True)
class ForwardState:
    """State from one frame to the next, besides the tracker's own."""

    recent: list[BodyLandmarks | None] = field(default_factory=list[BodyLandmarks | None])  # of this shot, newest last
    even_blocks: int = 0  # in a row
    shot: int = 0
    legs_seen: bool = False  # in this shot
    hidden_since: int | None = None  # frame from which the legs are hidden
    search_due: int = 0  # frame from which who hides them is searched for again
    search_wait: int = HIDDEN_WAIT_FRAMES


@dataclass(frozen=True, kw_only=True)
class ForwardBodies:
    """Bodies of consecutive frames."""

    bodies: list[BodyLandmarks | None]
    uneven: list[int]  # frames whose body is interpolated although it does not move evenly
    bystanders: list[Boxes]  # boxes of other people in each frame
    others: list[NDArray[np.float64]]  # (N, 4) regions of their bodies, as the last search of all found them


class ForwardPass:
    """Moves a tracker forward in time. Not thread-safe, as the tracker."""

    def __init__(self, tracker: BodyTracker, size: tuple[int, int], *, interpolates: bool = True) -> None:
        """``size`` is the pictures' width and height. Without ``interpolates`` every frame is measured."""
        self._tracker, self._size, self._interpolates = tracker, size, interpolates
        self.state = ForwardState()

    def restore(self, body: BodyState, forward: ForwardState) -> None:
        """Continue from what ``saved`` returned."""
        self._tracker.state, self.state = body, forward

    def saved(self) -> tuple[BodyState, ForwardState]:
        """A copy of the state from which the next window starts."""
        return BodyState(**vars(self._tracker.state)), ForwardState(**vars(self.state))

    def follow(self, start: int, images: list[Image], shots: list[int]) -> ForwardBodies:
        """The bodies of ``images``, which are the frames from ``start`` on and belong to ``shots``."""
        bodies: list[BodyLandmarks | None] = []
        uneven: list[int] = []
        bystanders: list[Boxes] = []
        others: list[NDArray[np.float64]] = []
        while len(bodies) < len(images):
            i = len(bodies)
            if shots[i] != self.state.shot:
                self._tracker.start_shot()
                self.state = ForwardState(shot=shots[i])
            stop = next((k for k in range(i, len(images)) if shots[k] != shots[i]), len(images))
            found, unsure = self._next(images[i:stop])
            uneven += [i + k for k in unsure]
            bodies += found
            self.state.recent = [*self.state.recent, *found][-RECENT_FRAMES:]
            self._search_bystanders(start + i, len(found), images[len(bodies) - 1], found[-1])
            known = self._tracker.state.bystanders
            bystanders += [known if known is not None else np.zeros((0, 4))] * len(found)
            regions = self._tracker.state.others
            others += [regions if regions is not None else NOBODY] * len(found)
        return ForwardBodies(bodies=bodies, uneven=uneven, bystanders=bystanders, others=others)

    def _search_bystanders(self, index: int, frames: int, image: Image, body: BodyLandmarks | None) -> None:
        """Search at regular intervals; less often where nobody else was found."""
        known = self._tracker.state.bystanders
        every = BYSTANDERS_EVERY_FRAMES * (1 if known is not None and len(known) else ALONE_FACTOR)
        if body is not None and any((index + k) % every == BYSTANDERS_EVERY_FRAMES // 2 for k in range(frames)):
            self._tracker.refresh_bystanders(image, body)
        if body is not None:
            self._search_before_legs(index + frames - 1, image, body)

    def _search_before_legs(self, index: int, image: Image, body: BodyLandmarks) -> None:
        """Search for somebody new where the legs of ``body``, in frame ``index``, were in sight and are hidden now."""
        state = self.state
        if body.visibility[KNEES].max() > KNEES_SEEN_MIN:
            state.legs_seen, state.hidden_since, state.search_wait = True, None, HIDDEN_WAIT_FRAMES
        if not state.legs_seen or not legs_hidden(body.points[None], body.visibility[None], self._size[1])[0]:
            return
        if state.hidden_since is None:
            state.hidden_since = index
        if index - state.hidden_since < HIDDEN_FRAMES_MIN or index < state.search_due:
            return
        if self._tracker.search_before_legs(image, body):
            state.search_due = index + BYSTANDERS_EVERY_FRAMES
        else:
            state.search_due = index + state.search_wait
            state.search_wait = min(2 * state.search_wait, HIDDEN_WAIT_FRAMES_MAX)

    def _back(self, frames: int) -> BodyLandmarks | None:
        """The body ``frames`` frames before the next one; None if there is none in this shot."""
        recent = self.state.recent
        return recent[-frames] if len(recent) >= frames else None

    def _next(self, images: list[Image]) -> tuple[list[BodyLandmarks | None], list[int]]:
        """The bodies of the next frames, at least one, and which of them are interpolated although uneven."""
        before = self._back(1)
        if before is not None and self._interpolates:
            found = self._long_block(images, before) or self._short_block(images, before)
            if found is not None:
                return found
        self.state.even_blocks = 0
        return [self._tracker.step(images[0])], []

    def _long_block(
        self, images: list[Image], before: BodyLandmarks
    ) -> tuple[list[BodyLandmarks | None], list[int]] | None:
        """Four frames after ``before``, one or two of them measured; None where more have to be."""
        earlier = self._back(LONG_BLOCK + 1)
        if self.state.even_blocks < EVEN_BLOCKS_MIN or earlier is None or len(images) < LONG_BLOCK:
            return None
        tracker = self._tracker
        after = tracker.peek(images[3])
        if after is None:
            return None
        if is_motion_even(earlier, before, after, self._size):
            self.state.even_blocks += 1
            tracker.accept(images[3], after)
            return [*(interpolate_body(before, after, k / LONG_BLOCK) for k in (1, 2, 3)), after], []
        self.state.even_blocks = 0
        middle = tracker.peek(images[1])
        if middle is None:
            return None
        tracker.accept(images[1], middle)
        tracker.accept(images[3], after)
        halves = ((0, self._back(SHORT_BLOCK + 1), before, middle), (2, before, middle, after))
        uneven = [k for k, e, b, a in halves if e is None or not is_motion_even(e, b, a, self._size)]
        return [interpolate_body(before, middle), middle, interpolate_body(middle, after), after], uneven

    def _short_block(
        self, images: list[Image], before: BodyLandmarks
    ) -> tuple[list[BodyLandmarks | None], list[int]] | None:
        """Two frames after ``before``, the second one measured; None where both have to be."""
        after = self._tracker.peek(images[1]) if len(images) >= SHORT_BLOCK else None
        if after is None:
            return None
        earlier = self._back(SHORT_BLOCK + 1)
        even = earlier is not None and is_motion_even(earlier, before, after, self._size)
        self.state.even_blocks = self.state.even_blocks + 1 if even else 0
        self._tracker.accept(images[1], after)
        return [interpolate_body(before, after), after], [] if even else [0]
