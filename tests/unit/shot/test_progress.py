"""One fraction over all stages."""

import pytest

from bodydouble.shot import ShotProgress
from bodydouble.shot.progress import SHARES, ProgressMeter
from bodydouble.tasks.stages import Stage


def test_the_shares_make_a_whole() -> None:
    """The stages' shares add up to one."""
    assert sum(SHARES.values()) == pytest.approx(1)


def test_a_stage_that_starts_again_does_not_take_progress_back() -> None:
    """The fraction stays where it was while an earlier stage reports again."""
    heard: list[ShotProgress] = []
    meter = ProgressMeter(heard.append)
    meter.report(Stage.RENDER, 0.5, 1, 4)
    meter.report(Stage.PERCEIVE, 0.1)
    meter.report(Stage.RENDER, 0.6, 2, 4)
    assert heard[0].fraction == heard[1].fraction < heard[2].fraction
    assert (heard[2].stage, heard[2].segment, heard[2].segments) == ("render", 2, 4)
