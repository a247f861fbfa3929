"""Limits of HTTP connections, with raw sockets against a real server."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Generator
from ipaddress import ip_network
from typing import Any

import pytest
import structlog
import uvicorn

from bodydouble.api.connections import (
    ConnectionLimits,
    RefusalLog,
    WaitingConnections,
    limited_protocol,
    reserve_connections,
)

pytestmark = pytest.mark.anyio
GET = b"GET / HTTP/1.1\r\nhost: x\r\n"
POST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n"


class Server(uvicorn.Server):
    """A server that does not handle signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Reads the body and responds with its size; sends 64 MB for the path /large."""
    size, message = 0, {"more_body": True}
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message["body"])
    await send({"type": "http.response.start", "status": 200, "headers": []})
    chunks = [b"x" * 1_000_000] * 64 if scope["path"] == "/large" else [str(size).encode()]
    for chunk in chunks:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


@contextlib.asynccontextmanager
async def served(waiting: WaitingConnections | None = None, **limits: Any) -> AsyncGenerator[int, None]:
    """The port of a server with these limits."""
    given: dict[str, Any] = {"connections_max": 100} | limits
    protocol = limited_protocol(ConnectionLimits(**given), waiting)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(echo, log_config=None, lifespan="off", http=protocol, ws="none")
        server = Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        yield listener.getsockname()[1]
        server.should_exit = server.force_exit = True
        await serving


async def ask(port: int, *parts: bytes, pause: float = 0) -> bytes:
    """All bytes that the server sends in response, until it closes or the response is complete."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = bytearray()

    async def read() -> None:
        with contextlib.suppress(ConnectionError):
            while not received.endswith((b"0\r\n\r\n", b"}")) and (chunk := await reader.read(65536)):
                received.extend(chunk)

    reading = asyncio.create_task(read())
    with contextlib.suppress(ConnectionError):
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
    await reading
    writer.close()
    return bytes(received)


async def server_has_read() -> None:
    """Turns of the event loop, which the server shares, until it has seen all that was sent: no time is enough."""
    for _ in range(50):
        await asyncio.sleep(0.004)


async def test_requests_within_the_limits_are_served() -> None:
    """In one piece, in many pieces, pipelined, and several on one connection."""
    async with served() as port:
        assert b"200 OK" in await ask(port, GET + b"\r\n")
        assert b"200 OK" in await ask(port, *[bytes([byte]) for byte in GET + b"\r\n"])
        body = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 300000\r\n\r\n" + b"x" * 300_000
        assert b"300000" in await ask(port, body)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(GET + b"\r\n" + GET + b"\r\n")
            for _ in range(2):
                assert b"200 OK" in await reader.readuntil(b"0\r\n\r\n")
        writer.close()


@pytest.mark.parametrize(
    "headers",
    [
        [b"x-a: " + b"a" * 70_000],
        [b"a" * 70_000 + b": 1"],
        [b"x-%d: %b\r\n" % (n, b"a" * 990) for n in range(70)],
        None,
    ],
)
async def test_large_headers_are_431(headers: list[bytes] | None) -> None:
    """One long value, one long name, many headers, or a long URL: refused before the end of the headers."""
    start = [GET, *headers] if headers is not None else [b"GET /" + b"a" * 70_000]
    with structlog.testing.capture_logs() as logs:
        async with served() as port:
            for parts in (start, [b"".join(start) + b"\r\n\r\n"]):
                response = await ask(port, *parts)
                assert response.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
                assert b'"code":431' in response
    assert [(line["event"], line["reason"]) for line in logs] == [("connection refused", "large headers")]


async def test_a_connection_without_a_request_is_closed() -> None:
    """A silent connection is closed; half a request gets 408, also after a complete request."""
    async with served(header_seconds_max=0.2) as port:
        assert await ask(port) == b""
        assert (await ask(port, GET)).startswith(b"HTTP/1.1 408 ")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET + b"\r\n")
        await reader.readuntil(b"0\r\n\r\n")
        writer.write(GET)
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
        writer.close()


async def test_a_slow_body_is_408() -> None:
    """A body below the minimum rate, and one above the total time, get 408."""
    async with served(body_window_seconds=0.2) as port:
        assert b" 408 " in await ask(port, POST, b"x" * 10)
    async with served(body_window_seconds=0.05, body_window_bytes_min=1, body_seconds_max=0.3) as port:
        assert b" 408 " in await ask(port, POST, *[b"x"] * 100, pause=0.02)


async def test_uploads_have_a_deadline_of_their_own() -> None:
    """Below /files/ a body may take longer than elsewhere."""
    post = POST.replace(b"POST /", b"PUT /files/a")
    async with served(body_seconds_max=0.1, upload_seconds_max=60) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post)
        await asyncio.sleep(0.5)
        writer.write(b"x" * 1_000_000)
        assert b"200 OK" in await reader.readuntil(b"0\r\n\r\n")
        writer.close()


async def test_beyond_the_limit_the_oldest_waiting_connection_makes_room() -> None:
    """A flood of half-sent requests does not keep a complete one out."""
    async with served(connections_max=5) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        for _, writer in held:
            writer.write(GET)
            await writer.drain()
        for _ in range(10):
            assert b"200 OK" in await ask(port, GET + b"\r\n")
        with contextlib.suppress(ConnectionError):
            assert await held[0][0].read() == b""
        for _, writer in held:
            writer.close()


@pytest.mark.parametrize("next_request", [b"", GET])
async def test_a_connection_waits_again_after_its_response(next_request: bytes) -> None:
    """Those that sent a complete request before, and half of the next one or nothing, make room as well."""
    async with served(connections_max=3) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        for reader, writer in held:
            writer.write(GET + b"\r\n" + next_request)
            assert b"200 OK" in await reader.readuntil(b"0\r\n\r\n")
        assert b"200 OK" in await ask(port, GET + b"\r\n")
        with contextlib.suppress(ConnectionError):
            assert await held[0][0].read() == b""
        for _, writer in held:
            writer.close()


async def test_ended_connections_do_not_count_as_waiting() -> None:
    """A connection that ends during its request, or after it, leaves nothing behind."""
    waiting = WaitingConnections()
    async with served(waiting=waiting) as port:
        assert b"200 OK" in await ask(port, GET + b"connection: close\r\n\r\n")
        for sent in (b"", GET, POST, GET + b"\r\n"):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            await writer.drain()
            writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET + b"\r\n")
        await reader.readuntil(b"0\r\n\r\n")
        last = writer.get_extra_info("sockname")[1]
        while [connection.client[1] for connection in waiting] != [last]:
            await asyncio.sleep(0.01)
        writer.close()


async def test_where_all_connections_are_at_work_another_is_503() -> None:
    """Requests in work are not ended for new ones."""
    async with served(connections_max=3) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        for _, writer in held:
            writer.write(POST)
            await writer.drain()
        await server_has_read()
        assert (await ask(port)).startswith(b"HTTP/1.1 503 ")
        held[0][1].write(b"x" * 1_000_000)
        assert b"200 OK" in await held[0][0].readuntil(b"0\r\n\r\n")
        for _, writer in held:
            writer.close()


async def test_a_client_has_a_limited_number_of_connections() -> None:
    """A new one takes the place of its own that waits for a request; if all are at work, it is 429."""
    async with served(client_connections_max=3) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        for _, writer in held[1:]:
            writer.write(POST)
            await writer.drain()
        await server_has_read()
        assert b"200 OK" in await ask(port, GET + b"\r\n")
        assert await held[0][0].read() == b"", "it had sent no request"
        third = await asyncio.open_connection("127.0.0.1", port)
        third[1].write(POST)
        await server_has_read()
        assert (await ask(port)).startswith(b"HTTP/1.1 429 Too Many Requests\r\n")
        for _, writer in (*held, third):
            writer.close()
        await server_has_read()
        assert b"200 OK" in await ask(port, GET + b"\r\n")


async def test_behind_a_trusted_proxy_each_client_has_its_own_limit() -> None:
    """The last address of X-Forwarded-For that is no trusted proxy counts: a client cannot name another one."""
    proxies = [ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8")]
    async with served(client_connections_max=2, trusted_proxies=proxies) as port:

        def forwarded(request: bytes, hosts: bytes) -> bytes:
            return request.replace(b"host: x\r\n", b"host: x\r\nx-forwarded-for: " + hosts + b"\r\n")

        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        for number, (_, writer) in enumerate(held):
            writer.write(forwarded(POST, b"198.51.100.%d, 203.0.113.7, 10.1.1.1" % number))
            await writer.drain()
        await server_has_read()
        assert (await ask(port, forwarded(GET, b"203.0.113.7") + b"\r\n")).startswith(b"HTTP/1.1 429 ")
        for hosts in (b"203.0.113.8", b"10.1.1.2"):
            assert b"200 OK" in await ask(port, forwarded(GET, hosts) + b"\r\n")
        held[0][1].write(b"x" * 1_000_000)
        assert b"200 OK" in await held[0][0].readuntil(b"0\r\n\r\n")
        assert b"200 OK" in await ask(port, forwarded(GET, b"203.0.113.7") + b"\r\n")
        for _, writer in held:
            writer.close()


async def test_a_client_that_does_not_read_is_dropped() -> None:
    """A response that the client does not read occupies connection and memory only for a limited time."""
    async with served(stalled_seconds_max=0.3) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(GET.replace(b"/", b"/large", 1) + b"\r\n")
        await asyncio.sleep(2)
        received = 0
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(1 << 20):
                received += len(chunk)
        assert received < 64_000_000
        writer.close()


def test_refusals_are_logged_once_for_many() -> None:
    """Many refusals are one log line in ten seconds, with their number."""
    refusals = RefusalLog()
    with structlog.testing.capture_logs() as logs:
        for _ in range(1000):
            refusals.count("large headers", "203.0.113.7")
    assert [(line["reason"], line["refused"]) for line in logs] == [("large headers", 1)]


@pytest.mark.parametrize(
    ("limits", "wanted", "raised", "connections"),
    [((1024, 4096), 2000, (2512, 4096), 2000), ((1024, 1024), 2000, None, 512), ((8192, 8192), 2000, None, 2000)],
)
def test_the_limit_on_open_files_is_raised(
    limits: tuple[int, int],
    wanted: int,
    raised: tuple[int, int] | None,
    connections: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The soft limit becomes what the connections need; the hard limit bounds the connections."""
    changes: list[tuple[int, int]] = []
    monkeypatch.setattr("resource.getrlimit", lambda _: limits)
    monkeypatch.setattr("resource.setrlimit", lambda _, new: changes.append(new))
    assert reserve_connections(wanted, 10, ()).connections_max == connections
    assert changes == ([raised] if raised else [])
