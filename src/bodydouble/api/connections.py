"""HTTP connections within limits: size of headers, deadlines, minimum rates, number of connections.

uvicorn limits none of these with its httptools parser. This protocol adds them without work for a request that arrives
in one piece (docs/decisions/0014-connection-limits-in-the-server-protocol.md).
"""

import asyncio
import ipaddress
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bodydouble.service.document import to_json

UPLOAD_PATH = b"/files/"
LINGER_SECONDS = 1.0
"""Time in which a refused client can read the response; what it sends meanwhile is discarded."""
FILES_RESERVED = 512
"""Open files besides the connections of clients: database, media, event loop."""
LOG_SECONDS = 10.0
"""Refusals of one kind are logged at most this often, with their number."""
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_log = structlog.get_logger("bodydouble.api")


@dataclass(frozen=True, kw_only=True)
class ConnectionLimits:
    """Limits of the HTTP connections of one process."""

    connections_max: int
    client_connections_max: int = 200  # of one client address
    trusted_proxies: Sequence[
        Network
    ] = ()  # their requests count for the client that they forward, see ``ClientCounts``
    header_bytes_max: int = 65_536
    header_seconds_max: float = 20  # from the connection, or the first byte of a later request, to the last header
    body_seconds_max: float = 300
    upload_seconds_max: float = 3600  # the body of an upload
    is_upload: Callable[[bytes], bool] = lambda url: url.startswith(UPLOAD_PATH)  # path and query of a request
    body_window_seconds: float = 30
    body_window_bytes_min: int = 30_000  # slower bodies are refused
    stalled_seconds_max: float = 120  # a client that does not read its response


class RefusalLog:
    """Logs refused connections by reason, but not each of them: a flood must not fill the log."""

    def __init__(self) -> None:
        self._unlogged, self._logged_at = Counter[str](), dict[str, float]()

    def count(self, reason: str, client: str) -> None:
        """Count a refusal, and log it unless the last line of this reason is recent."""
        self._unlogged[reason] += 1
        now = time.monotonic()
        if now - self._logged_at.get(reason, -LOG_SECONDS) >= LOG_SECONDS:
            self._logged_at[reason] = now
            _log.warning("connection refused", reason=reason, refused=self._unlogged.pop(reason), last_client=client)


class ClientCounts:
    """Connections, or requests in work behind a trusted proxy, by client address.

    A trusted proxy names its client in ``X-Forwarded-For``; each proxy appends the address that it sees, so the last
    address that is no trusted proxy counts. Connections of a proxy are not limited before they name a client.
    """

    def __init__(self, trusted_proxies: Sequence[Network]) -> None:
        self._trusted = trusted_proxies
        self.counts = Counter[str]()

    def is_trusted(self, host: str) -> bool:
        """Whether this address is a trusted proxy; a Unix socket is one."""
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return True
        return any(address.version == network.version and address in network for network in self._trusted)

    def forwarded_client(self, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """The client that a trusted proxy forwards; None if it names none."""
        values = [value for name, value in headers if name == b"x-forwarded-for"]
        if not values:
            return None
        named = b",".join(values).decode("latin-1")
        hosts = [host.strip() for host in named.split(",") if host.strip()]
        return next((host for host in reversed(hosts) if not self.is_trusted(host)), None)


class WaitingConnections:
    """Connections without a request in work, longest waiting first: of all clients, and of each address.

    Kept in order because a flood of connections asks for the longest waiting one at each new connection.
    """

    def __init__(self) -> None:
        self._all: dict[LimitedProtocol, None] = {}  # used as ordered sets
        self._of_client: dict[str, dict[LimitedProtocol, None]] = {}

    def __iter__(self) -> Iterator["LimitedProtocol"]:
        return iter(self._all)

    def add(self, connection: "LimitedProtocol") -> None:
        """Add a connection that waits from now on."""
        self._all[connection] = None
        self._of_client.setdefault(connection.client_host, {})[connection] = None

    def remove(self, connection: "LimitedProtocol") -> None:
        """Remove a connection, if it is here."""
        if connection not in self._all:
            return
        del self._all[connection]
        of_client = self._of_client[connection.client_host]
        del of_client[connection]
        if not of_client:
            del self._of_client[connection.client_host]

    def longest(self, client: str | None = None) -> "LimitedProtocol | None":
        """The connection, of ``client`` if given, that waits longest; None if none waits."""
        return next(iter(self._all if client is None else self._of_client.get(client, ())), None)


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's protocol within ``ConnectionLimits``."""

    def __init__(
        self,
        *args: Any,
        limits: ConnectionLimits,
        refusals: RefusalLog,
        clients: ClientCounts,
        waiting: WaitingConnections,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self._limits, self._refusals, self._clients, self._waiting = limits, refusals, clients, waiting
        self._counted: str | None = None  # the client whose connection or request this is
        self._refused = False
        self._reading_headers = True  # also before the first byte
        self._message_complete = False
        self._header_bytes = self._window_bytes = 0
        self._body_since = self.loop.time()
        self._timer: asyncio.TimerHandle | None = None  # of the headers or of the body
        self._stall_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Accept the connection, if necessary in the place of one that has sent no complete request."""
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections_max and not self._close_waiting_connection():
            self._refuse(503, "connections", "Too many connections; try again later")
            return
        if not self._clients.is_trusted(self.client_host) and not self._count(self.client_host):
            self._refuse_client()
            return
        self._waiting.add(self)
        self._start_timer(self._limits.header_seconds_max, self._end_headers)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timers of a closed connection."""
        self._waiting.remove(self)
        self._stop_timer()
        self._uncount()
        if self._stall_timer is not None:
            self._stall_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse received bytes within the limits."""
        if self._refused:
            return
        if self._reading_headers or self._message_complete:
            self._header_bytes += len(data)
        else:
            self._window_bytes += len(data)
        super().data_received(data)
        if self._has_ended:
            return
        if self._reading_headers:
            if self._header_bytes > self._limits.header_bytes_max:
                self._refuse_headers()
            elif self._timer is None:
                self._start_timer(self._limits.header_seconds_max, self._end_headers)
        elif not self._message_complete and self._timer is None:
            self._window_bytes, self._body_since = 0, self.loop.time()
            self._start_timer(self._limits.body_window_seconds, self._check_body)

    def on_message_begin(self) -> None:
        """Start a request."""
        self._reading_headers, self._message_complete = True, False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Start the application, unless the headers are too large."""
        self._stop_timer()
        self._waiting.remove(self)
        self._reading_headers, self._header_bytes = False, 0
        size = len(self.url)
        for name, value in self.headers:
            size += len(name) + len(value)
        if size > self._limits.header_bytes_max:
            self._refuse_headers()
        elif not self._refused and not self._count_forwarded():
            self._refuse_client()
        elif not self._refused:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass a part of the body to the application."""
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End the body of a request."""
        self._stop_timer()
        self._message_complete, self._header_bytes = True, 0
        if not self._refused:
            super().on_message_complete()
        self._wait_if_idle()

    def on_response_complete(self) -> None:
        """End a request."""
        if self._counted != self.client_host:
            self._uncount()
        super().on_response_complete()
        self._wait_if_idle()

    def pause_writing(self) -> None:
        """Start the time that a client has to read its response."""
        super().pause_writing()
        self._stall_timer = self.loop.call_later(self._limits.stalled_seconds_max, self._end_stalled)

    def resume_writing(self) -> None:
        """The client reads again."""
        if self._stall_timer is not None:
            self._stall_timer.cancel()
        super().resume_writing()

    def _start_timer(self, seconds: float, callback: Any) -> None:
        self._timer = self.loop.call_later(seconds, callback)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _count(self, client: str) -> bool:
        """Count a connection or request of ``client``; it may take the place of its oldest waiting connection.

        False if the client has too many.
        """
        full = self._clients.counts[client] >= self._limits.client_connections_max
        if full and not self._close_waiting_connection(client):
            return False
        self._clients.counts[client] += 1
        self._counted = client
        return True

    def _count_forwarded(self) -> bool:
        """Count a request that came through a trusted proxy. False if its client has too many in work."""
        if self._counted is not None:
            return True
        client = self._clients.forwarded_client(self.headers)
        return client is None or self._count(client)

    def _uncount(self) -> None:
        if self._counted is not None:
            self._clients.counts[self._counted] -= 1
            if not self._clients.counts[self._counted]:
                del self._clients.counts[self._counted]
            self._counted = None

    def _close_waiting_connection(self, client: str | None = None) -> bool:
        """Close the connection, of ``client`` if given, that has waited longest for a request.

        Returns False if all others are at work.
        """
        longest = self._waiting.longest(client)
        if longest is None:
            return False
        self._refusals.count("replaced while waiting for a request", longest.client_host)
        longest.drop()
        return True

    def _wait_if_idle(self) -> None:
        """Count as waiting for a request unless one is in work."""
        between_requests = self._message_complete or self._reading_headers
        if between_requests and (not self.cycle or self.cycle.response_complete) and not self._has_ended:
            self._waiting.add(self)

    @property
    def _has_ended(self) -> bool:
        return self._refused or self.transport.is_closing()

    @property
    def client_host(self) -> str:
        """Address of the client, for the log."""
        return self.client[0] if self.client else "unknown"

    def drop(self) -> None:
        """Close without a response."""
        self._refused = True
        self._uncount()
        self._waiting.remove(self)
        self.connections.discard(self)
        self.transport.abort()

    def _end_headers(self) -> None:
        if self._header_bytes:
            self._refuse(408, "slow headers", f"The headers took over {self._limits.header_seconds_max:g} s")
        else:
            self.drop()  # it has sent nothing: no request to respond to

    def _refuse_client(self) -> None:
        self._refuse(429, "connections of one client", "Too many connections from your address; close some")

    def _refuse_headers(self) -> None:
        kilobytes = self._limits.header_bytes_max // 1024
        self._refuse(431, "large headers", f"The URL and headers are larger than {kilobytes} kB")

    def _check_body(self) -> None:
        limits = self._limits
        seconds_max = limits.upload_seconds_max if limits.is_upload(self.url) else limits.body_seconds_max
        if self.loop.time() - self._body_since > seconds_max:
            self._refuse(408, "long body", f"The body took over {seconds_max:g} s")
        elif self._window_bytes < limits.body_window_bytes_min and not self.flow.read_paused:
            rate = limits.body_window_bytes_min / limits.body_window_seconds / 1000
            self._refuse(408, "slow body", f"The body arrives more slowly than {rate:g} kB/s")
        else:
            self._window_bytes = 0
            self._start_timer(limits.body_window_seconds, self._check_body)

    def _end_stalled(self) -> None:
        self._refusals.count("response not read", self.client_host)
        self.drop()

    def _refuse(self, status: int, reason: str, message: str) -> None:
        self._refused = True
        self._waiting.remove(self)
        self._stop_timer()
        self._refusals.count(reason, self.client_host)
        if not (self.cycle and self.cycle.response_started and not self.cycle.response_complete):
            body = to_json({"code": status, "message": message, "data": None})
            phrase = HTTPStatus(status).phrase
            head = f"HTTP/1.1 {status} {phrase}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
            self.transport.write(f"{head}connection: close\r\n\r\n".encode() + body)
        if self.cycle and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        # Closing at once while the client still sends would reset the connection before it can read the response.
        self.transport.write_eof()
        self._timer = self.loop.call_later(LINGER_SECONDS, self.transport.abort)


def reserve_connections(
    connections_max: int,
    client_connections_max: int,
    trusted_proxies: Sequence[Network],
    is_upload: Callable[[bytes], bool] = ConnectionLimits.is_upload,
) -> ConnectionLimits:
    """Limits for this many connections, or as many as the hard limit on open files allows. Raises the soft limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections_max + FILES_RESERVED
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        connections_max = max(allowed - FILES_RESERVED, allowed // 2)
        _log.warning("the limit on open files allows fewer connections", hard_limit=hard, connections=connections_max)
    return ConnectionLimits(
        connections_max=connections_max,
        client_connections_max=client_connections_max,
        trusted_proxies=trusted_proxies,
        is_upload=is_upload,
    )


def limited_protocol(limits: ConnectionLimits, waiting: WaitingConnections | None = None) -> Any:
    """The value of uvicorn's option ``http``: its connections share the limits, the counts and the log of refusals."""
    return partial(
        LimitedProtocol,
        limits=limits,
        refusals=RefusalLog(),
        clients=ClientCounts(limits.trusted_proxies),
        waiting=WaitingConnections() if waiting is None else waiting,
    )
