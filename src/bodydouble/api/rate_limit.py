"""Rate limit of requests per API key, and its headers (draft-ietf-httpapi-ratelimit-headers-10)."""

import math
import time
from collections.abc import Callable

from bodydouble.tasks.account import Rate
from bodydouble.tasks.errors import RateLimited

WINDOW_SECONDS = 60
"""Period in which the number of requests is limited."""
KEYS_MAX = 100_000
"""Above this number, keys with an unused limit are dropped: they behave like keys that were never seen."""


class RequestLimiter:
    """Limits requests of each key at this process (generic cell rate algorithm, ITU-T I.371).

    The limit on creates is enforced by the database, across processes. This limit only keeps one key from occupying a
    process.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute, self._clock = per_minute, clock
        self._step_seconds = WINDOW_SECONDS / per_minute
        self._full_at: dict[bytes, float] = {}

    def take(self, key_hash: bytes) -> Rate:
        """Count one request of a key. Raises RateLimited."""
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
            self._full_at = {key: at for key, at in self._full_at.items() if at > now}
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
    """The response headers ``RateLimit-Policy`` and ``RateLimit`` in ASGI form."""
    policy = f'"{rate.name}";q={rate.maximum};w={rate.window_seconds}'
    state = f'"{rate.name}";r={rate.left};t={math.ceil(rate.reset_seconds)}'
    return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", state.encode())]
