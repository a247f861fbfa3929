"""The forward pass: the body in every frame, measured where needed, interpolated where motion is smooth."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Boxes, Image
from bodydouble.perception.interpolation import interpolate_body, is_motion_even
from bodydouble.perception.landmarks import BodyLandmarks
from bodydouble.perception.rivals import NOBODY
from bodydouble.perception.tracking import BYSTANDERS_EVERY_FRAMES, BodyState, BodyTracker

LONG_BLOCK, SHORT_BLOCK = 4, 2
"""Frames that one measurement at the block's end can cover."""
RECENT_FRAMES = LONG_BLOCK + 1
"""Bodies that are remembered: a block of four and the one before it."""
EVEN_BLOCKS_MIN = 2
"""Even blocks in a row after which every fourth frame is measured instead of every other."""
ALONE_FACTOR = 2
"""How much less often bystanders are searched for where none is known."""


@dataclass(kw_only=True)
class ForwardState:
    """State from one frame to the next, besides the tracker's own."""

    recent: list[BodyLandmarks | None] = field(default_factory=list[BodyLandmarks | None])  # of this shot, newest last
    even_blocks: int = 0  # in a row
    shot: int = 0


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
