"""Which steps are reused, and the stored curves."""

from itertools import pairwise
from pathlib import Path

import pytest

from bodydouble.renderers.wan.step_curves import COMPUTED_SHARE, REUSED_IN_A_ROW_MAX, CurveKey, StepCurves, plan_reuse

CURVE = [1.0, 1.05, 1.02, *[0.995] * 6, *[0.98] * 5, *[0.95] * 4, 0.9, 0.8]
"""Falls slowly, then fast, as the curves published with MagCache for Wan2.1 do."""
KEY = CurveKey(profile="quality", steps=20, shift=5.0, guided=False)


@pytest.mark.parametrize("error_max", [0.01, 0.05, 0.12, 0.5])
def test_the_error_of_reused_steps_is_bounded(error_max: float) -> None:
    """Added up over each row of reused steps, the error stays below the limit, and rows are short."""
    plan = plan_reuse(CURVE, error_max)
    assert not any(plan[: round(COMPUTED_SHARE * 20)])
    assert not plan[-1]
    size, error, row = 1.0, 0.0, 0
    for reused, ratio in zip(plan, CURVE, strict=True):
        size, error, row = (size * ratio, error + abs(1 - size * ratio), row + 1) if reused else (1.0, 0.0, 0)
        assert error <= error_max
        assert row <= REUSED_IN_A_ROW_MAX


def test_a_larger_limit_reuses_more() -> None:
    """Without a limit above 0 every step is computed; about half of the steps are reused at 0.12."""
    counts = [sum(plan_reuse(CURVE, error_max)) for error_max in (0, 0.01, 0.05, 0.12)]
    assert counts[0] == 0
    assert all(fewer <= more for fewer, more in pairwise(counts))
    assert 8 <= counts[-1] <= 12


def test_curves_are_stored_per_profile_and_schedule(tmp_path: Path) -> None:
    """A stored curve is found by another process for the same profile and schedule only; damaged files are ignored."""
    StepCurves(tmp_path / "curves").store(KEY, CURVE)
    assert StepCurves(tmp_path / "curves").find(KEY) == CURVE
    other = CurveKey(profile="balanced", steps=20, shift=5.0, guided=True)
    assert StepCurves(tmp_path / "curves").find(other) is None
    for content in ("[1, 2]", "nonsense", '{"a": 1}'):
        (tmp_path / "curves" / KEY.file_name).write_text(content)
        assert StepCurves(tmp_path / "curves").find(KEY) is None


def test_a_curve_that_cannot_be_stored_stays_in_memory(tmp_path: Path) -> None:
    """Weights may be on a disk that is read only."""
    (tmp_path / "file").touch()
    curves = StepCurves(tmp_path / "file" / "curves")
    curves.store(KEY, CURVE)
    assert curves.find(KEY) == CURVE
