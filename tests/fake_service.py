"""A scripted service, a clock for tests, and one interface to both kinds of client."""

import asyncio
import inspect
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx

from bodydouble_client import AsyncClient, Client

KEY = "ak_" + "0" * 32
URL = "http://service.example"
API = "/api/v1/client/"
Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def good(data: Any, **headers: str) -> httpx.Response:
    """A successful answer with ``data``."""
    return httpx.Response(200, json={"code": 200, "message": "success", "data": data}, headers=headers)


def bad(
    code: int, message: str = "no", *, status: int | None = None, headers: Any = None, **more: Any
) -> httpx.Response:
    """An answer with an error."""
    body = {"code": code, "message": message, "data": None, **more}
    return httpx.Response(status or code, json=body, headers=headers)


def task_data(status: str = "running", **more: Any) -> dict[str, Any]:
    """TaskInfo's data."""
    result = None
    if status == "success":
        info = {"renderer": "puppet", "frames": 48, "warnings": [{"code": "dim", "message": "It is dim."}]}
        result = {"code": 200, "message": "success", "media_urls": [f"{URL}/files/one.mp4?s=1"], "media_info": info}
    if status == "failed":
        result = {"code": 501, "message": "Nobody is in the video"}
    return {
        "task_id": "t-1",
        "provider": "Wan",
        "model_version": "2-2-animate-replace",
        "status": status,
        "param": {},
        "create_at": 1_700_000_000,
        "complete_at": 1_700_000_009 if result else None,
        "duration_s": 9 if result else None,
        "credits": 12.5,
        "source": "api",
        "result": result,
        **more,
    }


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body in chunks; an exception among them breaks the connection."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


def stream(*pieces: bytes | Exception) -> httpx.Response:
    """The answer of an event stream."""
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Body(*pieces))


def event(version: int, name: str = "progress", **data: Any) -> bytes:
    """One server-sent event in the service's format."""
    return f"id: {version}\nevent: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


class FakeService:
    """Answers each path with its scripted answers, then repeats the last one; records all requests."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self._scripts: dict[str, list[Answer]] = {}

    def on(self, path: str, *answers: Answer) -> "FakeService":
        """Set the answers of ``path``: of the API, or absolute."""
        self._scripts[path if path.startswith("/") else API + path] = list(answers)
        return self

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        script = self._scripts.get(request.url.path)
        if not script:
            return bad(404, "Not Found")
        answer = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            # A client can read a response only once.
            fresh: dict[str, Any] = (
                {"stream": answer.stream} if isinstance(answer.stream, Body) else {"content": answer.content}
            )
            return httpx.Response(answer.status_code, headers=answer.headers, **fresh)
        return answer(request)

    def to(self, path: str) -> list[httpx.Request]:
        """The recorded requests of ``path``."""
        return [r for r in self.requests if r.url.path == (path if path.startswith("/") else API + path)]


class Clock:
    """A clock that advances only during ``sleep``."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        """Seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Advance the clock."""
        self.pauses.append(seconds)
        self.now += seconds


class Face:
    """One interface to both kinds of client: ``do`` returns a call's value, ``collect`` an iterator's items."""

    def __init__(self, kind: str, service: FakeService, **arguments: Any) -> None:
        mock = httpx.MockTransport(service)
        wanted: dict[str, Any] = {"api_key": KEY, "base_url": URL} | arguments
        if kind == "blocking":
            self.client: Any = Client(**wanted, http_client=httpx.Client(transport=mock))
        else:
            self.client = AsyncClient(**wanted, http_client=httpx.AsyncClient(transport=mock))

    def do(self, call: Callable[[Any], Any]) -> Any:
        """The value of ``call(client)``."""

        async def awaited() -> Any:
            value = call(self.client)
            return await value if inspect.isawaitable(value) else value

        return call(self.client) if isinstance(self.client, Client) else asyncio.run(awaited())

    def submit(self, **more: Any) -> Any:
        """The handle of a task created from two URLs."""
        return self.do(lambda c: c.submit("https://a.example/p.png", "https://a.example/v.mp4", **more))

    def collect(self, call: Callable[[Any], Any], most: int = 100) -> list[Any]:
        """At most ``most`` items of the iterator ``call(client)``, which is then closed."""
        found: list[Any] = []
        if isinstance(self.client, Client):
            items = call(self.client)
            for item in items:
                found.append(item)
                if len(found) == most:
                    break
            items.close()
            return found

        async def gathered() -> None:
            items = call(self.client)
            async for item in items:
                found.append(item)
                if len(found) == most:
                    break
            await items.aclose()

        asyncio.run(gathered())
        return found
