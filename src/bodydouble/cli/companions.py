"""Processes that ``serve`` keeps beside itself, each started again whenever it ends."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence

from bodydouble.cli.terminal import err, is_interactive
from bodydouble.settings import Settings

STOP_SECONDS_MAX = 10.0
RESTART_SECONDS = 1.0


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
    while True:
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
        err.print(f"the {name} ended with status {status}; starting it again")
        await asyncio.sleep(RESTART_SECONDS)
