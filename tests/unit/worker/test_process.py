"""Processes that end with their parent."""

import os
import subprocess
import sys

import pytest

BATCH = (
    "import os, sys; from bodydouble.worker.process import configure_child_process;"
    "configure_child_process(int(sys.argv[1])); print(os.sched_getscheduler(0) == os.SCHED_BATCH, os.nice(0) > 0)"
)
GO_ON = "import sys; from bodydouble.worker.process import end_with; end_with(int(sys.argv[1])); print('on')"


@pytest.mark.parametrize(("parent", "status", "said"), [("its own", 0, "on"), ("one that is gone", 1, "")])
def test_a_process_goes_on_under_its_owner_only(parent, status, said):
    """A process whose parent ended before it could register with the kernel ends by itself."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    owner = os.getpid() if parent == "its own" else gone.pid
    ended = subprocess.run([sys.executable, "-c", GO_ON, str(owner)], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout.strip()) == (status, said)


def test_a_child_process_interrupts_nobody() -> None:
    """It computes in the background: it has a low priority, and waking up takes no processor from another process."""
    ended = subprocess.run([sys.executable, "-c", BATCH, str(os.getpid())], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["True", "True"]
