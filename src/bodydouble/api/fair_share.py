"""A fair share of the event loop for each client: of one client, only a few requests are in work at a time.

Otherwise everybody waits behind the 64 requests of a client with 64 connections
(docs/decisions/0031-fair-share-of-the-event-loop.md).
"""

import asyncio
from collections import deque
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from bodydouble.api.middleware import UNLOGGED

PLACE = "fair_share"
"""Key in the ASGI scope of a request's share and name."""
KEY_HEADERS = frozenset({b"x-api-key", b"authorization"})
REQUESTS_MAX = 16
"""Requests of one client in work: enough to keep a process busy, few enough that others do not notice."""
WORK_SECONDS = 0.1
"""A request that takes longer waits for something else than the event loop, and leaves its place to the next one."""


class FairShare:
    """The requests of one client: some in work, the others waiting in the order in which they came."""

    def __init__(self, requests_max: int, work_seconds: float) -> None:
        self._requests_max, self._work_seconds = requests_max, work_seconds
        self._in_work: dict[object, float] = {}  # by start, as time of the event loop
        self._waiting: deque[tuple[object, asyncio.Future[None]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """Whether no request is in work or waits."""
        return not self._in_work and not self._waiting

    async def begin(self, request: object) -> None:
        """Wait for this request's turn. ``end`` must follow, also after an exception."""
        if len(self._in_work) < self._requests_max:  # then none waits: a free place goes to the next one at once
            self._start(request)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, turn))
        self._watch()
        await turn

    def end(self, request: object) -> None:
        """The request is over, or waits for something else than the event loop."""
        if self._in_work.pop(request, None) is None:
            return
        while self._waiting:
            following, turn = self._waiting.popleft()
            if not turn.done():  # done: it was cancelled
                self._start(following)
                turn.set_result(None)
                return

    def _start(self, request: object) -> None:
        self._in_work[request] = asyncio.get_running_loop().time()

    def _watch(self) -> None:
        """While requests wait, and so every place is taken: free the place of the one that takes too long."""
        if self._timer is None:
            oldest = next(iter(self._in_work.values()))
            self._timer = asyncio.get_running_loop().call_at(oldest + self._work_seconds, self._replace_slow)

    def _replace_slow(self) -> None:
        self._timer = None
        latest = asyncio.get_running_loop().time() - self._work_seconds
        for request, start in list(self._in_work.items()):
            if start > latest:
                break
            self.end(request)
        if self._waiting:
            self._watch()


class FairShares:
    """The shares of all clients that have requests here."""

    def __init__(self, requests_max: int = REQUESTS_MAX, work_seconds: float = WORK_SECONDS) -> None:
        self._requests_max, self._work_seconds = requests_max, work_seconds
        self._shares: dict[str | bytes, FairShare] = {}

    def of(self, client: str | bytes) -> FairShare:
        """The share of a client that has a request."""
        share = self._shares.get(client)
        if share is None:
            share = self._shares[client] = FairShare(self._requests_max, self._work_seconds)
        return share

    def forget_idle(self, client: str | bytes) -> None:
        """Forget a client that has no request any more."""
        share = self._shares.get(client)
        if share is not None and share.is_idle:
            del self._shares[client]

    def __len__(self) -> int:
        return len(self._shares)


class FairShareMiddleware:
    """Starts a request when it is its client's turn.

    ``client_of`` names the client of a request; a request without a name starts at once.
    """

    def __init__(self, app: ASGIApp, shares: FairShares, client_of: Callable[[Scope], str | bytes | None]) -> None:
        self._app, self._shares, self._client_of = app, shares, client_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = self._client_of(scope) if scope["type"] == "http" else None
        if client is None:
            await self._app(scope, receive, send)
            return
        share, request = self._shares.of(client), object()
        scope[PLACE] = (share, request)
        try:
            await share.begin(request)
            await self._app(scope, receive, send)
        finally:
            share.end(request)
            self._shares.forget_idle(client)


def leave_place(scope: Scope) -> None:
    """Let the client's next request start: this one has done most of its work, and waits for something else now."""
    place: tuple[FairShare, object] | None = scope.get(PLACE)
    if place is not None:
        share, request = place
        share.end(request)


class ClientNames:
    """Names the client of a request: by its API key, if that was valid a moment ago, else by its address.

    A key that nobody verified names no client, so that inventing keys does not give more than one share.
    """

    def __init__(self, was_valid: Callable[[str], bool]) -> None:
        self._was_valid = was_valid

    def __call__(self, scope: Scope) -> str | bytes | None:
        """The client; None for what monitoring asks, which never waits."""
        if scope["path"] in UNLOGGED:
            return None
        for name, value in scope["headers"]:
            if name in KEY_HEADERS:
                secret: bytes = value.rpartition(b" ")[2]  # after the scheme
                if self._was_valid(secret.decode("latin-1")):
                    return secret
        return scope["client"][0] if scope["client"] else ""
