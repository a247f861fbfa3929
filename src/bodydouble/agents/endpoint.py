"""``/mcp``: the MCP server at the API's address (streamable HTTP), with the API's keys."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bodydouble.agents.connections import Connect, ServiceConnection
from bodydouble.tasks.account import API_KEY_PATTERN
from bodydouble.tasks.errors import InvalidParams, Unauthenticated
from bodydouble_client import AsyncClient, AuthenticationError

AGENTS_PATH = "/mcp"
INVALID_REQUEST = -32600
"""JSON-RPC's code."""
END_SECONDS = 2.0
"""Time in which tools answer once the process stops. uvicorn cuts connections after 5 s."""

Admit = Callable[[Request], AbstractAsyncContextManager[None]]
"""Admits a request for the time of the block. Raises BodydoubleError, such as Unauthenticated and RateLimited."""


def with_callers_key(app: ASGIApp, base_url: str) -> Connect:
    """Connections to ``app`` itself, without a network, with the key of each request.

    They pass on the host and the scheme of the request, so that links start with the address that its client used.
    """
    address = urlsplit(base_url)

    @asynccontextmanager
    async def connect(request: Any) -> AsyncGenerator[ServiceConnection]:
        key = _key(request)
        host = [(name, value) for name, value in request.scope["headers"] if name == b"host"]
        url = address._replace(scheme=request.scope["scheme"]).geturl()
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), headers=host) as http:
            client = AsyncClient(key, url, http_client=http)
            yield ServiceConnection(client=client, http=http, key=key)

    return connect


def _key(request: Request) -> str:
    """The API key of a request's headers. Raises AuthenticationError."""
    authorization = request.headers.get("authorization", "")
    bearer = authorization[7:].strip() if authorization[:7].lower() == "bearer " else ""
    key = request.headers.get("x-api-key") or bearer
    if not API_KEY_PATTERN.match(key):
        raise AuthenticationError("Missing or invalid API key")
    return key


def _rpc_error(message: str) -> dict[str, Any]:
    """A JSON-RPC error without the request's id, because the request was not parsed."""
    return {"jsonrpc": "2.0", "id": None, "error": {"code": INVALID_REQUEST, "message": message}}


class AgentsEndpoint:
    """The ASGI application of ``/mcp``.

    It keeps no sessions, so any API process can answer any request. The MCP library is loaded by the first request:
    it takes two seconds of processor time, and most installations never need it.
    """

    def __init__(self, connect: Connect, admit: Admit) -> None:
        self._connect, self._admit = connect, admit
        self._starting = asyncio.Lock()
        self._manager: Any = None
        self._running: asyncio.Task[None] | None = None
        self._stop, self._closed = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; 401 without a valid key, 413 if it is too large. Raises what ``admit`` raises."""
        try:
            async with self._admit(Request(scope)):
                await self._start_once()
                await self._until_stopped(self._manager.handle_request, scope, receive, send)
        except Unauthenticated as error:
            headers = {"www-authenticate": 'Bearer realm="bodydouble"'}
            await JSONResponse({"error": str(error)}, 401, headers)(scope, receive, send)
        except InvalidParams as error:  # of the body's size: tools answer for their own arguments
            message = f"{error}: the tool upload_address returns an address to upload to"
            await JSONResponse(_rpc_error(message), 413)(scope, receive, send)

    def stop(self) -> None:
        """Have all requests end within ``END_SECONDS``, because the server waits for open responses."""
        self._stop.set()

    async def close(self) -> None:
        """End all requests and the MCP server."""
        self.stop()
        self._closed.set()
        if self._running is not None:
            await asyncio.gather(self._running, return_exceptions=True)

    async def _until_stopped(self, handle: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request with ``handle``; complete its response if it is open ``END_SECONDS`` after the stop."""
        last: Message = {}

        async def send_noted(message: Message) -> None:
            nonlocal last
            last = message
            await send(message)

        handling = asyncio.ensure_future(handle(scope, receive, send_noted))
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({handling, stopping}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({handling}, timeout=END_SECONDS)
            if handling.done():
                await handling
                return
        finally:
            stopping.cancel()
            handling.cancel()
            await asyncio.gather(handling, return_exceptions=True)
        if not last:
            error = {"error": "The service is stopping; repeat the request"}
            await JSONResponse(error, 503, {"retry-after": "2"})(scope, receive, send)
        elif last["type"] == "http.response.start" or last.get("more_body"):
            await send({"type": "http.response.body", "body": b""})

    async def _start_once(self) -> None:
        """Start the server with the first request; later ones wait until it has started."""
        async with self._starting:
            if self._manager is not None:
                return
            manager = await asyncio.to_thread(self._build)
            ready = asyncio.Event()

            async def run() -> None:
                async with manager.run():
                    ready.set()
                    await self._closed.wait()

            self._running = asyncio.create_task(run())
            await ready.wait()
            self._manager = manager

    def _build(self) -> Any:
        from mcp.server.transport_security import TransportSecuritySettings

        from bodydouble.agents.server import build_server

        server = build_server(self._connect, is_stopping=self._stop.is_set)
        # Pages of other sites have no key, so the check of host names adds nothing and would know no proxy's name.
        security = TransportSecuritySettings(enable_dns_rebinding_protection=False)
        server.streamable_http_app(streamable_http_path=AGENTS_PATH, stateless_http=True, transport_security=security)
        return server.session_manager
