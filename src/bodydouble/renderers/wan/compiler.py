"""Whether torch.compile can work on this machine. Imports no torch."""

import os
import shutil
import sysconfig
from pathlib import Path

COMPILERS = ("gcc", "clang")


def compile_obstacle() -> str | None:
    """What torch.compile lacks here and how to install it; None if nothing.

    Triton, which generates the GPU's code, compiles a small C extension of Python at its first use.
    """
    if not os.environ.get("CC") and not any(shutil.which(name) for name in COMPILERS):
        return "there is no C compiler; on Debian and Ubuntu: apt install gcc"
    if not Path(sysconfig.get_paths()["include"], "Python.h").is_file():
        return "Python's headers are missing; on Debian and Ubuntu: apt install python3-dev"
    return None
