"""A running service for the official SDKs of other services, with accounts of each kind and a receiver of callbacks."""

import asyncio
import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from bodydouble.bootstrap.admin_services import open_admin_services
from bodydouble.settings import Settings
from live_service import TASK_SECONDS_MAX, LiveService
from material import astronaut, carphone, landscape, write_image, write_video

FRAMES = 3
NO_KEY = "ak_" + "0" * 32


@dataclass(frozen=True, kw_only=True)
class Files:
    """Local files that the SDKs upload."""

    image: Path
    video: Path
    nobody: Path  # a video without people


@dataclass(frozen=True, kw_only=True)
class SdkService:
    """The service, and keys of its accounts."""

    live: LiveService
    files: Files
    key: str
    poor: str  # key of an account without credits
    slow: str  # key of an account that may create one task a minute

    def wait(self, task_id: str) -> dict[str, Any]:
        """The ended task, as our own API shows it."""
        return self.live.wait(task_id)


@contextmanager
def running_service() -> Iterator[LiveService]:
    """A service that may call receivers on this machine, until the end of the block."""
    live = LiveService().start(BODYDOUBLE_OUTBOUND_ALLOW="127.0.0.0/8")
    try:
        yield live
    finally:
        live.stop()
        live.remove()


def open_for_sdk(live: LiveService, name: str, folder: Path) -> SdkService:
    """The service for one module's tests: accounts named after ``name``, whose limits nobody else uses up."""
    poor, slow = asyncio.run(_more_keys(live, name))
    files = Files(
        image=write_image(folder / "astronaut.png", astronaut()),
        video=write_video(folder / "carphone.mp4", carphone(FRAMES, 216)),
        nobody=write_video(folder / "hills.mp4", landscape(FRAMES)),
    )
    return SdkService(live=live, files=files, key=live.key, poor=poor, slow=slow)


async def _more_keys(live: LiveService, name: str) -> tuple[str, str]:
    async with open_admin_services(Settings(data=live.folder), live.database_url) as admin:
        poor = await admin.accounts.open_account(f"poor-{name}")
        slow = await admin.accounts.open_account(f"slow-{name}", Decimal(1000), "for the test")
        await admin.operation.set_limits(slow.name, creates_per_minute=1, active_max=None, disabled=False)
        return (await admin.accounts.create_key(poor.id)).secret, (await admin.accounts.create_key(slow.id)).secret


@dataclass
class CallbackReceiver:
    """Keeps the callbacks that it receives."""

    calls: list[tuple[bytes, dict[str, str]]] = field(default_factory=list[tuple[bytes, dict[str, str]]])
    url: str = ""

    def first(self) -> tuple[bytes, dict[str, str]]:
        """Body and headers of the first callback, as soon as there is one."""
        deadline = time.monotonic() + TASK_SECONDS_MAX
        while not self.calls and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.calls[0]


@contextmanager
def callback_receiver() -> Iterator[CallbackReceiver]:
    """A receiver on the loopback, until the end of the block."""
    receiver = CallbackReceiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.calls.append((body, {name.lower(): value for name, value in self.headers.items()}))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
