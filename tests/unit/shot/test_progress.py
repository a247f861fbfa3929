"""Tests of the progress fraction over all stages."""

import pytest

from bodydouble.shot import ShotProgress
from bodydouble.shot.progress import ProgressMeter
from bodydouble.tasks.stages import Stage

SHARES = {Stage.PROBE: 0.1, Stage.PERCEIVE: 0.2, Stage.PREPARE: 0.1, Stage.RENDER: 0.5, Stage.MUX: 0.1}


def test_a_fraction_is_made_of_the_renderers_shares() -> None:
    """The fraction is the shares of earlier stages plus the completed part of the current one."""
    heard: list[ShotProgress] = []
    ProgressMeter(heard.append, SHARES).report(Stage.RENDER, 0.5)
    assert heard[0].fraction == pytest.approx(0.1 + 0.2 + 0.1 + 0.25)


def test_a_stage_that_starts_again_does_not_take_progress_back() -> None:
    """The fraction does not decrease when an earlier stage reports again."""
    heard: list[ShotProgress] = []
    meter = ProgressMeter(heard.append, SHARES)
    meter.report(Stage.RENDER, 0.5, 1, 4)
    meter.report(Stage.PERCEIVE, 0.1)
    meter.report(Stage.RENDER, 0.6, 2, 4)
    assert heard[0].fraction == heard[1].fraction < heard[2].fraction
    assert (heard[2].stage, heard[2].segment, heard[2].segments) == ("render", 2, 4)
