"""One inspection child, as the process that uses it sees it."""

import asyncio
import contextlib
import sys

from bodydouble.worker.child_socket import ChildSocket
from bodydouble.worker.inspection.messages import REPLIES, REQUESTS, Ready, Reply, Request
from bodydouble.worker.process import end_in_words


class ChildEnded(Exception):
    """The child ended before it answered. ``status`` is its exit status, negative for a signal."""

    def __init__(self, status: int) -> None:
        super().__init__(end_in_words(status))
        self.status = status


class InspectionChild:
    """A child process that inspects one file after the other."""

    def __init__(self, child: ChildSocket) -> None:
        self._child = child
        self.inspections = 0
        """Requests sent so far."""

    @classmethod
    async def start(cls, memory_bytes: int) -> "InspectionChild":
        """Start a child that may allocate ``memory_bytes``; it is ready. Raises ChildEnded, OSError.

        Call it from a thread that lasts, as ``ChildSocket.start``.
        """
        command = [sys.executable, "-m", "bodydouble.worker.inspection", str(memory_bytes)]
        # Threads of numerical libraries would count as address space, and no inspection computes anything.
        environment = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        child = cls(await ChildSocket.start(command, asyncio.subprocess.DEVNULL, environment))
        try:
            assert isinstance(await child._receive(), Ready)
        except BaseException:
            await child.end()
            raise
        return child

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._child.pid

    @property
    def ended(self) -> bool:
        """Whether the process is known to have ended."""
        return self._child.ended

    async def ask(self, request: Request) -> Reply:
        """The child's reply. Raises ChildEnded, LineTooLong. After a cancellation or LineTooLong call ``end``."""
        self.inspections += 1
        with contextlib.suppress(ConnectionError):  # the reply has the error
            await self._child.send(REQUESTS.encode(request))
        return await self._receive()

    async def _receive(self) -> Reply:
        try:
            return REPLIES.decode(await self._child.receive())
        except ConnectionError:
            raise ChildEnded(await self._child.wait()) from None

    async def end(self) -> None:
        """Kill the process, and wait until it is gone."""
        await self._child.end()
