"""Processes that ``serve`` starts, such as the worker; each is restarted when it ends."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Sequence

from bodydouble.cli.terminal import err, is_interactive
from bodydouble.settings import Settings

STOP_SECONDS_MAX = 10.0
"""Time for a process to end after SIGTERM, before it is killed."""
RESTART_SECONDS, RESTART_SECONDS_MAX = 1.0, 60.0
STABLE_SECONDS = 10.0
"""A process that ran this long had started properly: its restart does not wait longer than the one before."""


async def keep_running(
    name: str, settings: Settings, database_url: str, *arguments: str, descriptors: Sequence[int] = ()
) -> None:
    """Run ``bodydouble`` with these ``arguments`` until cancelled, and restart it when it ends.

    The process inherits the open file ``descriptors``. It has a session of its own: Ctrl-C reaches only ``serve``,
    which then stops its processes in order.
    """
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "BODYDOUBLE_PUBLIC_URL": settings.base_url,
        "BODYDOUBLE_ALLOWED_HOSTS": ",".join(settings.link_hosts),
        "BODYDOUBLE_LOG_JSON": "1" if settings.log_json or not is_interactive() else "0",
    }
    if settings.tls_cert and settings.tls_key:
        certificate = {"BODYDOUBLE_TLS_CERT": settings.tls_cert, "BODYDOUBLE_TLS_KEY": settings.tls_key}
        environment |= {name: str(path.resolve()) for name, path in certificate.items()}
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
        start = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, pass_fds=descriptors, start_new_session=True
        )
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
        pause = next_pause_seconds(pause, time.monotonic() - start)
        err.print(f"the {name} ended with status {status}; restarting it in {pause:g} s", markup=False)
        await asyncio.sleep(pause)


def next_pause_seconds(last_pause_seconds: float, run_seconds: float) -> float:
    """The pause before a restart: doubles after each run that was shorter than ``STABLE_SECONDS``."""
    if run_seconds >= STABLE_SECONDS:
        return RESTART_SECONDS
    return min(max(2 * last_pause_seconds, RESTART_SECONDS), RESTART_SECONDS_MAX)
