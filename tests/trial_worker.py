"""``bodydouble worker`` with the child of ``trial_child``: ``python trial_worker.py``, settings in the environment."""

import sys
from pathlib import Path

from bodydouble.cli.serve import work
from bodydouble.settings import Settings

if __name__ == "__main__":
    work(Settings(), child=(sys.executable, str(Path(__file__).with_name("trial_child.py"))))
