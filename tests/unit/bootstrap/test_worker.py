"""The parts of a worker, as an installation's settings configure them."""

from bodydouble.bootstrap.worker import input_limits
from bodydouble.outbound import RequestLimits
from bodydouble.settings import Settings


def test_slow_inputs_are_refused() -> None:
    """A download occupies a slot for rendering, so its minimum rate is far above that of other requests."""
    limits = input_limits(Settings())
    assert limits.bytes_per_second_min == 50_000
    assert limits.bytes_per_second_min > RequestLimits().bytes_per_second_min
    assert limits.stall_seconds_max <= 10
