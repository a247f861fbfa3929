"""The floods of ``hostile.py``: one process, a number of connections, one kind of hostile request.

    python hostile_floods.py < order.json

Fields of the order: ``kind``, ``port``, ``connections``, ``seconds``, ``key`` (of an account without credits),
``read_key`` (may only read) and ``media`` (a hostile file). Prints one JSON object: answers by status; 0 means no
answer.
"""

import asyncio
import contextlib
import itertools
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

NICENESS = 10
"""The flood stands for other machines: it must not take processor time from the service and its well-behaved client."""
ANSWER_SECONDS_MAX = 30
API = "/api/v1/client/"
MODEL = "wan/2-2-animate-replace"


class Flood:
    """Connections that repeat one kind of request until the time is over."""

    def __init__(self, order: dict[str, Any]) -> None:
        self.port, self.key, self.read_key = order["port"], order["key"], order["read_key"]
        self.media = Path(order["media"]).read_bytes()
        self.answers = Counter[int]()
        self._until = time.monotonic() + order["seconds"]
        self._connections = order["connections"]
        self._send: Callable[[Flood], Awaitable[None]] = KINDS[order["kind"]]
        self._numbers = itertools.count()

    async def run(self) -> None:
        """Flood until the time is over."""
        await asyncio.gather(*(self._repeat() for _ in range(self._connections)))

    async def _repeat(self) -> None:
        while time.monotonic() < self._until:
            try:
                async with asyncio.timeout(self._until - time.monotonic() + 1):
                    await self._send(self)
            except (OSError, EOFError, TimeoutError, asyncio.IncompleteReadError):
                self.answers[0] += 1
                await asyncio.sleep(0.05)

    def number(self) -> int:
        """A number that no other request has."""
        return next(self._numbers)

    async def ask(
        self, method: str, path: str, body: bytes = b"", key: str = "", kind: str = "application/json"
    ) -> bytes:
        """The body of the answer to one request on a connection of its own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = f"{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {len(body)}\r\n"
        head += f"content-type: {kind}\r\n" + (f"x-api-key: {key}\r\n" if key else "")
        try:
            writer.write(head.encode() + b"\r\n" + body)
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                with contextlib.suppress(ConnectionError):  # it may refuse before it has read everything
                    await writer.drain()
                start = await reader.readline()
                self.answers[int(start.split()[1]) if start else 0] += 1
                return await reader.read(1 << 20)
        finally:
            writer.transport.abort()


def _create_body(**changes: Any) -> bytes:
    image, video = ["https://example.com/a.png"], ["https://example.com/a.mp4"]
    return json.dumps({"model": MODEL, "input": {"img_urls": image, "video_urls": video} | changes}).encode()


async def long_addresses(flood: Flood) -> None:
    """A create with an address of 12 MB."""
    await flood.ask(
        "POST", f"{API}job/CreateTask", _create_body(img_urls=["https://x.example/" + "a" * 12_000_000]), flood.key
    )


async def unknown_fields(flood: Flood) -> None:
    """A create with 12 MB of unknown fields, and a key that may only read."""
    await flood.ask("POST", f"{API}job/CreateTask", UNKNOWN_FIELDS, flood.read_key)


async def without_key(flood: Flood) -> None:
    """A create with 60 kB of unknown fields and no key."""
    await flood.ask("POST", f"{API}job/CreateTask", UNKNOWN_FIELDS[:60_000] + b'":1}')


async def large_headers(flood: Flood) -> None:
    """Headers without an end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", flood.port)
    try:
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n")
        for number in range(200):
            writer.write(b"x-%d: %s\r\n" % (number, b"a" * 4000))
            await writer.drain()
        flood.answers[int((await reader.readline()).split()[1])] += 1
    finally:
        writer.transport.abort()


async def half_requests(flood: Flood) -> None:
    """A connection that sends half a request and waits."""
    _, writer = await asyncio.open_connection("127.0.0.1", flood.port)
    try:
        writer.write(b"POST /api/v1/client/job/CreateTask HTTP/1.1\r\nhost: x\r\ncontent-le")
        await writer.drain()
        await asyncio.sleep(3)
        flood.answers[0] += 1
    finally:
        writer.transport.abort()


async def silent_connections(flood: Flood) -> None:
    """A hundred connections at once that send nothing."""
    held = [await asyncio.open_connection("127.0.0.1", flood.port) for _ in range(100)]
    await asyncio.sleep(1)
    for _, writer in held:
        writer.transport.abort()
    flood.answers[0] += len(held)


async def uploads(flood: Flood) -> None:
    """An upload of 4 MB of an account without credits."""
    asked = await flood.ask("GET", f"{API}files/upload-url?content_type=video/mp4&ext=.mp4", key=flood.key)
    if b"presigned_url" not in asked:
        await asyncio.sleep(0.05)
        return
    url = json.loads(asked[asked.index(b"{") : asked.rindex(b"}") + 1])["data"]["presigned_url"]
    path = "/" + url.split("/", 3)[3]
    await flood.ask("PUT", path, b"\0" * 4_000_000, kind="video/mp4")


async def hostile_media(flood: Flood) -> None:
    """Upload a hostile file and ask for its price. Each upload is a new file, because the service caches prices."""
    asked = await flood.ask("GET", f"{API}files/upload-url?content_type=video/mp4&ext=.mp4", key=flood.key)
    if b"presigned_url" not in asked:
        await asyncio.sleep(0.05)
        return
    data = json.loads(asked[asked.index(b"{") : asked.rindex(b"}") + 1])["data"]
    await flood.ask("PUT", "/" + data["presigned_url"].split("/", 3)[3], flood.media, kind="video/mp4")
    await flood.ask("POST", f"{API}job/estimate-credits", _create_body(video_urls=[data["file_url"]]), flood.key)


async def hang_ups(flood: Flood) -> None:
    """A client that leaves in the middle of its body."""
    _, writer = await asyncio.open_connection("127.0.0.1", flood.port)
    head = f"POST {API}job/CreateTask HTTP/1.1\r\nhost: x\r\nx-api-key: {flood.key}\r\ncontent-length: 60000\r\n\r\n"
    writer.write(head.encode() + b"{" * 1000)
    await writer.drain()
    writer.transport.abort()
    flood.answers[0] += 1
    await asyncio.sleep(0.01)


async def strange_values(flood: Flood) -> None:
    """NUL, lone surrogates, deep nesting and huge numbers in bodies, parameters and paths."""
    method, path, body = STRANGE[flood.number() % len(STRANGE)]
    await flood.ask(method, path, body, flood.key)


async def lists(flood: Flood) -> None:
    """The longest page of tasks."""
    await flood.ask("GET", f"{API}job/Tasks?limit=100", key=flood.key)


UNKNOWN_FIELDS = b"{" + b",".join(b'"f%07d":1' % number for number in range(1_000_000)) + b"}"
DEEP = b"[" * 50_000 + b"]" * 50_000
STRANGE: list[tuple[str, str, bytes]] = [
    ("GET", f"{API}job/Tasks?model=%00", b""),
    ("GET", f"{API}job/TaskInfo?task_id=%00", b""),
    ("POST", f"{API}job/CreateTask", DEEP),
    ("POST", f"{API}job/CreateTask", b'{"model": "\\ud800", "input": {}}'),
    ("POST", f"{API}job/CreateTask", _create_body(prompt="\0", seed=10**30)),
    ("POST", f"{API}job/estimate-credits", b'{"a": ' * 20_000),
    ("GET", "/tasks?model=%00", b""),
    ("POST", "/keys/99999999999999999999/rotate", b""),
    ("POST", "/console/price", DEEP),
    ("POST", "/console/tasks", b'{"input": "\\udfff"}'),
    ("GET", f"{API}job/Models/%00", b""),
]
KINDS: dict[str, Callable[[Flood], Awaitable[None]]] = {
    flood.__name__: flood
    for flood in (
        *(hostile_media, long_addresses, unknown_fields, without_key, large_headers, half_requests),
        *(silent_connections, uploads, hang_ups, strange_values, lists),
    )
}


def main() -> None:
    """Run the order from stdin."""
    os.nice(NICENESS)
    flood = Flood(json.load(sys.stdin))
    asyncio.run(flood.run())
    print(json.dumps({str(status): count for status, count in sorted(flood.answers.items())}))


if __name__ == "__main__":
    main()
