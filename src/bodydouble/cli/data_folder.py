"""Exclusive use of a data folder by one ``serve``."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from bodydouble.cli.terminal import fail

PID_FILE = "serve.pid"


@contextmanager
def locked(folder: Path) -> Generator[None, None, None]:
    """Lock the folder until the end of the block; the kernel releases the lock of a killed process.

    Only ``serve`` takes this lock: other commands share its database. Ends the command if another ``serve`` holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        pid_file = (folder / PID_FILE).open("a+")
    except OSError as error:
        fail(f"--data: {folder} cannot be used: {error.strerror}")
    with pid_file:
        try:
            fcntl.flock(pid_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid_file.seek(0)
            pid = pid_file.read().strip()
            fail(
                f"--data: {folder} is in use by another `serve`, pid {pid}; stop it, or choose another folder. "
                "More API processes for the same data: `serve --api-processes`."
            )
        pid_file.truncate(0)
        pid_file.write(f"{os.getpid()}\n")
        pid_file.flush()
        yield
