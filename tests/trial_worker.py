"""``bodydouble worker`` with the child of ``trial_child``: ``python trial_worker.py``, settings in the environment."""

import os
import sys
from pathlib import Path

from bodydouble.cli.serve import work
from bodydouble.settings import Settings

if __name__ == "__main__":
    script = [f"{name}={value}" for name, value in os.environ.items() if name.startswith("TRIAL_")]
    work(Settings(), child=("env", *script, sys.executable, str(Path(__file__).with_name("trial_child.py"))))
