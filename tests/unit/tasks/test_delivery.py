"""When a callback is tried again."""

from itertools import count

import pytest

from bodydouble.tasks.delivery import retry_delay


def test_eight_tries_take_about_a_day() -> None:
    """The waits grow, most of the tries are in the first hour, and one comes after a long outage."""
    waits = [retry_delay(tries, jitter=0.5) for tries in range(1, 9)]
    assert waits[-1] is None
    seconds = [wait for wait in waits if wait is not None]
    assert len(seconds) == 7
    assert seconds == sorted(seconds)
    assert 20 < sum(seconds) / 3600 < 26
    assert sum(seconds[:4]) < 3600 < sum(seconds[:6])


@pytest.mark.parametrize(("jitter", "share"), [(0.0, 0.8), (0.5, 1.0), (1.0, 1.2)])
def test_jitter_moves_a_wait_by_a_fifth(jitter: float, share: float) -> None:
    """Callbacks that failed together do not come back together."""
    assert retry_delay(3, jitter=jitter, first_seconds=10, factor=2) == pytest.approx(40 * share)


@pytest.mark.parametrize("tries_max", [1, 2, 5])
def test_the_number_of_tries_is_the_callers(tries_max: int) -> None:
    """The schedule comes from the arguments and ends after exactly so many tries."""
    given = next(
        n for n in count(1) if retry_delay(n, jitter=0, tries_max=tries_max, first_seconds=1, factor=1) is None
    )
    assert given == tries_max
