"""Load over raw sockets. Each connection sends a request, waits for the answer, and sends the next.

    python load.py < order.json

Fields of the order: ``port``, ``connections``, ``seconds`` and ``requests``. Requests are complete HTTP/1.1 requests as
text, chosen at random; ``COUNTER`` in a request is replaced by 32 unique digits. A correct answer has status 200 or
201 and the requested task, or for a create a new task. Prints one JSON object: answers by status, latencies in
milliseconds, and this process's share of a core. Status 0 means no answer; -1 means 200 with the wrong task.
"""

import asyncio
import itertools
import json
import random
import re
import resource
import sys
import time
from collections import Counter

import uvloop

COUNTER = b"COUNTER"
ASKED, ID_BYTES = b"task_id=", 36
TASK_ID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""The first of them in an answer is the task's."""
WRONG_TASK = -1
SILENCE_SECONDS_MAX = 10


class Connection(asyncio.Protocol):
    """One connection, which sends one request at a time."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._buffer = b""
        self._sent, self._wanted = 0.0, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._send()

    def _send(self) -> None:
        request, self._wanted = self._load.next_request()
        self._sent = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Collect bytes; the answer is complete with its head and the announced number of bytes."""
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        at = head.index(b"content-length:") + 15
        stop = head.find(b"\r\n", at)
        length = int(head[at : stop if stop > 0 else len(head)])
        if len(self._buffer) < end + 4 + length:
            return
        status = int(self._buffer[9:12])
        if status in (200, 201):
            status = self._load.judge(self._buffer[end:], self._wanted)
        self._buffer = b""
        if self._load.note(status, self._sent):
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Report the closed connection to the load."""
        self._load.ended(error)


class Load:
    """The requests, and counts of their answers."""

    def __init__(self, order: dict) -> None:
        self._requests = [(text.encode().split(COUNTER), _asked(text.encode())) for text in order["requests"]]
        self._made: set[bytes] = set()
        self._numbers = itertools.count(random.getrandbits(100))
        self.open = order["connections"]
        self._until = time.perf_counter() + order["seconds"]
        self.statuses: Counter[int] = Counter()
        self.latencies: list[float] = []
        self.done = asyncio.get_running_loop().create_future()

    def next_request(self) -> tuple[bytes, bytes]:
        """A random request, and the id of the task that it reads, empty for a create."""
        parts, wanted = random.choice(self._requests)
        return parts[0] if len(parts) == 1 else (b"%032x" % next(self._numbers)).join(parts), wanted

    def judge(self, body: bytes, wanted: bytes) -> int:
        """The status to count for an answer with status 200 or 201."""
        found = TASK_ID.search(body)
        named = found[0] if found else b""
        if wanted:
            return 200 if named == wanted else WRONG_TASK
        before = len(self._made)
        self._made.add(named)
        return 200 if len(self._made) > before else WRONG_TASK

    def note(self, status: int, sent: float) -> bool:
        """Count an answer. Returns whether to send another request."""
        now = time.perf_counter()
        self.statuses[status] += 1
        self.latencies.append(now - sent)
        return now < self._until

    def ended(self, error: Exception | None) -> None:
        """Record a closed connection. Before the end of the run, it counts as a missing answer."""
        if time.perf_counter() < self._until:
            self.statuses[0] += 1
        self.open -= 1
        if not self.open:
            self.done.set_result(None)


def _asked(request: bytes) -> bytes:
    at = request.find(ASKED)
    return b"" if at < 0 else request[at + len(ASKED) : at + len(ASKED) + ID_BYTES]


async def run(order: dict) -> dict:
    """The figures after sending requests for the ordered time."""
    load = Load(order)
    loop = asyncio.get_running_loop()
    for _ in range(order["connections"]):
        await loop.create_connection(lambda: Connection(load), "127.0.0.1", order["port"])
    try:
        await asyncio.wait_for(load.done, order["seconds"] + SILENCE_SECONDS_MAX)
    except TimeoutError:
        load.statuses[0] += load.open
    usage = resource.getrusage(resource.RUSAGE_SELF)
    latencies = sorted(load.latencies)
    answered = len(latencies)

    def percentile(share: float) -> float:
        return round(latencies[min(int(answered * share), answered - 1)] * 1000, 2) if answered else 0.0

    return {
        "statuses": dict(load.statuses),
        "good": load.statuses[200],
        "p50_ms": percentile(0.5),
        "p99_ms": percentile(0.99),
        "load_cores": round((usage.ru_utime + usage.ru_stime) / order["seconds"], 3),
    }


if __name__ == "__main__":
    print(json.dumps(uvloop.run(run(json.load(sys.stdin)))))
