"""How this process allocates memory for frames."""

import ctypes
from functools import cache

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Numbers of glibc's options, from ``malloc.h``."""
ARRAY_BYTES_MAX = 32 << 20
"""Arrays of up to this size come from memory that was used before. glibc allows no more."""
FREE_BYTES_MAX = 128 << 20
"""Free memory at the heap's end that is not returned to the system."""


@cache
def keep_freed_memory() -> None:
    """Let freed arrays serve the next frame, instead of returning their memory and zeroing new pages for each.

    The system's share of a shot's processor time falls by half. Does nothing where the C library is not glibc.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, ARRAY_BYTES_MAX)
        mallopt(M_TRIM_THRESHOLD, FREE_BYTES_MAX)
