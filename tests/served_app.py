"""The application behind a real socket, for clients that bring their own connections."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Generator, Iterator
from decimal import Decimal
from pathlib import Path

import uvicorn

from bodydouble.bootstrap.admin_services import open_admin_services
from bodydouble.bootstrap.application import build_app
from bodydouble.settings import Settings

START_SECONDS_MAX = 300


class _Server(uvicorn.Server):
    """A server that does not handle signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@contextlib.contextmanager
def served_app(folder: Path, database: str) -> Iterator[tuple[str, str]]:
    """The address of the service over ``database``, without limits on rates, and a key. No worker runs."""
    settings = Settings(data=folder / "data", models=folder, reads_per_minute=1_000_000, creates_per_minute=1_000_000)
    app = build_app(settings, database)
    server = _Server(uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + START_SECONDS_MAX
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", asyncio.run(_make_key(settings, database))
    finally:
        server.should_exit = True
        thread.join()


async def _make_key(settings: Settings, database: str) -> str:
    """Its own connections: those of the service belong to the service's thread."""
    async with open_admin_services(settings, database) as admin:
        account = await admin.accounts.open_account("tester", Decimal(10_000), "for the test")
        return (await admin.accounts.create_key(account.id)).secret
