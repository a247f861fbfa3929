"""When to try again, and how long to wait before. Knows no network."""

import random
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

BACKOFF_SECONDS_FIRST = 0.5
BACKOFF_SECONDS_MAX = 8.0
RETRY_AFTER_SECONDS_MAX = 60.0
"""A service that wants a longer silence gets it from the program: the error is raised with its ``retry_after``."""


class Deadline:
    """A point in time to be over by."""

    def __init__(self, seconds: float | None) -> None:
        self._end = float("inf") if seconds is None else time.monotonic() + seconds

    @property
    def remaining_seconds(self) -> float:
        """Infinite where there is no end, negative once it has passed."""
        return self._end - time.monotonic()


def backoff_seconds(failures: int, retry_after: float | None = None) -> float:
    """How long to wait after the ``failures``-th failure in a row, counted from 1.

    Doubles from half a second to 8 s; a random part of it, up to the half, is left away, so that clients that failed
    together do not come back together. ``retry_after`` is kept in full, with up to a tenth on top for the same reason.
    """
    if retry_after is not None:
        return retry_after * random.uniform(1.0, 1.1)  # noqa: S311 - not a secret
    whole = min(BACKOFF_SECONDS_FIRST * 2 ** (min(failures, 16) - 1), BACKOFF_SECONDS_MAX)
    return whole * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret


def parse_retry_after(value: str | None) -> float | None:
    """The header's seconds, or seconds until its date; None where there is none that makes sense."""
    if not value:
        return None
    try:
        return max(0.0, float(value)) if float(value) < float("inf") else None
    except ValueError:
        pass
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
