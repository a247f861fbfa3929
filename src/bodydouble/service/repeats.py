"""Requests that a client repeats because the response was lost, without a name of its own for them.

Such a request gets a name derived from its content. The name is forgotten as soon as the client shows that it has the
response: it reads the task, or is called back. From then on the same content creates another task.
"""

import hashlib
import time
from collections.abc import Callable

UNNAMED = "unread:"
"""Prefix of the idempotency keys of such requests; the SQL function ``settle`` knows it too."""
PERIOD_SECONDS = 3600
"""The name changes this often, so that the result of a client that has gone is not given to one that comes tomorrow."""
REPEAT_SECONDS = 600
"""Clients repeat a lost request within this time. So long after a new name, the former one is looked up too."""


def name_request(*parts: bytes, clock: Callable[[], float] = time.time) -> str:
    """An idempotency key for a request of this content."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return f"{UNNAMED}{int(clock() // PERIOD_SECONDS)}:{digest.hexdigest()[:40]}"


def former_name(name: str, clock: Callable[[], float] = time.time) -> str | None:
    """The name that the request had in the period before, while clients may still repeat requests of that time.

    None for a name that the client gave, or later.
    """
    if not name.startswith(UNNAMED):
        return None
    period, _, digest = name.removeprefix(UNNAMED).partition(":")
    if clock() - int(period) * PERIOD_SECONDS > REPEAT_SECONDS:
        return None
    return f"{UNNAMED}{int(period) - 1}:{digest}"
