"""One inspection child, as the process that uses it sees it."""

import asyncio
import contextlib
import json
import signal
import socket
import sys

from bodydouble.worker.environment import child_environment
from bodydouble.worker.inspection.messages import REPLIES, REQUESTS, Ready, Reply, Request
from bodydouble.worker.process import end_in_words

LINE_BYTES_MAX = 1 << 20


class ChildEnded(Exception):
    """The child ended before it answered. ``status`` is its exit status, negative for a signal."""

    def __init__(self, status: int) -> None:
        super().__init__(end_in_words(status))
        self.status = status


class InspectionChild:
    """A child process and the socket to it."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process, self._reader, self._writer = process, reader, writer
        self.inspections = 0
        """Requests answered so far."""

    @classmethod
    async def start(cls, memory_bytes: int) -> "InspectionChild":
        """Start a child that may allocate ``memory_bytes``; it is ready. Raises ChildEnded, OSError.

        The kernel kills the child when the thread that called this ends, so call it from a thread that lasts.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "bodydouble.worker.inspection", str(theirs.fileno()), str(memory_bytes)),
                    pass_fds=[theirs.fileno()],
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.DEVNULL,
                    # Threads of numerical libraries would count as address space, and no inspection computes anything.
                    env=child_environment({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}),
                )
            except BaseException:
                ours.close()
                raise
        reader, writer = await asyncio.open_connection(sock=ours, limit=LINE_BYTES_MAX)
        child = cls(process, reader, writer)
        try:
            assert isinstance(await child._receive(), Ready)
        except BaseException:
            await child.end()
            raise
        return child

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the process is known to have ended."""
        return self._process.returncode is not None

    async def ask(self, request: Request) -> Reply:
        """The child's reply. Raises ChildEnded. After a cancellation the child is useless; call ``end``."""
        self.inspections += 1
        with contextlib.suppress(ConnectionError):  # the reply tells
            self._writer.write(json.dumps(REQUESTS.encode(request)).encode() + b"\n")
            await self._writer.drain()
        return await self._receive()

    async def _receive(self) -> Reply:
        try:
            line = await self._reader.readline()
        except ConnectionError:
            line = b""
        if not line.endswith(b"\n"):
            raise ChildEnded(await self._process.wait())
        return REPLIES.decode(json.loads(line))

    async def end(self) -> None:
        """Kill the process, and wait until it is gone."""
        self._writer.close()
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        await self._process.wait()
