"""The middleware around every request."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from bodydouble.api.client_origin import AllowedHosts
from bodydouble.api.fair_share import FairShare, FairShares
from bodydouble.api.middleware import RequestMiddleware
from bodydouble.tasks.errors import InvalidParams
from bodydouble.tasks.request_origin import link_base
from bodydouble.tasks.tracing import NO_TRACER

pytestmark = pytest.mark.anyio
BYTES_MAX = 10


class Served:
    """The middleware around an application that reads its body and then waits for ``end``."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.links: list[str] = []
        self.end = asyncio.Event()
        self.end.set()
        self.responds_before_end = False
        self.errors: list[Exception] = []
        shares = FairShares(lambda scope: "client", lambda: FairShare(1, work_seconds=1000, work_seconds_max=1000))
        self._middleware = RequestMiddleware(
            self._app,
            on_error=self._on_error,
            tracer=NO_TRACER,
            shares=shares,
            hosts=AllowedHosts.parse(["studio.local"]),
            bytes_max=lambda path: BYTES_MAX,
        )

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        self.started.append(scope["path"])
        self.links.append(link_base("configured"))
        while (await receive()).get("more_body"):
            pass
        if self.responds_before_end:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        await self.end.wait()

    async def _on_error(self, request: Any, error: Exception) -> Any:
        self.errors.append(error)

        async def respond(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 500, "headers": []})

        return respond

    async def request(self, path: str, *pieces: bytes, **headers: str) -> None:
        """Handle one request."""
        left = list(pieces) or [b""]
        sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "method": "GET", "path": path, "headers": sent, "scheme": "http"}
        scope |= {"app": SimpleNamespace(state=SimpleNamespace()), "client": ("10.0.0.1", 1)}

        async def receive() -> Any:
            return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

        async def send(message: Any) -> None: ...

        await self._middleware(scope, receive, send)


async def test_what_monitoring_asks_never_waits() -> None:
    """While all places of a client are taken, its other requests wait, and health checks do not."""
    served = Served()
    served.end.clear()
    tasks = [asyncio.create_task(served.request(path)) for path in ("/a", "/b", "/healthz", "/metrics")]
    for _ in range(10):
        await asyncio.sleep(0)
    assert served.started == ["/a", "/healthz", "/metrics"]
    served.end.set()
    await asyncio.gather(*tasks)
    assert served.started[3:] == ["/b"]


async def test_a_response_that_lasts_holds_up_no_other_request() -> None:
    """A request leaves its client's places when its response starts, because event streams last as long as tasks."""
    served = Served()
    served.responds_before_end = True
    served.end.clear()
    tasks = [asyncio.create_task(served.request(path)) for path in ("/a", "/b")]
    for _ in range(10):
        await asyncio.sleep(0)
    assert served.started == ["/a", "/b"]
    served.end.set()
    await asyncio.gather(*tasks)


@pytest.mark.parametrize(
    ("pieces", "headers", "good"),
    [
        ((b"x" * BYTES_MAX,), {"content_length": "10"}, True),
        ((b"x" * 11,), {"content_length": "11"}, False),
        ((b"x" * 6, b"x" * 5), {}, False),
        ((b"x" * 6, b"x" * 5), {"transfer_encoding": "chunked"}, False),
        ((b"x" * 6, b"x" * 5), {"transfer_encoding": "chunked", "content_length": "5"}, False),
        ((b"x" * 6, b"x" * 5), {"content_length": "five"}, False),
        ((b"x" * 6, b"x" * 4), {"transfer_encoding": "chunked"}, True),
    ],
)
async def test_bodies_are_limited(pieces: tuple[bytes, ...], headers: dict[str, str], good: bool) -> None:
    """Bytes are counted unless the server itself lets no more pass than the headers announce."""
    served = Served()
    await served.request("/a", *pieces, **headers)
    assert [type(error) for error in served.errors] == ([] if good else [InvalidParams])


async def test_links_name_an_allowed_host_for_one_request() -> None:
    """The next request, and what follows it, has the configured address again."""
    served = Served()
    await served.request("/a", host="studio.local:80")
    await served.request("/b", host="elsewhere.example")
    await served.request("/c")
    assert served.links == ["http://studio.local:80", "configured", "configured"]
    assert link_base("configured") == "configured"
