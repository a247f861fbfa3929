"""An installation at work or asleep, for the commands of its operator."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from bodydouble.bootstrap.admin_services import AdminServices, open_admin_services
from bodydouble.bootstrap.logs import configure_logging
from bodydouble.bootstrap.stores import open_database
from bodydouble.cli.terminal import EXIT_USAGE, fail, load_settings

T = TypeVar("T")
Use = Callable[[AdminServices], Awaitable[T]]


def operate(data: Path | None, use: Use[T], *, make: bool = False) -> T:
    """What ``use`` answers.

    The database is the one of DATABASE_URL or the data folder's own: attached to while ``serve`` runs, else started
    for as long as it takes. Without ``make`` an empty folder is an error, not the start of an installation.
    """
    settings = load_settings(data=data)
    if not make and not settings.database_url and not (settings.data / "postgres").exists():
        fail(
            f"there is no installation in {settings.data.resolve()}; name its folder with --data, or set DATABASE_URL",
            EXIT_USAGE,
        )
    configure_logging(as_json=settings.log_json)

    async def run(database_url: str) -> T:
        async with open_admin_services(settings, database_url) as admin:
            return await use(admin)

    with open_database(settings, under_others=False) as database_url:
        return asyncio.run(run(database_url))
