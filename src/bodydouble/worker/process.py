"""How the worker's child processes behave: they end with their parent, run at low priority, and describe their end."""

import contextlib
import ctypes
import os
import signal
from pathlib import Path

NICENESS = 5  # the API and the database have priority
OUT_OF_MEMORY_SCORE = 700  # when memory runs out, the kernel kills these processes first
PR_SET_PDEATHSIG = 1
"""Option of prctl(2): a signal for this process when the thread that started it ends."""
NO_MEMORY_STATUS = 3
"""Exit status of a model runner, or of one of its ranks, that ran out of the GPU's memory."""


def configure_child_process(owner: int) -> None:
    """End with ``owner``, run at low priority, and be killed first when memory runs out."""
    end_with(owner)
    os.nice(NICENESS)
    with contextlib.suppress(OSError):  # not every container lets a process change it
        # Niceness alone lets a child that was asleep interrupt the process that sends it work: the API, within the
        # call that sends. A process of this policy interrupts nobody when it wakes up (sched(7)).
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(OUT_OF_MEMORY_SCORE))


def end_with(owner: int) -> None:
    """Have the kernel kill this process when its parent ``owner`` ends, however that happens."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != owner:  # it ended before the line above
        os._exit(1)


def end_in_words(status: int) -> str:
    """An exit status in words, as the end of a sentence."""
    if status == -signal.SIGKILL:
        return "it was killed (signal 9), which is what happens when memory runs out"
    if status == NO_MEMORY_STATUS:
        return "it ran out of memory"
    if status < 0:
        return f"it was ended by {signal.Signals(-status).name}"
    return f"it ended with status {status}"
