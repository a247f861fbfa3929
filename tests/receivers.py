"""Servers on the loopback that answer well, answer badly, or only count connections."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

Handler = Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""Gets the head of one request and answers it; the connection closes afterwards."""


@dataclass
class Receiver:
    """A server that keeps the heads of its requests."""

    host: str
    port: int = 0
    heads: list[bytes] = field(default_factory=list[bytes])

    def url(self, path: str, host: str | None = None) -> str:
        """Its URL for a path, with another host name if given."""
        return f"http://{host or self.host}:{self.port}{path}"


@dataclass
class Trap:
    """A listener that must not be reached."""

    port: int = 0
    visits: int = 0


@asynccontextmanager
async def receiving(
    handler: Handler, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """A server that runs during the block; remaining connections are closed at its end."""
    receiver = Receiver(host)
    tasks: set[asyncio.Task[None]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            receiver.heads.append(head)
            await handler(head, reader, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(answer, host, 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in tasks:
            task.cancel()


@asynccontextmanager
async def trapping() -> AsyncIterator[Trap]:
    """Listens on the loopback addresses of IPv4 and IPv6, and counts connections."""
    trap = Trap()

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        trap.visits += 1
        writer.close()

    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(await asyncio.start_server(visit, "0.0.0.0", 0))
        trap.port = server.sockets[0].getsockname()[1]
        if Path("/proc/net/if_inet6").exists():
            await stack.enter_async_context(await asyncio.start_server(visit, "::1", trap.port))
        yield trap


def answering(table: dict[str, bytes]) -> Handler:
    """Answers each known path with its bytes, and unknown paths with an empty body."""

    async def handle(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(table.get(head.split()[1].decode(), b""))

    return handle
