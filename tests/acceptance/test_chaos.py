"""Kills at random under load."""

from pathlib import Path

import pytest

from chaos import TARGETS, Chaos

pytestmark = pytest.mark.acceptance


def test_nothing_is_lost_whatever_is_killed(tmp_path: Path, inputs) -> None:
    """SIGKILL of API, worker, child and database: every task that was acknowledged ends once, and is told of once."""
    report = Chaos(tmp_path, seed=20, image=inputs.image, video=inputs.video).run(4, tasks_min=12)
    assert report.losses == []
    assert set(report.kills) == set(TARGETS)
    assert report.tasks >= 12
    assert report.outcomes["success"] + report.outcomes["cancelled"] == report.tasks
