"""HTTP connections within limits: size of headers, deadlines, minimum rates, number of connections.

uvicorn limits none of these with its httptools parser. This protocol adds them without work for a request that arrives
in one piece (docs/decisions/0014-connection-limits-in-the-server-protocol.md).
"""

import asyncio
import resource
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bodydouble.service.document import to_json

UPLOAD_PATH = b"/files/"
LINGER_SECONDS = 1.0
"""Time in which a refused client can read the response; what it sends meanwhile is discarded."""
FILES_RESERVED = 512
"""Open files beside the connections of clients: database, media, event loop."""
LOG_SECONDS = 10.0
"""Refusals of one kind are logged at most this often, with their number."""
_log = structlog.get_logger("bodydouble.api")


@dataclass(frozen=True, kw_only=True)
class ConnectionLimits:
    """Limits of the HTTP connections of one process."""

    connections_max: int
    header_bytes_max: int = 65_536
    header_seconds_max: float = 20  # from the connection, or the first byte of a later request, to the last header
    body_seconds_max: float = 300
    upload_seconds_max: float = 3600  # a body below ``/files/``
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


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's protocol within ``ConnectionLimits``."""

    def __init__(self, *args: Any, limits: ConnectionLimits, refusals: RefusalLog, **options: Any) -> None:
        super().__init__(*args, **options)
        self._limits, self._refusals = limits, refusals
        self._refused = False
        self._reading_headers = True  # also before the first byte
        self._message_complete = False
        self._header_bytes = self._window_bytes = 0
        self._waiting_since = self._body_since = self.loop.time()
        self._timer: asyncio.TimerHandle | None = None  # of the headers or of the body
        self._stall_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept the connection, if necessary in the place of one that has sent no complete request."""
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections_max and not self._close_waiting_connection():
            self._refuse(503, "connections", "Too many connections; try again later")
            return
        self._start_timer(self._limits.header_seconds_max, self._end_headers)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timers of a closed connection."""
        self._stop_timer()
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
        if self._refused or self.transport.is_closing():
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
        self._reading_headers, self._header_bytes = False, 0
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > self._limits.header_bytes_max:
            self._refuse_headers()
        elif not self._refused:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass a part of the body to the application."""
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End the body of a request."""
        self._stop_timer()
        self._message_complete, self._header_bytes, self._waiting_since = True, 0, self.loop.time()
        if not self._refused:
            super().on_message_complete()

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

    def _close_waiting_connection(self) -> bool:
        """Close the connection that has waited longest for a request. Returns False if all others are at work."""
        others = [c for c in cast("set[LimitedProtocol]", self.connections) if c is not self and c.is_waiting]
        if not others:
            return False
        oldest = min(others, key=lambda connection: connection.waiting_since)
        self._refusals.count("replaced while waiting for a request", oldest.client_host)
        oldest.drop()
        return True

    @property
    def is_waiting(self) -> bool:
        """Whether no request is in work: its headers are incomplete, or the last response was sent."""
        return self._reading_headers or (self._message_complete and (not self.cycle or self.cycle.response_complete))

    @property
    def waiting_since(self) -> float:
        """Time of the event loop since which the connection waits for a complete request."""
        return self._waiting_since

    @property
    def client_host(self) -> str:
        """Address of the client, for the log."""
        return self.client[0] if self.client else "unknown"

    def drop(self) -> None:
        """Close without a response."""
        self._refused = True
        self.connections.discard(self)
        self.transport.abort()

    def _end_headers(self) -> None:
        if self._header_bytes:
            self._refuse(408, "slow headers", f"The headers took over {self._limits.header_seconds_max:g} s")
        else:
            self.drop()  # it has sent nothing: no request to respond to

    def _refuse_headers(self) -> None:
        kilobytes = self._limits.header_bytes_max // 1024
        self._refuse(431, "large headers", f"The URL and headers are larger than {kilobytes} kB")

    def _check_body(self) -> None:
        limits, path = self._limits, self.url
        seconds_max = limits.upload_seconds_max if path.startswith(UPLOAD_PATH) else limits.body_seconds_max
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
        self._stop_timer()
        self._refusals.count(reason, self.client_host)
        if not (self.cycle and self.cycle.response_started and not self.cycle.response_complete):
            body = to_json({"code": status, "message": message, "data": None})
            head = f"HTTP/1.1 {status} Refused\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
            self.transport.write(f"{head}connection: close\r\n\r\n".encode() + body)
        if self.cycle and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        # Closing at once while the client still sends would reset the connection before it can read the response.
        self.transport.write_eof()
        self._timer = self.loop.call_later(LINGER_SECONDS, self.transport.abort)


def reserve_connections(connections_max: int) -> ConnectionLimits:
    """Limits for this many connections, or as many as the hard limit on open files allows. Raises the soft limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections_max + FILES_RESERVED
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        connections_max = max(allowed - FILES_RESERVED, allowed // 2)
        _log.warning("the limit on open files allows fewer connections", hard_limit=hard, connections=connections_max)
    return ConnectionLimits(connections_max=connections_max)


def limited_protocol(limits: ConnectionLimits) -> Any:
    """The value of uvicorn's option ``http``: one log of refusals and one set of limits for all connections."""
    return partial(LimitedProtocol, limits=limits, refusals=RefusalLog())
