"""What stands between a browser and the services: a load balancer at its hardest, and a line that breaks."""

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager
from itertools import cycle

from live_service import free_port

HOST = "127.0.0.1"


class RoundRobinProxy:
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
        back: asyncio.StreamWriter | None = None
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
            if back is not None:
                back.close()


class DisconnectingProxy:
    """Leads to one service and breaks once, in the middle of what is sent; until it is mended nothing goes through."""

    def __init__(self, target: int, break_after_bytes: int) -> None:
        self.port, self.sent_bytes = free_port(), 0
        self._target, self._break_after_bytes, self._broken = target, break_after_bytes, False

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.port}"

    def mend(self) -> None:
        """From now on it holds."""
        self._broken, self._break_after_bytes = False, 1 << 62

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection; what the client sends is counted."""
        if self._broken:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection(HOST, self._target)
        try:
            await asyncio.gather(self._send(reader, back), _pump(there, writer))
        except OSError:
            writer.transport.abort()
        finally:
            back.close()
            writer.close()

    async def _send(self, reader: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            self.sent_bytes += len(data)
            if self.sent_bytes > self._break_after_bytes:
                self._broken = True
            if self._broken:
                raise ConnectionResetError
            back.write(data)
            await back.drain()
        back.write_eof()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(1 << 16):
        sink.write(data)
        await sink.drain()
    if sink.can_write_eof():
        sink.write_eof()


async def _end(server: asyncio.Server) -> None:
    server.close()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for connection in left:
        connection.cancel()
    await asyncio.gather(*left, return_exceptions=True)


@contextmanager
def running_proxy(front: RoundRobinProxy | DisconnectingProxy) -> Generator[None, None, None]:
    """Serve in a thread of its own while the block lasts."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(front.answer, HOST, front.port), loop).result()
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
