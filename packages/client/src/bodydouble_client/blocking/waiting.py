"""What the two kinds of client do differently: sleep, run file operations, notify. Written by hand for each."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")


def sleep(seconds: float) -> None:
    """Return after ``seconds``."""
    time.sleep(seconds)


def run_file_operation(function: Callable[[], T]) -> T:
    """The value of ``function``."""
    return function()


def notify(callback: Callable[[U], object], update: U) -> None:
    """Call ``callback`` with ``update``."""
    callback(update)
