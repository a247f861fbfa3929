"""Requests of concurrent callers, sent to the database in batches."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar, cast

Request = TypeVar("Request")
Answer = TypeVar("Answer")


class Batcher(Generic[Request, Answer]):
    """Sends requests in batches. Requests that arrive while others are being sent wait for the next batch.

    So a request is never delayed on an idle system, and batches grow with the load. ``send`` returns its answers in
    the order of its requests; an exception that it raises reaches every caller of that batch.
    """

    def __init__(
        self, send: Callable[[Sequence[Request]], Awaitable[Sequence[Answer]]], *, concurrent_max: int, batch_max: int
    ) -> None:
        self._send, self._concurrent_max, self._batch_max = send, concurrent_max, batch_max
        self._waiting: list[tuple[Request, asyncio.Future[Answer]]] = []
        self._senders: set[asyncio.Task[None]] = set()

    async def ask(self, request: Request) -> Answer:
        """The answer to one request. Raises what ``send`` raises."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, answer))
        if len(self._senders) < self._concurrent_max:
            self._senders.add(asyncio.create_task(self._send_all()))
        return await answer

    async def _send_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._batch_max], self._waiting[self._batch_max :]
            await self._send_batch(batch)
        # Not in a done callback: a caller that is answered now may ask again before the callback runs. It would count
        # this sender as running, start none, and wait forever.
        self._senders.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _send_batch(self, batch: Sequence[tuple[Request, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._send([request for request, _ in batch])
        except Exception as error:
            for _, pending in batch:
                if not pending.done():  # done: its caller was cancelled
                    pending.set_exception(error)
            return
        for (_, pending), answer in zip(batch, answers, strict=True):
            if not pending.done():
                pending.set_result(answer)
