"""How a process of the worker's behaves: it goes with its parent and gives way to the service."""

import contextlib
import ctypes
import os
import signal
from pathlib import Path

NICENESS = 5  # the API and the database go first
OUT_OF_MEMORY_SCORE = 700  # the kernel ends it before the service
PR_SET_PDEATHSIG = 1


def configure_child_process(owner: int) -> None:
    """End with ``owner``, give way to the service, and be the first to go when memory runs out."""
    end_with(owner)
    os.nice(NICENESS)
    with contextlib.suppress(OSError):  # not every container lets a process change it
        Path("/proc/self/oom_score_adj").write_text(str(OUT_OF_MEMORY_SCORE))


def end_with(owner: int) -> None:
    """For the process itself to call: it ends with ``owner``, the process that started it, however that ended."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != owner:  # it was gone before the line above: Python takes a moment to get here
        os._exit(1)


def end_in_words(status: int) -> str:
    """What an exit status means, as the end of a sentence about the process."""
    if status == -signal.SIGKILL:
        return "it was killed (signal 9), which is what happens when memory runs out"
    if status < 0:
        return f"it was ended by {signal.Signals(-status).name}"
    return f"it ended with status {status}"
