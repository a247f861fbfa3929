"""``bodydouble serve`` as a real process, and the calls that a client makes to it."""

import contextlib
import json
import os
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
TYPES = {".png": "image/png", ".mp4": "video/mp4"}
TASK_SECONDS_MAX = 600
PERCEIVING, RENDERING = "shot.json", "plan.json"
"""What the workspace of a task has once its child has begun with that."""


def free_port() -> int:
    """A port of the loopback that nobody uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class LiveService:
    """One data folder and port; started, killed and started again as often as a test likes."""

    def __init__(self, disk: Path | None = None) -> None:
        """``disk`` holds its folder, where that should not be with other temporary ones."""
        # Not pytest's folder, which only its owner can enter: the database has an owner of its own where we are root.
        self.folder, self.port = Path(tempfile.mkdtemp(prefix="bodydouble-live-", dir=disk)), free_port()
        self.folder.chmod(0o711)
        self.key = ""
        self.sign_in = ""
        self.lines: list[str] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def database_url(self) -> str:
        """Of its embedded database, for other processes of this machine."""
        return EmbeddedPostgres(self.folder / "postgres").url

    def start(self, *arguments: str, **settings: str) -> "LiveService":
        """Wait until it says that it listens. ``arguments`` are further ones of ``serve``, ``settings`` environment."""
        environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"} | settings
        with (self.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bodydouble", "serve", "--data", str(self.folder), "--port", str(self.port)]
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
            if line.startswith(KEY):
                self.key = line.removeprefix(KEY).strip()
            if line.startswith(SIGN_IN):
                self.sign_in = line.removeprefix(SIGN_IN).strip()
            if line.startswith("data: "):
                break
        assert any(line.startswith(LISTENS) for line in self.lines), (self.folder / "serve.log").read_text()
        return self

    def stop(self) -> int:
        """End it as an operator does; answers the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self._ended()

    def remove(self) -> None:
        """Its folder, once it has ended."""
        shutil.rmtree(self.folder)

    def kill(self) -> None:
        """SIGKILL to every process of it, the database included."""
        processes = psutil.Process(self.process.pid).children(recursive=True)  # workers have sessions of their own
        os.killpg(self.process.pid, signal.SIGKILL)
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._ended()

    def _ended(self) -> int:
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.wait(30)

    def child(self) -> psutil.Process | None:
        """The worker's child, where there is one."""
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                if "bodydouble.worker.child" in process.cmdline():
                    return process
            except psutil.NoSuchProcess:
                continue
        return None

    def hold(self, task_id: str, sign: str) -> psutil.Process:
        """Stop the child that works for the task once ``sign`` is in its workspace; answers the stopped child.

        Until then it goes in short strides, so that no machine is so quick, or so busy, that it is past the place.
        """
        workspace, deadline = self.folder / "work" / task_id, time.monotonic() + TASK_SECONDS_MAX
        while time.monotonic() < deadline:
            if (child := self.child()) is not None:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.suspend()
                    if (workspace / sign).exists():
                        assert not (workspace / "result.mp4").exists()
                        return child
                    child.resume()
            time.sleep(0.02)
        raise AssertionError(f"it never came to {sign}\n{(self.folder / 'serve.log').read_text()[-3000:]}")

    def call(self, method: str, path: str, **arguments: Any) -> Any:
        """An answer's envelope."""
        headers = {"x-api-key": self.key}
        return httpx.request(method, self.url + API + path, headers=headers, timeout=120, **arguments).json()

    def balance(self) -> float:
        """Of the first key's account."""
        return float(self.call("GET", "account/balance")["data"]["balance"])

    def upload(self, path: Path) -> str:
        """Through upload-url; answers the file's URL."""
        kind = TYPES[path.suffix]
        place = self.call("GET", "files/upload-url", params={"content_type": kind, "ext": path.suffix})["data"]
        put = httpx.put(place["presigned_url"], content=path.read_bytes(), headers={"content-type": kind}, timeout=120)
        assert put.is_success, put.text
        return str(place["file_url"])

    def create(self, image_url: str, video_url: str) -> Any:
        """CreateTask's envelope."""
        body = {"img_urls": [image_url], "video_urls": [video_url], "resolution": "480P"}
        return self.call("POST", "job/CreateTask", json={"model": MODEL, "input": body})

    def task(self, task_id: str) -> dict[str, Any]:
        """TaskInfo's data."""
        data: dict[str, Any] = self.call("GET", "job/TaskInfo", params={"task_id": task_id})["data"]
        return data

    def wait(self, task_id: str) -> dict[str, Any]:
        """Poll until the task is over."""
        deadline = time.monotonic() + TASK_SECONDS_MAX
        while time.monotonic() < deadline:
            task = self.task(task_id)
            if task["status"] in ("success", "failed"):
                return task
            time.sleep(0.1)
        raise AssertionError(f"not over: {json.dumps(task)}\n{(self.folder / 'serve.log').read_text()[-3000:]}")  # pyright: ignore[reportPossiblyUnboundVariable]
