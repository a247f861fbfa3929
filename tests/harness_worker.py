"""``bodydouble worker`` with the child of ``harness_child``; settings come from the environment."""

import os
import sys
from pathlib import Path
from typing import NoReturn

from bodydouble.cli.serve import work
from bodydouble.settings import Settings


def main() -> NoReturn:
    """Run it, until it is told to stop."""
    script = [f"{name}={value}" for name, value in os.environ.items() if name.startswith("HARNESS_")]
    work(Settings(), child=("env", *script, sys.executable, str(Path(__file__).with_name("harness_child.py"))))


if __name__ == "__main__":
    main()
