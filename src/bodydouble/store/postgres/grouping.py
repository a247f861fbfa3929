"""Questions of many callers, sent to the database together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

Question = TypeVar("Question")
Answer = TypeVar("Answer")


@dataclass(frozen=True, kw_only=True, eq=False)
class _Asked(Generic[Question, Answer]):
    question: Question
    answer: asyncio.Future[Answer]


class Grouping(Generic[Question, Answer]):
    """What is asked while others are under way waits for the next group: the busier it is, the more go together.

    ``send`` gives the answers in the order of its questions; what it raises, each of those callers gets.
    """

    def __init__(
        self, send: Callable[[Sequence[Question]], Awaitable[Sequence[Answer]]], *, at_once_max: int, together_max: int
    ) -> None:
        self._send, self._at_once_max, self._together_max = send, at_once_max, together_max
        self._waiting: list[_Asked[Question, Answer]] = []
        self._under_way: set[asyncio.Task[None]] = set()

    async def ask(self, question: Question) -> Answer:
        """Raises what ``send`` raises."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Asked(question=question, answer=answer))
        if len(self._under_way) < self._at_once_max:
            sending = asyncio.create_task(self._send_all())
            self._under_way.add(sending)
        return await answer

    async def _send_all(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting[: self._together_max], self._waiting[self._together_max :]
            await self._send_some(asked)
        # Here and not once the task is over: who is answered now may ask before that, and would wait for nobody.
        self._under_way.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _send_some(self, asked: Sequence[_Asked[Question, Answer]]) -> None:
        try:
            answers = await self._send([one.question for one in asked])
        except Exception as error:  # whatever it is, it is each caller's
            for one in asked:
                if not one.answer.done():  # its caller may have hung up
                    one.answer.set_exception(error)
            return
        for one, answer in zip(asked, answers, strict=True):
            if not one.answer.done():
                one.answer.set_result(answer)
