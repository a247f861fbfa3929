"""Imports of many modules at once, in less time."""

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def heavy_imports() -> Generator[None, None, None]:
    """Import without searches for cyclic garbage, and leave what was imported out of all later ones.

    Modules live as long as the process. Python would search them again and again while they grow: a seventh of the
    processor time of a start.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
