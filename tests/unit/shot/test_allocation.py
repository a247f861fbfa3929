"""Memory that is kept for the next frame."""

import subprocess
import sys

FAULTS = """
import resource
import numpy as np
from bodydouble.shot.allocation import keep_freed_memory

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

if {keeps}:
    keep_freed_memory()
before = faults()
for _ in range(20):
    frames = [np.full(3_000_000, 7, np.uint8) for _ in range(4)]
    del frames
print(faults() - before)
"""


def _faults(keeps: bool) -> int:
    """Pages that twenty rounds of frames of 3 MB make the system provide, in a new process."""
    command = [sys.executable, "-c", FAULTS.format(keeps=keeps)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_frames_use_the_memory_of_those_before() -> None:
    """Only the first round's pages are new."""
    assert _faults(keeps=True) < 5000
