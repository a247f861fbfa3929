"""The frames that the model receives, and those of its frames that are kept."""

import numpy as np
import pytest

from bodydouble.renderers.wan.timeline import mirrored_index, plan_frame_ranges


@pytest.mark.parametrize("carried", [1, 5])
@pytest.mark.parametrize("frames", [1, 2, 9, 13, 14, 21, 22, 40, 78])
def test_every_frame_is_kept_once(frames: int, carried: int) -> None:
    """Ranges follow each other without gaps. Each has an allowed length and is no longer than needed."""
    ranges = plan_frame_ranges(np.zeros(frames, np.int32), 21, carried, 13)
    kept = [i for r in ranges for i in range(r.segment.start, r.segment.stop)]
    assert kept == list(range(frames))
    for r in ranges:
        shown = r.segment.stop - r.first
        assert r.length % 4 == 1
        assert 13 <= r.length <= 21
        assert 0 <= r.length - shown < 4 or r.length == 13
    assert [r.carried for r in ranges] == [0] + [carried] * (len(ranges) - 1)


@pytest.mark.parametrize(
    ("frames", "lengths"),
    [(77, [77]), (78, [41, 41]), (100, [53, 49]), (117, [77, 41]), (118, [77, 45]), (154, [77, 41, 41]), (30, [41])],
)
def test_no_range_is_short(frames: int, lengths: list[int]) -> None:
    """The last two ranges share their frames, because the model was not trained on very short segments."""
    ranges = plan_frame_ranges(np.zeros(frames, np.int32), 77, 1)
    assert [r.length for r in ranges] == lengths


def test_nothing_is_carried_over_a_cut() -> None:
    """After a cut, the first range of the new shot has no carried frames."""
    ranges = plan_frame_ranges(np.array([0] * 20 + [1] * 6, np.int32), 13, 1, 9)
    assert [(r.first, r.segment.stop, r.carried, r.length) for r in ranges] == [
        (0, 13, 0, 13),
        (12, 20, 1, 9),
        (20, 26, 0, 9),
    ]


def test_a_short_shot_is_extended_by_mirroring() -> None:
    """Indices run forward and backward without repeating the end frames, as in the original implementation."""
    assert [mirrored_index(i, 4) for i in range(10)] == [0, 1, 2, 3, 2, 1, 0, 1, 2, 3]
    assert [mirrored_index(i, 1) for i in range(3)] == [0, 0, 0]
    for count in range(2, 9):
        expected, index, step = [], 0, 1  # the original's rule, step by step
        while len(expected) < 30:
            expected.append(index)
            index += step
            if index in (0, count - 1):
                step = -step
        assert [mirrored_index(i, count) for i in range(30)] == expected
