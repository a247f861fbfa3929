"""Processes beside ``serve``."""

import itertools

from bodydouble.cli.companions import LASTING_SECONDS, RESTART_SECONDS, RESTART_SECONDS_MAX, next_pause


def test_what_ends_at_its_start_is_started_less_and_less_often() -> None:
    """Each time after twice as long, up to a bound; after a good run at once again."""
    pauses, pause = [], 0.0
    for _ in range(9):
        pause = next_pause(pause, 0.5)
        pauses.append(pause)
    assert pauses[0] == RESTART_SECONDS
    assert all(later in (2 * before, RESTART_SECONDS_MAX) for before, later in itertools.pairwise(pauses))
    assert pauses[-1] == RESTART_SECONDS_MAX
    assert next_pause(pauses[-1], LASTING_SECONDS) == RESTART_SECONDS
