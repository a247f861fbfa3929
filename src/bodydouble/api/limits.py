"""How often a key may ask, and the headers that tell it (draft-ietf-httpapi-ratelimit-headers-10)."""

import math
import time
from collections.abc import Callable

from bodydouble.tasks.account import Rate
from bodydouble.tasks.errors import RateLimited

WINDOW_SECONDS = 60
KEYS_MAX = 100_000
"""Beyond so many keys those are forgotten whose bucket is full: they stand as if they had never been seen."""


class ReadLimit:
    """A bucket of requests for each key at this process; it fills evenly (generic cell rate algorithm, ITU-T I.371).

    Creates are limited where they are stored, across processes; what is counted here only has to keep one key from
    taking a process for itself.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute, self._clock = per_minute, clock
        self._step_seconds = WINDOW_SECONDS / per_minute
        self._full_at: dict[bytes, float] = {}

    def take(self, key_hash: bytes) -> Rate:
        """Count one request. Raises RateLimited."""
        now = self._clock()
        full_at = max(self._full_at.get(key_hash, now), now) + self._step_seconds
        wait = full_at - now - WINDOW_SECONDS
        if wait > 1e-9:
            raise RateLimited(
                f"Too many requests: {self._per_minute} a minute; try again in {wait:.1f} s",
                retry_seconds=wait,
                rate=self._rate(full_at - self._step_seconds - now),
            )
        self._full_at[key_hash] = full_at
        if len(self._full_at) > KEYS_MAX:
            self._full_at = {known: at for known, at in self._full_at.items() if at > now}
        return self._rate(full_at - now)

    def _rate(self, reset_seconds: float) -> Rate:
        return Rate(
            name="reads",
            maximum=self._per_minute,
            window_seconds=WINDOW_SECONDS,
            left=max(int((WINDOW_SECONDS - reset_seconds) / self._step_seconds + 1e-6), 0),
            reset_seconds=reset_seconds,
        )


def rate_headers(rate: Rate) -> list[tuple[bytes, bytes]]:
    """``RateLimit-Policy`` and ``RateLimit``, as ASGI sends them."""
    policy = f'"{rate.name}";q={rate.maximum};w={rate.window_seconds}'
    state = f'"{rate.name}";r={rate.left};t={math.ceil(rate.reset_seconds)}'
    return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", state.encode())]
