"""The waiting, and nothing else: the one place where the blocking and the asynchronous client differ.

All the rest of the client is written once, as coroutines that wait for nothing but a ``Transport``. Under asyncio they
are awaited as they are. ``BlockingTransport`` does its work before it returns, so that a coroutine over it runs from
beginning to end at the first ``send``: ``run`` needs no event loop, and works in a thread that has one.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator
from typing import Any, Protocol, TypeVar

import httpx

T = TypeVar("T")


class Transport(Protocol):
    """What the client waits for. Raises httpx's own errors."""

    async def send(self, request: httpx.Request) -> httpx.Response:
        """The answer with its body read; redirects are not followed."""
        ...

    async def open(self, request: httpx.Request) -> httpx.Response:
        """The answer with its body still to come; redirects are followed. ``close`` it."""
        ...

    def chunks(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        """The body of an opened answer as it comes in."""
        ...

    async def close(self, response: httpx.Response) -> None:
        """Let go of an opened answer."""
        ...

    async def sleep(self, seconds: float) -> None: ...

    async def work(self, function: Callable[[], T]) -> T:
        """Do something that blocks for a moment, such as writing to a file."""
        ...


class BlockingTransport:
    """Over ``httpx.Client``: nothing here ever suspends."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    async def send(self, request: httpx.Request) -> httpx.Response:
        return self._http.send(request, follow_redirects=False)

    async def open(self, request: httpx.Request) -> httpx.Response:
        return self._http.send(request, stream=True, follow_redirects=True)

    async def chunks(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        for chunk in response.iter_bytes():
            yield chunk

    async def close(self, response: httpx.Response) -> None:
        response.close()

    async def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    async def work(self, function: Callable[[], T]) -> T:
        return function()


class AsyncioTransport:
    """Over ``httpx.AsyncClient`` and asyncio; file work goes to a thread."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def send(self, request: httpx.Request) -> httpx.Response:
        return await self._http.send(request, follow_redirects=False)

    async def open(self, request: httpx.Request) -> httpx.Response:
        return await self._http.send(request, stream=True, follow_redirects=True)

    async def chunks(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        async for chunk in response.aiter_bytes():
            yield chunk

    async def close(self, response: httpx.Response) -> None:
        await response.aclose()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def work(self, function: Callable[[], T]) -> T:
        return await asyncio.to_thread(function)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine over a ``BlockingTransport`` returns."""
    try:
        coroutine.send(None)
    except StopIteration as finished:
        return finished.value
    coroutine.close()
    raise RuntimeError("a coroutine over a blocking transport has suspended: only a Transport may be awaited")


def iterate(items: AsyncGenerator[T, None]) -> Generator[T, None, None]:
    """What an asynchronous generator over a ``BlockingTransport`` yields; it is closed with this iterator."""
    try:
        while True:
            try:
                item = run(anext_of(items))
            except StopAsyncIteration:
                return
            yield item
    finally:
        run(items.aclose())


async def anext_of(items: AsyncIterator[T]) -> T:
    """``anext`` as a coroutine, whatever kind of awaitable the iterator has."""
    return await anext(items)
