"""Processes that ``serve`` keeps beside itself, each started again whenever it ends."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Sequence

from bodydouble.cli.terminal import err, is_interactive
from bodydouble.settings import Settings

STOP_SECONDS_MAX = 10.0
RESTART_SECONDS, RESTART_SECONDS_MAX = 1.0, 60.0
LASTING_SECONDS = 10.0
"""What ran for so long had started well: it is wanted back at once. What ends at its start would end so again."""


async def keep(
    name: str, settings: Settings, database_url: str, *arguments: str, descriptors: Sequence[int] = ()
) -> None:
    """Run ``bodydouble`` with these ``arguments``, which also gets the open file ``descriptors``, until cancelled."""
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "BODYDOUBLE_PUBLIC_URL": settings.base_url,
        "BODYDOUBLE_LOG_JSON": "1" if settings.log_json or not is_interactive() else "0",
    }
    command = [
        sys.executable,
        "-m",
        "bodydouble",
        *arguments,
        "--owner",
        str(os.getpid()),
        "--data",
        str(settings.data),
    ]
    pause = 0.0
    while True:
        began = time.monotonic()
        process = await asyncio.create_subprocess_exec(*command, env=environment, pass_fds=descriptors)
        try:
            status = await process.wait()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_SECONDS_MAX)
            except TimeoutError:
                process.kill()
            raise
        pause = next_pause(pause, time.monotonic() - began)
        err.print(f"the {name} ended with status {status}; starting it again in {pause:g} s")
        await asyncio.sleep(pause)


def next_pause(before_seconds: float, ran_seconds: float) -> float:
    """Seconds until the next start: longer each time that it ended soon after its start."""
    if ran_seconds >= LASTING_SECONDS:
        return RESTART_SECONDS
    return min(max(2 * before_seconds, RESTART_SECONDS), RESTART_SECONDS_MAX)
