"""Name lookups."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""All addresses of a host, for a port. Raises OSError for an unknown name."""

LOOKUPS_MAX = 16
"""Name lookups at the same time, one thread each."""


class SystemResolver:
    """The resolver of the operating system, in its own threads.

    A lookup cannot be interrupted. Without its own threads, names whose servers never respond would block all threads
    of the process.
    """

    def __init__(self, lookups_max: int = LOOKUPS_MAX) -> None:
        self._threads = ThreadPoolExecutor(lookups_max, thread_name_prefix="resolver")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Addresses without zones (``%eth0``): no caller has a reason to name one of our interfaces."""
        found = await asyncio.get_running_loop().run_in_executor(self._threads, _lookup, host, port)
        return list(dict.fromkeys(str(entry[4][0]).split("%")[0] for entry in found))


def _lookup(host: str, port: int) -> Sequence[tuple[object, object, object, object, tuple[object, ...]]]:
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # an invalid label
        raise OSError(str(error)) from error
