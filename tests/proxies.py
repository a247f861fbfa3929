"""TCP proxies for tests: a load balancer that alternates requests, and a connection that breaks."""

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager
from itertools import cycle

from live_service import free_port

HOST = "127.0.0.1"
CLOSE_SECONDS = 1
"""Given to a connection that is cancelled to send its last bytes."""


class RoundRobinProxy:
    """Sends each request to the next of ``targets``, ports of this machine, and counts them."""

    def __init__(self, targets: list[int]) -> None:
        self.port, self.counts = free_port(), dict.fromkeys(targets, 0)
        self._next = cycle(targets)

    @property
    def url(self) -> str:
        """Its URL."""
        return f"http://{HOST}:{self.port}"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection. The request head gets Connection: close, so that it carries one request."""
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
            await _close(writer, *([back] if back else []))


class DisconnectingProxy:
    """Forwards to one service and breaks once while bytes are sent; until ``mend`` all connections fail."""

    def __init__(self, target: int, break_after_bytes: int) -> None:
        self.port, self.sent_bytes = free_port(), 0
        self._target, self._break_after_bytes, self._broken = target, break_after_bytes, False

    @property
    def url(self) -> str:
        """Its URL."""
        return f"http://{HOST}:{self.port}"

    def mend(self) -> None:
        """Forward all connections from now on."""
        self._broken, self._break_after_bytes = False, 1 << 62

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection and count the bytes of the client."""
        if self._broken:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection(HOST, self._target)
        try:
            await asyncio.gather(self._send(reader, back), _pump(there, writer))
        except OSError:
            writer.transport.abort()
        finally:
            await _close(back, writer)

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


async def _close(*connections: asyncio.StreamWriter) -> None:
    """Close connections and wait for it; what cannot be sent any more is dropped if this is cancelled."""
    for connection in connections:
        connection.close()
    try:
        await asyncio.gather(*(connection.wait_closed() for connection in connections), return_exceptions=True)
    finally:
        for connection in connections:
            connection.transport.abort()


async def _end(server: asyncio.Server) -> None:
    server.close()
    while left := asyncio.all_tasks() - {asyncio.current_task()}:
        for connection in left:
            connection.cancel()
        await asyncio.wait(left, timeout=CLOSE_SECONDS)
    await asyncio.sleep(0)  # sockets are closed in the loop's next turn


@contextmanager
def running_proxy(front: RoundRobinProxy | DisconnectingProxy) -> Generator[None, None, None]:
    """Run the proxy in a thread while the block runs."""
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
