"""Processes that end with their parent."""

import os
import subprocess
import sys

import pytest

GO_ON = "import sys; from bodydouble.worker.process import end_with; end_with(int(sys.argv[1])); print('on')"


@pytest.mark.parametrize(("parent", "status", "said"), [("its own", 0, "on"), ("one that is gone", 1, "")])
def test_a_process_goes_on_under_its_owner_only(parent, status, said):
    """A process whose parent ended before it could register with the kernel ends by itself."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    owner = os.getpid() if parent == "its own" else gone.pid
    ended = subprocess.run([sys.executable, "-c", GO_ON, str(owner)], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout.strip()) == (status, said)
