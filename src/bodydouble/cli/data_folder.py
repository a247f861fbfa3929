"""Exclusive use of a folder by one command."""

import fcntl
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from bodydouble.cli.terminal import fail

PID_FILE = "serve.pid"


@contextmanager
def locked(folder: Path) -> Generator[None, None, None]:
    """Lock a data folder until the end of the block.

    Only ``serve`` takes this lock: other commands share its database. Ends the command if another ``serve`` holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(f"--data: {folder} cannot be used: {error.strerror}")

    def in_use(pid: str) -> str:
        return (
            f"--data: {folder} is in use by another `serve`, pid {pid}; stop it, or choose another folder. "
            "More API processes for the same data: `serve --api-processes`."
        )

    with locked_pid_file(folder / PID_FILE, in_use):
        yield


@contextmanager
def locked_pid_file(path: Path, in_use: Callable[[str], str]) -> Generator[None, None, None]:
    """Lock the file ``path``, which contains this process's id, until the end of the block.

    The kernel releases the lock of a killed process. Ends the command with the message ``in_use(pid)`` if the process
    ``pid`` holds the lock.
    """
    try:
        pid_file = path.open("a+")
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror}")
    with pid_file:
        try:
            fcntl.flock(pid_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid_file.seek(0)
            fail(in_use(pid_file.read().strip()))
        pid_file.truncate(0)
        pid_file.write(f"{os.getpid()}\n")
        pid_file.flush()
        yield
