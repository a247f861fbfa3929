"""Find the installation that an operator's command works on, and open its services."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NoReturn, TypeVar

from bodydouble.bootstrap.admin_services import AdminServices, open_admin_services
from bodydouble.bootstrap.logs import configure_logging
from bodydouble.bootstrap.stores import open_database
from bodydouble.cli.running_services import running_services
from bodydouble.cli.settings import load_settings
from bodydouble.cli.terminal import EXIT_USAGE, err, fail
from bodydouble.settings import Settings

T = TypeVar("T")
Operation = Callable[[AdminServices], Awaitable[T]]


def operate(data: Path | None, operation: Operation[T]) -> T:
    """The value of ``operation`` in the installation that ``find_installation`` finds."""
    return run_operation(find_installation(data), operation)


def run_operation(settings: Settings, operation: Operation[T]) -> T:
    """The value of ``operation``, called with the services of the installation of ``settings``.

    Uses the database of DATABASE_URL or the data folder's own one. The latter is shared with a running ``serve``, or
    started for the duration of the command.
    """
    configure_logging(as_json=settings.log_json)

    async def run(database_url: str) -> T:
        async with open_admin_services(settings, database_url) as admin:
            return await operation(admin)

    with open_database(settings, under_others=False) as database_url:
        return asyncio.run(run(database_url))


def find_installation(data: Path | None) -> Settings:
    """Settings of an existing installation; ``data`` is the value of --data.

    Looks at DATABASE_URL, then at the data folder of --data or of the settings. If neither was chosen and the default
    folder has no installation, uses the only service that runs on this machine. Ends the command if there is none.
    """
    settings = load_settings(data=data)
    if settings.database_url or has_installation(settings.data):
        return settings
    folder = settings.data.resolve()
    places = f"looked in {folder} (--data, BODYDOUBLE_DATA), and DATABASE_URL is not set"
    if "data" in settings.model_fields_set:
        _fail_not_found(places)
    services = running_services()
    if len(services) == 1 and services[0].own_database:
        err.print(f"Using the running service's data folder {services[0].data}", markup=False)
        return load_settings(data=Path(services[0].data))
    if not services:
        _fail_not_found(f"{places}; no `serve` runs on this machine")
    named = ", ".join(service.data + ("" if service.own_database else " (with DATABASE_URL)") for service in services)
    return _fail_not_found(f"{places}; running services: {named}")


def has_installation(data: Path) -> bool:
    """Whether the folder contains an embedded database."""
    return (data / "postgres").exists()


def _fail_not_found(places: str) -> NoReturn:
    fail(
        f"no installation found: {places}. Name its folder with --data, or create one with `bodydouble init` or "
        "`bodydouble serve`.",
        EXIT_USAGE,
    )
