"""``bodydouble serve`` as a real process, and client calls to it."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import psutil

from bodydouble.store import EmbeddedPostgres

MODEL = "wan/2-2-animate-replace"
LISTENS = "bodydouble listens on "
KEY = "first key: "
SIGN_IN = "open in a browser, works once: "
API = "/api/v1/client/"
PLAIN_HTTP = False
"""For ``verify`` of httpx: reading the certificates takes tens of milliseconds a call, and nothing here is HTTPS."""
TYPES = {".png": "image/png", ".mp4": "video/mp4"}
TASK_SECONDS_MAX = 600
STOP_SECONDS_MAX = 300
"""Bounds what hangs; a busy machine is no failure."""
PORT_MIN, PORTS = 20_000, 12_000
"""Below the ports that Linux gives to outgoing connections, which start at 32768."""
PERCEIVING, RENDERING = "shot.json", "plan.json"
"""Paths in a task's workspace that show that its child process has begun a stage."""


def free_port() -> int:
    """A free port of the loopback, which no connection of another process takes before or between two uses."""
    while True:
        port = PORT_MIN + secrets.randbelow(PORTS)  # each process of the tests has the same seed of ``random``
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class LiveService:
    """A service with one data folder and port, which a test can start, kill and restart."""

    def __init__(self, disk: Path | None = None, python: str = sys.executable) -> None:
        """``disk``: parent of its data folder (default: the folder for temporary files). ``python``: see ``start``."""
        # Not pytest's folder, which only its owner can enter: the database has an owner of its own where we are root.
        self.folder, self.port = Path(tempfile.mkdtemp(prefix="bodydouble-live-", dir=disk)), free_port()
        self.folder.chmod(0o711)
        self.python = python
        self.scheme = "http"
        self.key = ""
        self.sign_in = ""
        self.lines: list[str] = []

    @property
    def url(self) -> str:
        """Its URL."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def database_url(self) -> str:
        """Connection string of its embedded database, for other processes on this machine."""
        return EmbeddedPostgres(self.folder / "postgres").url

    def start(self, *arguments: str, **settings: str) -> "LiveService":
        """Start ``python``'s bodydouble and wait until it listens.

        ``arguments`` go to ``serve``; ``settings`` are environment variables.
        """
        environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"} | settings
        with (self.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.python, "-m", "bodydouble", "serve", "--data", str(self.folder), "--port", str(self.port)]
                + list(arguments),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environment,
                start_new_session=True,
            )
        assert self.process.stdout is not None
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line.strip())
            if line.startswith(LISTENS):
                self.scheme = line.removeprefix(LISTENS).split(":")[0]
            if line.startswith(KEY):
                self.key = line.removeprefix(KEY).strip()
            if line.startswith(SIGN_IN):
                self.sign_in = line.removeprefix(SIGN_IN).strip()
            if line.startswith("data: "):
                break
        assert any(line.startswith(LISTENS) for line in self.lines), (self.folder / "serve.log").read_text()
        return self

    def stop(self) -> int:
        """Stop it as an operator does. Returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self._ended()

    def remove(self) -> None:
        """Remove its data folder after it has ended."""
        shutil.rmtree(self.folder)

    def kill(self) -> None:
        """Send SIGKILL to all its processes, including the database."""
        processes = psutil.Process(self.process.pid).children(recursive=True)  # workers have sessions of their own
        os.killpg(self.process.pid, signal.SIGKILL)
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._ended()

    def _ended(self) -> int:
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.wait(STOP_SECONDS_MAX)

    def child(self) -> psutil.Process | None:
        """The worker's child process, or None."""
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                if "bodydouble.worker.child" in process.cmdline():
                    return process
            except psutil.NoSuchProcess:
                continue
        return None

    def hold(self, task_id: str, sign: str) -> psutil.Process:
        """The task's child process, stopped once ``sign`` exists in the workspace. ``task_id`` may be ``*``.

        Until then the child runs in short intervals, so that it cannot run past that place on any machine.
        """
        work, deadline = self.folder / "work", time.monotonic() + TASK_SECONDS_MAX
        child: psutil.Process | None = None
        while time.monotonic() < deadline:
            child = child or self.child()
            try:
                if child is not None:
                    child.suspend()
                    if found := next(work.glob(f"{task_id}/{sign}"), None):
                        assert not found.with_name("result.mp4").exists()
                        return child
                    child.resume()
            except psutil.NoSuchProcess:
                child = None
            time.sleep(0.02)
        raise AssertionError(f"it never came to {sign}\n{(self.folder / 'serve.log').read_text()[-3000:]}")

    def call(self, method: str, path: str, **arguments: Any) -> Any:
        """The envelope of an answer."""
        headers = {"x-api-key": self.key}
        return httpx.request(
            method, self.url + API + path, headers=headers, timeout=120, verify=PLAIN_HTTP, **arguments
        ).json()

    def balance(self) -> float:
        """The balance of the first key's account."""
        return float(self.call("GET", "account/balance")["data"]["balance"])

    def upload(self, path: Path) -> str:
        """Upload a file through upload-url. Returns its URL."""
        kind = TYPES[path.suffix]
        place = self.call("GET", "files/upload-url", params={"content_type": kind, "ext": path.suffix})["data"]
        put = httpx.put(
            place["presigned_url"],
            content=path.read_bytes(),
            headers={"content-type": kind},
            timeout=120,
            verify=PLAIN_HTTP,
        )
        assert put.is_success, put.text
        return str(place["file_url"])

    def create(self, image_url: str, video_url: str) -> Any:
        """The envelope of CreateTask."""
        body = {"img_urls": [image_url], "video_urls": [video_url], "resolution": "480P"}
        return self.call("POST", "job/CreateTask", json={"model": MODEL, "input": body})

    def task(self, task_id: str) -> dict[str, Any]:
        """The data of TaskInfo."""
        data: dict[str, Any] = self.call("GET", "job/TaskInfo", params={"task_id": task_id})["data"]
        return data

    def wait(self, task_id: str) -> dict[str, Any]:
        """The task's data after it has ended, by polling."""
        deadline = time.monotonic() + TASK_SECONDS_MAX
        while time.monotonic() < deadline:
            task = self.task(task_id)
            if task["status"] in ("success", "failed"):
                return task
            time.sleep(0.2)
        raise AssertionError(f"not over: {json.dumps(task)}\n{(self.folder / 'serve.log').read_text()[-3000:]}")  # pyright: ignore[reportPossiblyUnboundVariable]
