"""A front that sends every request to the next of several services: the hardest case of a load balancer."""

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager
from itertools import cycle

from live_service import free_port

HOST = "127.0.0.1"


class Alternation:
    """What was sent where; ``targets`` are ports of this machine."""

    def __init__(self, targets: list[int]) -> None:
        self.port, self.counts = free_port(), dict.fromkeys(targets, 0)
        self._next = cycle(targets)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.port}"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: the head is made to ask for one answer alone, the rest goes through as it is."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            lines = [line for line in head[:-4].split(b"\r\n") if not line.lower().startswith(b"connection:")]
            port = next(self._next)
            self.counts[port] += 1
            there, back = await asyncio.open_connection(HOST, port)
            back.write(b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n")
            await asyncio.gather(_pump(reader, back), _pump(there, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(1 << 16):
        sink.write(data)
        await sink.drain()
    if sink.can_write_eof():
        sink.write_eof()


@contextmanager
def alternating(front: Alternation) -> Generator[None, None, None]:
    """Serve in a thread of its own while the block lasts."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(front.answer, HOST, front.port), loop).result()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
