"""A fair share of the event loop for each client: of one client, only a few requests are in work at a time.

Otherwise everybody waits behind the 64 requests of a client with 64 connections
(docs/decisions/0031-fair-share-of-the-event-loop.md).
"""

import asyncio
from collections import deque
from collections.abc import Callable

from starlette.types import Scope

from bodydouble.api.request_headers import header_values

PLACE = "fair_share"
"""Key in the ASGI scope of a request's share, None if it waits for nobody, and its name in the share."""
VALID_KEY = "valid_key"
"""Key in the ASGI scope of the API key by which the client was named."""
PLACES = 16
"""Of each client, for its requests in work: enough to keep a process busy, few enough that others do not notice."""
FRAMEWORK_PLACES = 8
"""Places that a request takes without a fast path (``fast_path``). It needs the event loop for four times as long, and
files, inspections and pages need threads and other processes besides.
"""
NO_PLACE: tuple[None, object] = (None, None)
CLIENTS_REMEMBERED = 1000
"""Clients without requests are forgotten when there are more."""
WORK_SECONDS = 0.1
"""A request that takes longer waits for something else than the event loop, and leaves its places to the next one."""
WORK_SECONDS_MAX = 2.0
"""It leaves them after this time in any case."""
TICK_SECONDS = 0.02
"""While requests wait, the time of those in work is measured in steps of this length."""
LATE_SECONDS_MAX = 0.004
"""A step that ends later than this does not count: the event loop was busy, so all requests took longer."""


class FairShare:
    """The requests of one client: some in work, the others waiting in the order in which they came."""

    def __init__(
        self, places: int = PLACES, work_seconds: float = WORK_SECONDS, work_seconds_max: float = WORK_SECONDS_MAX
    ) -> None:
        self._free, self._work_seconds, self._work_seconds_max = places, work_seconds, work_seconds_max
        self._in_work: dict[object, tuple[int, float, float]] = {}  # places, start and ``_calm_seconds`` at the start
        self._waiting: deque[tuple[object, int, asyncio.Future[None]]] = deque()
        self._calm_seconds = 0.0  # so long was the event loop on time while requests waited here
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """Whether no request is in work or waits."""
        return not self._in_work and not self._waiting

    def begin(self, request: object, places: int = 1) -> bool:
        """Start this request if it is its turn, else ``turn`` must follow. ``end`` must follow, also after an error."""
        if self._waiting or self._free < places:
            return False
        self._start(request, places)
        return True

    async def turn(self, request: object, places: int = 1) -> None:
        """Wait for the turn of a request that could not begin."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, places, turn))
        self._watch()
        try:
            await turn
        except asyncio.CancelledError:
            self._start_next()  # it may have been the first in the line, in front of a smaller one
            raise

    def end(self, request: object) -> None:
        """The request is over, or waits for something else than the event loop."""
        place = self._in_work.pop(request, None)
        if place is not None:
            self._free += place[0]
            if self._waiting:
                self._start_next()

    def pass_step(self, now: float, seconds_late: float) -> None:
        """A step of ``TICK_SECONDS`` is over at ``now``, so much later than it should be; requests waited meanwhile."""
        if seconds_late <= LATE_SECONDS_MAX:
            self._calm_seconds += TICK_SECONDS
        for request, (_, start, calm_before) in list(self._in_work.items()):
            if self._calm_seconds - calm_before > self._work_seconds or now - start > self._work_seconds_max:
                self.end(request)

    def _start(self, request: object, places: int) -> None:
        self._free -= places
        self._in_work[request] = places, asyncio.get_running_loop().time(), self._calm_seconds

    def _start_next(self) -> None:
        while self._waiting:
            request, places, turn = self._waiting[0]
            if not turn.done():  # done: it was cancelled
                if self._free < places:
                    return
                self._start(request, places)
                turn.set_result(None)
            self._waiting.popleft()

    def _watch(self) -> None:
        if self._timer is None:
            due = asyncio.get_running_loop().time() + TICK_SECONDS
            self._timer = asyncio.get_running_loop().call_at(due, self._tick, due)

    def _tick(self, due: float) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        self.pass_step(now, now - due)
        if self._waiting:
            self._watch()


class FairShares:
    """The shares of all clients that have requests here. ``client_of`` names the client of a request."""

    def __init__(
        self,
        client_of: Callable[[Scope], str | bytes],
        make_share: Callable[[], FairShare] = FairShare,
        clients_remembered: int = CLIENTS_REMEMBERED,
    ) -> None:
        self._client_of, self._make_share = client_of, make_share
        self._clients_remembered = self._clients_max = clients_remembered
        self._shares: dict[str | bytes, FairShare] = {}

    def of(self, scope: Scope) -> FairShare:
        """The share of the client that sent a request."""
        client = self._client_of(scope)
        share = self._shares.get(client)
        if share is None:
            if len(self._shares) >= self._clients_max:
                self._forget_idle()
            share = self._shares[client] = self._make_share()
        return share

    def _forget_idle(self) -> None:
        self._shares = {client: share for client, share in self._shares.items() if not share.is_idle}
        # Looking again only after as many clients have come keeps the time for each of them constant.
        self._clients_max = max(self._clients_remembered, 2 * len(self._shares))

    def __len__(self) -> int:
        return len(self._shares)


def leave_place(scope: Scope) -> None:
    """Let the client's next request start: this one has done most of its work, and waits for something else now."""
    share, request = scope.get(PLACE, NO_PLACE)
    if share is not None:
        share.end(request)


class ClientNames:
    """Names the client of a request: by its API key, if that was valid a moment ago, else by its address.

    A key that nobody verified names no client, so that inventing keys does not give more than one share.
    """

    def __init__(self, was_valid: Callable[[str], bool]) -> None:
        self._was_valid = was_valid

    def __call__(self, scope: Scope) -> str | bytes:
        """The client. The scope gets the key by which it was named."""
        headers = header_values(scope)
        given = headers.get(b"x-api-key") or headers.get(b"authorization")
        if given is not None:
            key: bytes = given.rpartition(b" ")[2]  # after the scheme
            secret = key.decode("latin-1")
            if self._was_valid(secret):
                scope[VALID_KEY] = secret
                return key
        return scope["client"][0] if scope["client"] else ""
