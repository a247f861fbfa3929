"""Fixtures shared by tests of several packages."""

import gc
import os
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings

from bodydouble.perception import ModelPack, install_pack

pytest_plugins = ["databases", "buckets", "distribution"]

# Test files run beside each other, or beside something else: threads of OpenMP that wait for each other then only spin.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# What is imported and collected lives as long as the process; until the first test no garbage is searched for in it.
gc.disable()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """Leave it out of all later searches too."""
    gc.freeze()
    gc.enable()


settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

_configure = structlog.configure


def _configure_uncached(**options: Any) -> None:
    """``structlog.configure``, whose loggers look up the configuration at each use.

    A command that a test calls configures the log of the whole process. Loggers that kept it would hide their lines
    from the ``capture_logs`` of later tests.
    """
    options["cache_logger_on_first_use"] = False
    _configure(**options)


structlog.configure = _configure_uncached


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of asynchronous tests."""
    return "asyncio"


@pytest.fixture(scope="session")
def model_pack() -> ModelPack:
    """The perception models, from the folder in BODYDOUBLE_MODELS, else from the user's cache, else downloaded."""
    folder = os.environ.get("BODYDOUBLE_MODELS")
    return install_pack(Path(folder) if folder else None)


@pytest.fixture
def disk_operations(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The syncs and renames on the disk in order, by file name."""
    done: list[tuple[str, str]] = []
    sync, rename = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        done.append(("sync", Path(f"/proc/self/fd/{descriptor}").readlink().name))
        sync(descriptor)

    def replace(path: Path, target: Any) -> Path:
        done.append(("rename", Path(target).name))
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    return done
