"""What is away comes back: receivers, the database, the file store, room on the disk. Nothing renders here."""

import contextlib
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import httpx
import psutil
import psycopg
import pytest

from bodydouble.perception import ModelPack
from bodydouble.store import EmbeddedPostgres
from bodydouble_client import CallbackInfo, Client, verify_webhook
from databases import TEMPLATE, database_url, lose_database, restore_database
from live_service import API, MODEL, LiveService, free_port
from worker_harness import wait_until

pytestmark = pytest.mark.acceptance

MEMORY = Path("/dev/shm")
"""A disk of its own, quick to fill."""
DATABASE = "outages"
BELOW_BYTES = 200_000_000
"""By at most so much the free space of a full disk is below the least."""


@dataclass(frozen=True, kw_only=True)
class Installation:
    """A running service without renderers, and what it stands on."""

    service: LiveService
    database: str
    free_bytes_min: int  # with less free space, its disk counts as full


@pytest.fixture(scope="module")
def installation(postgres: EmbeddedPostgres, model_pack: ModelPack) -> Iterator[Installation]:
    """Its files lie on a disk of their own, its database is another server's, and its receivers are this machine's."""
    disk = Path(tempfile.mkdtemp(prefix="bodydouble-outages-", dir=MEMORY))
    free = shutil.disk_usage(disk).free
    free_min = free - min(256_000_000, free // 4)
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"create database {DATABASE} template {TEMPLATE} strategy file_copy")
    url = database_url(postgres, DATABASE)
    service = LiveService(disk).start(
        "--no-worker",
        "--api-processes",
        "2",
        DATABASE_URL=url,
        BODYDOUBLE_FREE_BYTES_MIN=str(free_min),
        BODYDOUBLE_OUTBOUND_ALLOW="127.0.0.0/8",
        BODYDOUBLE_CALLBACK_RETRY_SECONDS="0.2",
    )
    yield Installation(service=service, database=url, free_bytes_min=free_min)
    assert service.stop() == 0
    shutil.rmtree(disk)
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"drop database {DATABASE} with (force)")


@dataclass
class Receiver:
    """Takes callbacks at ``port`` once it is open; answers what ``statuses`` say in turn, the last one for good."""

    statuses: list[int]
    port: int = field(default_factory=free_port)
    calls: list[tuple[bytes, dict[str, str]]] = field(default_factory=list[tuple[bytes, dict[str, str]]])

    @property
    def url(self) -> str:
        """Where it is called."""
        return f"http://127.0.0.1:{self.port}/callback"

    def open(self) -> ThreadingHTTPServer:
        """From now on it answers."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version: ClassVar[str] = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.calls.append((body, {name.lower(): value for name, value in self.headers.items()}))
                self.send_response(receiver.statuses[min(len(receiver.calls), len(receiver.statuses)) - 1])
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server


def ended_task(service: LiveService, callback_url: str) -> str:
    """A task that is over at once: cancelled while it waits for a worker that nobody started."""
    inputs = {
        "img_urls": ["https://example.com/portrait.jpg"],
        "video_urls": ["https://example.com/source-video.mp4"],
    }
    order = {"model": MODEL, "callback_url": callback_url, "input": inputs}
    task = str(service.call("POST", "job/CreateTask", json=order)["data"]["task_id"])
    assert service.call("POST", "job/CancelTask", params={"task_id": task})["code"] == 200
    return task


def delivery_of(service: LiveService, task: str) -> CallbackInfo:
    """The task's only callback, as its owner sees it."""
    with Client(service.key, service.url) as client:
        (delivery,) = client.account.callbacks(task)
    return delivery


def test_a_receiver_that_was_down_is_told_later(installation: Installation) -> None:
    """While nobody listens the tries are logged; then each call has the same id and a good signature, up to the 2xx."""
    service, receiver = installation.service, Receiver([503, 204])
    with Client(service.key, service.url) as client:
        secret = client.account.webhook_secret()
    task = ended_task(service, receiver.url)
    wait_until(lambda: delivery_of(service, task).tries >= 1)
    assert delivery_of(service, task).status == "pending"
    server = receiver.open()
    try:
        delivery = wait_until(lambda: (found := delivery_of(service, task)).status == "delivered" and found)
    finally:
        server.shutdown()
        server.server_close()
    assert [call[1]["webhook-id"] for call in receiver.calls] == [delivery.id] * 2
    for body, headers in receiver.calls:
        data = verify_webhook(body, headers, secret)
        assert (data.id, data.status, data.result_code) == (task, "failed", 499)
    statuses = [entry.http_status for entry in delivery.log]
    assert statuses[0] is None
    assert statuses[-2:] == [503, 204]


def test_a_receiver_that_is_gone_is_not_called_again(installation: Installation) -> None:
    """410 ends a callback: while another one is tried twice, and told, this one is not tried again."""
    service, gone, other = installation.service, Receiver([410]), Receiver([500, 500, 204])
    servers = [gone.open(), other.open()]
    try:
        tasks = [ended_task(service, receiver.url) for receiver in (gone, other)]
        wait_until(lambda: delivery_of(service, tasks[1]).status == "delivered")
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
    assert delivery_of(service, tasks[0]).status == "gone"
    assert (len(gone.calls), len(other.calls)) == (1, 3)


def api_processes(service: LiveService) -> set[int]:
    """Those beside the first one."""
    found: set[int] = set()
    for child in psutil.Process(service.process.pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):  # killed, and its end not looked at yet
            if "api" in child.cmdline()[1:5]:
                found.add(child.pid)
    return found


def test_a_process_of_the_api_that_is_killed_is_started_again(installation: Installation) -> None:
    """The others answer meanwhile; the metrics know the pool of every process: two of the API, and the worker."""
    service = installation.service
    (killed,) = wait_until(lambda: api_processes(service))
    psutil.Process(killed).kill()
    for _ in range(20):
        assert service.balance() > 0
    wait_until(lambda: api_processes(service) - {killed})

    def complete_metrics() -> str | None:
        """The metrics, once they cover three processes. Pools are counted in the same answer: reports expire."""
        text = httpx.get(f"{service.url}/metrics", timeout=60).text
        processes = re.findall(r'bodydouble_process_memory_peak_bytes\{process="[^"]+",role="(?:api|worker)"', text)
        pools = text.count('bodydouble_database_connections{process="')
        return text if len(processes) >= 3 and pools == 3 * len(processes) else None

    assert 'role="worker"' in wait_until(complete_metrics)


def readiness(service: LiveService) -> tuple[int, dict[str, str]]:
    """Status and checks of /readyz."""
    answer = httpx.get(f"{service.url}/readyz", timeout=60)
    return answer.status_code, answer.json()["checks"]


def is_ready(service: LiveService) -> bool:
    """Whether it says that it can do its work."""
    return readiness(service) == (200, {"database": "ok", "files": "ok", "models": "ok"})


def put(service: LiveService) -> int:
    """The status of an upload."""
    params = {"content_type": "image/png", "ext": ".png"}
    place = service.call("GET", "files/upload-url", params=params)["data"]["presigned_url"]
    return httpx.put(place, content=b"x" * 1000, headers={"content-type": "image/png"}, timeout=60).status_code


def test_a_lost_database_is_said_and_recovered_from(installation: Installation, postgres: EmbeddedPostgres) -> None:
    """While it lets nobody in /readyz names it and requests are 500 with a Retry-After; then all goes on."""
    service = installation.service
    wait_until(lambda: is_ready(service))
    lose_database(postgres, installation.database)
    try:
        status, checks = readiness(service)
        assert (status, checks["files"]) == (503, "ok")
        assert "database" in checks["database"]
        answer = httpx.get(f"{service.url}{API}account/balance", headers={"x-api-key": service.key}, timeout=60)
        assert (answer.status_code, answer.json()["code"]) == (500, 500)
        assert int(answer.headers["retry-after"]) > 0
    finally:
        restore_database(postgres, installation.database)
    wait_until(lambda: is_ready(service))
    assert service.balance() > 0


def test_a_lost_file_store_is_said_and_recovered_from(installation: Installation) -> None:
    """Where the folder is gone /readyz names it and takes nothing, and makes no empty one; then all goes on."""
    service = installation.service
    wait_until(lambda: is_ready(service))
    files = service.folder / "files"
    files.rename(service.folder / "unplugged")
    try:
        status, checks = readiness(service)
        assert (status, checks["database"]) == (503, "ok")
        assert str(files) in checks["files"]
        assert put(service) == 500
        assert not files.exists()
    finally:
        (service.folder / "unplugged").rename(files)
    wait_until(lambda: is_ready(service))
    assert put(service) == 200


def test_a_full_disk_is_said_and_recovered_from(installation: Installation) -> None:
    """Before the last room is taken /readyz says so, uploads are 507, reads are answered; then all goes on."""
    service = installation.service
    wait_until(lambda: is_ready(service))
    hog = service.folder / "hog"
    with hog.open("wb") as stream:
        above = shutil.disk_usage(service.folder).free - installation.free_bytes_min  # other processes use it too
        os.posix_fallocate(stream.fileno(), 0, above + min(BELOW_BYTES, installation.free_bytes_min // 4))
    try:
        status, checks = readiness(service)
        assert (status, checks["database"]) == (503, "ok")
        assert "free" in checks["files"]
        assert "full" in checks["files"]
        assert put(service) == 507
        assert service.balance() > 0
    finally:
        hog.unlink()
    wait_until(lambda: is_ready(service))
    assert put(service) == 200
