"""PostgreSQL away under polling clients: does every one of them survive?

    python bench/outage.py [--quick] [--seconds 20] [--clients 64]

A service without workers uses a PostgreSQL server of this bench. Clients wait for their tasks as crun's command-line
client does: a poll every two seconds with a timeout of 30 s. A status of 408, 429, 500, 502, 503 or 504 is repeated
after 1 s and after 2 s, and the third one ends the client. The server is stopped for ``--seconds`` and started again.
Then every task is cancelled, and every client must see its end. The exit status is 1 if one did not. The last line is
one flat JSON object.
"""

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

TESTS = Path(__file__).parents[1] / "tests"
REPEATED = frozenset({408, 429, 500, 502, 503, 504})
POLL_SECONDS = 2.0
TIMEOUT_SECONDS = 30.0
API = "/api/v1/client/job/"
INPUT = {"img_urls": ["https://example.com/a.png"], "video_urls": ["https://example.com/a.mp4"]}


class ClientGaveUp(Exception):
    """Three errors in a row."""


class Clients:
    """The polling clients."""

    def __init__(self, url: str, key: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=url, headers={"x-api-key": key}, timeout=TIMEOUT_SECONDS, limits=httpx.Limits(max_connections=None)
        )
        self.statuses = Counter[int]()
        self.longest_seconds = 0.0

    async def create(self) -> str:
        """A new task."""
        body = {"model": "wan/2-2-animate-replace", "input": INPUT}
        answer = await self._client.post(f"{API}CreateTask", json=body)
        return str(answer.json()["data"]["task_id"])

    async def cancel(self, task: str) -> None:
        """End a task."""
        (await self._client.post(f"{API}CancelTask", params={"task_id": task})).raise_for_status()

    async def wait(self, task: str) -> bool:
        """Whether the client sees the end of the task."""
        try:
            while await self._poll(task) not in ("success", "failed"):
                await asyncio.sleep(POLL_SECONDS)
        except (ClientGaveUp, httpx.TimeoutException):
            return False
        return True

    async def _poll(self, task: str) -> str:
        for pause in (1, 2, None):
            began = time.monotonic()
            try:
                answer = await self._client.get(f"{API}TaskInfo", params={"task_id": task})
            except httpx.ConnectError:  # survived until its own deadline
                return "pending"
            self.longest_seconds = max(self.longest_seconds, time.monotonic() - began)
            self.statuses[answer.status_code] += 1
            if answer.status_code not in REPEATED:
                return str(answer.json()["data"]["status"])
            if pause is not None:
                await asyncio.sleep(pause)
        raise ClientGaveUp


async def run(url: str, key: str, server: Any, count: int, seconds: float) -> dict[str, Any]:
    """The flat report."""
    clients = Clients(url, key)
    tasks = [await clients.create() for _ in range(count)]
    waiting = [asyncio.create_task(clients.wait(task)) for task in tasks]
    await asyncio.sleep(2 * POLL_SECONDS)
    await asyncio.to_thread(server.stop)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(server.start)
    await asyncio.sleep(2 * POLL_SECONDS)
    for task in tasks:
        await clients.cancel(task)
    survived = sum(await asyncio.gather(*waiting))
    return {
        "clients": count,
        "outage_seconds": seconds,
        "survived": survived,
        "longest_poll_seconds": round(clients.longest_seconds, 1),
        **{f"status_{status}": n for status, n in sorted(clients.statuses.items())},
    }


def main() -> None:
    """Run, print the report, and exit with 1 if a client gave up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="8 clients, 6 seconds")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--clients", type=int, default=64)
    chosen = parser.parse_args()
    count, seconds = (8, 6.0) if chosen.quick else (chosen.clients, chosen.seconds)
    sys.path.insert(0, str(TESTS))
    from bodydouble.store import EmbeddedPostgres
    from live_service import LiveService

    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    with tempfile.TemporaryDirectory(prefix="bodydouble-outage-") as name:
        Path(name).chmod(0o711)
        server = EmbeddedPostgres(Path(name) / "postgres")
        server.start()
        service = LiveService()
        try:
            service.start("--no-worker", DATABASE_URL=server.url, BODYDOUBLE_CREATES_PER_MINUTE="1000")
            report = asyncio.run(run(service.url, service.key, server, count, seconds))
        finally:
            service.stop()
            service.remove()
            server.stop()
    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    print(f"{machine}, commit {git.stdout.strip()}: {report['survived']} of {count} clients survived")
    print(json.dumps({"machine": machine, "commit": git.stdout.strip()} | report))
    sys.exit(0 if report["survived"] == count else 1)


if __name__ == "__main__":
    main()
