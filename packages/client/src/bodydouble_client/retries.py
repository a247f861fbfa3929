"""Pauses between retries, and deadlines."""

import random
import time
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

BACKOFF_SECONDS_FIRST = 0.5
BACKOFF_SECONDS_MAX = 8.0
RETRY_AFTER_SECONDS_MAX = 60.0
"""If the service asks for a longer pause, the error is raised and the program decides."""


class Deadline:
    """A point in time, or none."""

    def __init__(self, seconds: float | None) -> None:
        self._end = float("inf") if seconds is None else time.monotonic() + seconds

    @property
    def remaining_seconds(self) -> float:
        """Infinite without a deadline, negative after it."""
        return self._end - time.monotonic()


def backoff_seconds(failures: int, retry_after: float | None = None) -> float:
    """The pause after ``failures`` failures in a row (1 or more).

    Doubles from half a second to 8 s. A random part, up to one half, is subtracted, so that clients that failed
    together do not retry together. ``retry_after`` is waited in full, plus a random part of up to one tenth.
    """
    if retry_after is not None:
        return retry_after * random.uniform(1.0, 1.1)  # noqa: S311 - not a secret
    whole = min(BACKOFF_SECONDS_FIRST * 2 ** (min(failures, 16) - 1), BACKOFF_SECONDS_MAX)
    return whole * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret


def parse_retry_after(value: str | None) -> float | None:
    """The header's seconds, or the seconds until its date (RFC 9110, 10.2.3); None if missing or invalid."""
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
    aware = date if date.tzinfo else date.replace(tzinfo=timezone.utc)
    return max(0.0, (aware - datetime.now(timezone.utc)).total_seconds())
