"""Whose data folder it is while ``serve`` runs."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from bodydouble.cli.terminal import fail

MARK = "serve.pid"


@contextmanager
def held(folder: Path) -> Generator[None, None, None]:
    """The folder is this process's until the end of the block; the kernel gives it free with a process that is killed.

    Only ``serve`` holds it: other commands share its database. Ends the command where another ``serve`` does.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        mark = (folder / MARK).open("a+")
    except OSError as error:
        fail(f"--data: {folder} cannot be used: {error.strerror}")
    with mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            mark.seek(0)
            pid = mark.read().strip()
            fail(
                f"--data: {folder} is in use by another `serve`, pid {pid}; end that one, or choose another folder. "
                "More processes for the same data: `serve --api-processes`."
            )
        mark.truncate(0)
        mark.write(f"{os.getpid()}\n")
        mark.flush()
        yield
