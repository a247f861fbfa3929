"""The services that run on this machine, for commands that need the address or the data folder of one.

Every ``serve`` writes a file to the user's state folder and removes it at its end. Files of processes that were killed
are ignored and removed.
"""

import contextlib
import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs

from bodydouble.cli.data_folder import PID_FILE
from bodydouble.settings import Settings
from bodydouble.tasks.atomic_files import atomic_write


@dataclass(frozen=True, kw_only=True)
class RunningService:
    """One ``serve`` of this user on this machine."""

    pid: int
    data: str  # absolute path of its data folder
    base_url: str
    own_database: bool  # the embedded one in ``data``, not that of DATABASE_URL


@contextmanager
def register_service(settings: Settings) -> Generator[None, None, None]:
    """List this process among ``running_services`` until the end of the block."""
    service = RunningService(
        pid=os.getpid(),
        data=str(settings.data.resolve()),
        base_url=settings.base_url,
        own_database=not settings.database_url,
    )
    path = _folder() / f"{service.pid}.json"
    with contextlib.suppress(OSError):  # a read-only home: the service runs all the same
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, json.dumps(asdict(service)))
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def running_services() -> list[RunningService]:
    """The services of this user that run now, oldest process id first."""
    found: list[RunningService] = []
    for path in sorted(_folder().glob("*.json")):
        with contextlib.suppress(OSError, ValueError, TypeError):
            service = RunningService(**json.loads(path.read_text()))
            if _is_alive(service):
                found.append(service)
            else:
                path.unlink(missing_ok=True)
    return found


def service_of(data: Path) -> RunningService | None:
    """The running service with this data folder."""
    return next((service for service in running_services() if service.data == str(data.resolve())), None)


def _folder() -> Path:
    return platformdirs.user_state_path("bodydouble", appauthor=False) / "services"


def _is_alive(service: RunningService) -> bool:
    """Whether the process exists and still owns its data folder: process ids are reused."""
    try:
        os.kill(service.pid, 0)
        return (Path(service.data) / PID_FILE).read_text().strip() == str(service.pid)
    except (OSError, ValueError):
        return False
