"""The differences between the two clients: sleep, run file operations, notify. Written by hand for each."""

import asyncio
import inspect
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")


async def sleep(seconds: float) -> None:
    """Return after ``seconds``."""
    await asyncio.sleep(seconds)


async def run_file_operation(function: Callable[[], T]) -> T:
    """The value of ``function``, which runs in a thread so that it does not block the event loop."""
    return await asyncio.to_thread(function)


async def notify(callback: Callable[[U], object], update: U) -> None:
    """Call ``callback`` with ``update``; await it if it is a coroutine function."""
    answer = callback(update)
    if inspect.isawaitable(answer):
        await answer
