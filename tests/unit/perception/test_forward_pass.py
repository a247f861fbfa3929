"""Which frames the body is measured in, shown with a tracker that knows the answer."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bodydouble.perception.arrays import Image
from bodydouble.perception.forward_pass import ForwardBodies, ForwardPass
from bodydouble.perception.landmarks import BodyLandmarks
from bodydouble.perception.tracking import BodyState
from seen_bodies import upright_body

SIZE = (640, 360)


class KnowingTracker:
    """Stands in for ``BodyTracker``: the frame's first pixel is its index, ``path`` says where the body is."""

    def __init__(self, path: Callable[[int], float | None]) -> None:
        self.state = BodyState()
        self.measured: list[int] = []
        self.cuts = 0
        self.searched: list[int] = []
        self.searched_legs: list[int] = []
        self._path = path

    def start_shot(self) -> None:
        self.cuts += 1

    def peek(self, image: Image) -> BodyLandmarks | None:
        index = int(image[0, 0, 0])
        self.measured.append(index)
        x = self._path(index)
        return None if x is None else upright_body(x)

    def step(self, image: Image) -> BodyLandmarks | None:
        return self.peek(image)

    def accept(self, image: Image, body: BodyLandmarks | None) -> BodyLandmarks | None:
        return body

    def search_before_legs(self, image: Image, body: BodyLandmarks) -> bool:
        self.searched_legs.append(int(image[0, 0, 0]))
        return False

    def refresh_bystanders(self, image: Image, body: BodyLandmarks) -> None:
        self.searched.append(int(image[0, 0, 0]))
        self.state.bystanders = np.zeros((0, 4))


def _follow(
    path: Callable[[int], float | None], frames: int, shots: list[int] | None = None
) -> tuple[ForwardBodies, KnowingTracker]:
    tracker = KnowingTracker(path)
    return _followed(tracker, frames, shots), tracker


def _followed(tracker: KnowingTracker, frames: int, shots: list[int] | None = None) -> ForwardBodies:
    images = [np.full((1, 1, 3), i, np.uint8) for i in range(frames)]
    return ForwardPass(tracker, SIZE).follow(0, images, shots or [0] * frames)  # type: ignore[arg-type]


def _positions(followed: ForwardBodies) -> list[float | None]:
    return [None if body is None else float(body.matrix[0, 2]) for body in followed.bodies]


def test_an_even_walk_is_measured_in_every_fourth_frame():
    """Once it is known to be even, a walk costs a quarter of the measurements, and every frame is right."""
    followed, tracker = _follow(lambda i: 3.0 * i, 39)

    assert tracker.measured == [0, 2, 4, 6, 10, 14, 18, 22, 26, 30, 34, 38]
    assert followed.uneven == [1]
    assert np.allclose(np.array(_positions(followed), float), [22 + 3.0 * i for i in range(39)])


def test_a_jerky_walk_is_measured_everywhere_in_the_end():
    """Where the motion is uneven every frame is measured at once or told to be measured later."""
    followed, tracker = _follow(lambda i: 30.0 * (i // 2 % 2), 24)

    assert set(tracker.measured) | set(followed.uneven) == set(range(24))


def test_a_jerk_ends_the_calm():
    """After a long calm one jerk is noticed in its block: the frames about it are looked at, until calm is back."""
    followed, tracker = _follow(lambda i: 2.0 * i + (40.0 if i >= 30 else 0.0), 48)

    looked = sorted({*tracker.measured, *followed.uneven})
    assert looked == [0, 1, 2, 4, 6, 10, 14, 18, 22, 26, 28, 29, 30, 31, 32, 34, 36, 40, 44, 46, 47]


def test_nothing_is_interpolated_across_a_cut_or_a_loss():
    """The first frame of a shot and of a reappearance is measured; frames without the body stay empty."""
    shots = [0] * 10 + [1] * 10
    followed, tracker = _follow(lambda i: None if 14 <= i < 17 else 2.0 * i + 100 * (i >= 10), 20, shots)

    assert tracker.cuts == 1
    assert {0, 10, 14, 15, 16, 17} <= set(tracker.measured)
    assert [i for i, body in enumerate(followed.bodies) if body is None] == [14, 15, 16]


def test_the_state_is_all_that_is_carried_over():
    """A fresh follower that is given what another one saved goes on just as that one does."""

    def path(i: int) -> float:
        return 2.0 * i + 3.0 * np.sin(i)

    images = [np.full((1, 1, 3), i, np.uint8) for i in range(32)]
    for split in (1, 7, 16):
        going = ForwardPass(KnowingTracker(path), SIZE)  # type: ignore[arg-type]
        going.follow(0, images[:split], [0] * split)
        fresh = ForwardPass(KnowingTracker(path), SIZE)  # type: ignore[arg-type]
        fresh.restore(*going.saved())
        ends = [f.follow(split, images[split:], [0] * (32 - split)) for f in (going, fresh)]
        assert _positions(ends[0]) == _positions(ends[1])
        assert ends[0].uneven == ends[1].uneven


def test_bystanders_are_searched_at_intervals():
    """While nobody else is known a search every 48 frames is enough; each frame has the boxes of the last search."""
    followed, tracker = _follow(lambda i: 2.0 * i, 96)

    assert [len(boxes) for boxes in followed.bystanders] == [0] * 96
    assert len(tracker.searched) == 2


class LosingLegs(KnowingTracker):
    """Sees the legs of somebody who stands still in the first ``seen`` frames only."""

    def __init__(self, seen: int) -> None:
        super().__init__(lambda i: 0.0)
        self._seen = seen

    def peek(self, image: Image) -> BodyLandmarks | None:
        body = super().peek(image)
        assert body is not None
        visibility = body.visibility.copy()
        visibility[25:] = 0.9 if int(image[0, 0, 0]) < self._seen else 0.0
        return replace(body, visibility=visibility)


def _searches_before_legs(seen: int, frames: int) -> list[int]:
    tracker = LosingLegs(seen)
    _followed(tracker, frames)
    return tracker.searched_legs


def test_who_hides_legs_that_were_seen_is_searched_for():
    """At once, then ever less often: what hides them may be a desk."""
    searches = _searches_before_legs(10, 100)

    assert 10 < searches[0] <= 16
    assert 4 <= len(searches) <= 7
    waits = np.diff(searches)
    assert (waits[1:] >= waits[:-1]).all()


def test_nobody_hides_legs_that_are_never_or_always_seen():
    """Searches cost time: a half body at a desk and a dancer need none."""
    assert _searches_before_legs(0, 60) == []
    assert _searches_before_legs(60, 60) == []
